import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Where a person's phone gets its messages: a server that speaks as much of ntfy as a channel needs. */
export interface Messages {
  /** The channel, as the configuration names it. */
  readonly channel: object;
  readonly close: () => void;
}

/** Starts it. `onMessage` is told of each message as it comes. */
export async function startMessages(onMessage: (text: string) => void): Promise<Messages> {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => (body += part));
    request.on("end", () => {
      onMessage((JSON.parse(body) as { message: string }).message);
      response.setHeader("Content-Type", "application/json").end('{"id":"m1","event":"message"}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    channel: { type: "ntfy", topic: "redteam-0815", server: `http://127.0.0.1:${port}` },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
