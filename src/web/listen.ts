import { createServer, type RequestListener, type Server } from "node:http";
import { type Clock, pause } from "../core/clock.ts";
import { VaultError } from "../core/errors.ts";
import { keepRoom } from "./crowd.ts";
import { HEADERS } from "./guard.ts";

/** Servers on the loopback addresses of this machine, all on one port, all listening. */
export interface Listening {
  readonly port: number;
  readonly servers: readonly Server[];
}

const LOOPBACK = ["127.0.0.1", "::1"];
const NEIGHBOURS = 50;
/** How long a question may take to come in, ms; browsers send theirs at once. */
const PATIENCE = { headersTimeout: 3_000, requestTimeout: 15_000, connectionsCheckingInterval: 1_000 };

/**
 * Listens on loopback only: on the wanted port, else on one of the next fifty, else on any free one. Resolves when every
 * address listens; throws `page_unavailable` when none can be had.
 */
export async function listen(
  handler: RequestListener,
  wanted: number,
  addresses: readonly string[] = LOOPBACK,
): Promise<Listening> {
  const neighbours = wanted === 0 ? [] : Array.from({ length: NEIGHBOURS + 1 }, (_, step) => wanted + step);
  const anyPort = [0, 0, 0];
  let cause: unknown;
  for (const port of [...neighbours.filter((port) => port < 65_536), ...anyPort]) {
    try {
      return await listenOn(handler, port, addresses);
    } catch (error) {
      cause = error;
      if (!isTaken(error)) break;
    }
  }
  throw new VaultError("page_unavailable", `the approval page could not listen on port ${wanted} nor on another one`, {
    hint: 'set "port" in the configuration to a free port above 1024',
    cause,
  });
}

const HEIR_TRIES = 50;
const HEIR_REST_MS = 20;

/**
 * Waits for a port that is just being let go of, for about a second. Resolves either way: whoever listens next finds out
 * whether it is free.
 */
export async function untilFree(port: number, clock: Clock): Promise<void> {
  for (let tries = 0; tries < HEIR_TRIES; tries++) {
    try {
      const { servers } = await listenOn(() => undefined, port, LOOPBACK);
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      return;
    } catch (error) {
      if (!isTaken(error)) return;
    }
    await pause(clock, HEIR_REST_MS, NEVER);
  }
}

const NEVER = new AbortController().signal;

/**
 * All addresses or none: browsers take `localhost` for either, so a port that somebody else holds on one of them would
 * send our links to a stranger.
 */
async function listenOn(handler: RequestListener, port: number, addresses: readonly string[]): Promise<Listening> {
  const servers: Server[] = [];
  let at = port;
  try {
    for (const address of addresses) {
      const server = newServer(handler);
      const bound = await bind(server, at, address, { optional: servers.length > 0 });
      if (bound === undefined) continue;
      servers.push(server);
      at = bound;
    }
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return { port: at, servers };
}

function bind(
  server: Server,
  port: number,
  host: string,
  { optional }: { optional: boolean },
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      if (optional && isAbsent(error)) resolve(undefined);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true, ipv6Only: true }, () => {
      server.removeAllListeners("error");
      // A broken connection later on is that connection's end, not the server's.
      server.on("error", () => undefined);
      const address = server.address();
      if (address === null || typeof address === "string") reject(new TypeError("a port was bound, so there is one"));
      else resolve(address.port);
    });
  });
}

function newServer(handler: RequestListener): Server {
  // A missing Host is answered by our own check, with our own headers.
  const server = createServer({ requireHostHeader: false, ...PATIENCE }, handler);
  keepRoom(server);
  const head = Object.entries({ ...HEADERS, Connection: "close", "Content-Length": "0" })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
  // What is not even HTTP never reaches the handler; it gets the same headers.
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) socket.destroy();
    else socket.end(`HTTP/1.1 ${statusOf(error)}\r\n${head}\r\n`);
  });
  return server;
}

function statusOf(error: NodeJS.ErrnoException): string {
  if (error.code === "HPE_HEADER_OVERFLOW") return "431 Request Header Fields Too Large";
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") return "408 Request Timeout";
  return "400 Bad Request";
}

function isTaken(error: unknown): boolean {
  return hasCode(error, ["EADDRINUSE", "EACCES"]);
}

function isAbsent(error: unknown): boolean {
  return hasCode(error, ["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"]);
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
