import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** How many connections one address holds at a time. */
const MOST = 256;

/** What a connection is about; undefined while nothing was asked on it. */
type Asked = { readonly request: IncomingMessage; readonly response: ServerResponse } | undefined;

/**
 * Keeps a place for whoever has something to ask. Where a server is full, the connection that has kept it waiting for the
 * longest gives way to the next: one whose question has not come in whole, or that was told everything already.
 */
export function keepRoom(server: Server, most: number = MOST): void {
  const open = new Map<Socket, Asked>();
  server.on("connection", (socket: Socket) => {
    socket.on("close", () => open.delete(socket));
    open.set(socket, undefined);
    if (open.size <= most) return;
    const [idle = socket] = [...open].find(([, asked]) => isIdle(asked)) ?? [];
    open.delete(idle);
    idle.destroy();
  });
  server.on("request", (request, response) => {
    const { socket } = request;
    if (!open.has(socket)) return;
    open.set(socket, { request, response });
    response.on("close", () => {
      if (!open.delete(socket)) return;
      open.set(socket, undefined);
    });
  });
}

function isIdle(asked: Asked): boolean {
  return asked === undefined || !asked.request.complete || asked.response.writableEnded;
}
