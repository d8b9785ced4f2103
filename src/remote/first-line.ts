import type { Socket } from "node:net";
import { FIRST_LINE_MAX } from "./words.ts";

const NEWLINE = 0x0a;

/**
 * The first line that comes over a connection, without its end; what follows stays to be read. Undefined when it does not
 * come in time, is too long, or the connection ends first. Leaves the connection paused.
 */
export function firstLine(socket: Socket, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let read = Buffer.alloc(0);
    const settle = (line: string | undefined): void => {
      clearTimeout(late);
      socket.off("readable", look).off("end", over).off("close", over).off("error", over);
      resolve(line);
    };
    const over = (): void => settle(undefined);
    const look = (): void => {
      for (;;) {
        const chunk: unknown = socket.read();
        if (!Buffer.isBuffer(chunk)) return;
        read = Buffer.concat([read, chunk]);
        const end = read.indexOf(NEWLINE);
        if (end > FIRST_LINE_MAX || (end === -1 && read.length > FIRST_LINE_MAX)) return settle(undefined);
        if (end === -1) continue;
        const rest = read.subarray(end + 1);
        if (rest.length > 0) socket.unshift(rest);
        return settle(read.toString("utf8", 0, end));
      }
    };
    const late = setTimeout(over, timeoutMs);
    socket.on("readable", look).once("end", over).once("close", over).once("error", over);
  });
}
