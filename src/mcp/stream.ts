import type { Duplex } from "node:stream";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";

/** Bytes of answers that may wait to be taken before the session ends: no client needs that much at a time. */
const MOST_WAITING = 64 * 1024 * 1024;

/**
 * MCP over one stream, line by line, as over stdio. Reads no further while answers are not taken, so that a client that
 * only asks costs no memory, and ends with the stream.
 */
export function transportOver(stream: Duplex): Transport {
  const transport = new StdioServerTransport(stream, stream);
  // Every answer that waits to be taken listens for its turn.
  stream.setMaxListeners(0);
  const resume = (): void => void stream.resume();
  stream.on("data", () => {
    if (stream.writableLength > MOST_WAITING) stream.destroy();
    if (!stream.writableNeedDrain) return;
    stream.pause();
    stream.off("drain", resume).once("drain", resume);
  });
  // Half a connection is none: law 9.
  stream.once("end", () => void transport.close());
  stream.once("close", () => void transport.close());
  return transport;
}
