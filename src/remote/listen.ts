import { chmodSync, chownSync, rmSync, statSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { dirname } from "node:path";
import type { Clock } from "../core/clock.ts";
import { VaultError } from "../core/errors.ts";
import { firstLine } from "./first-line.ts";
import { clearPlace, vetPlace } from "./place.ts";
import { Seats } from "./seats.ts";
import { type Hello, parseHello, type Welcome, welcomeLine } from "./words.ts";

/** How long one that connects may take to say who it is. */
const HELLO_MS = 5_000;
/** Sessions at a time. */
const MOST_SESSIONS = 32;
/** Connections that have not said anything yet, at a time. */
const MOST_STRANGERS = 16;

/** One session of a client: the stream it is on, and what its shim says of itself. */
export interface Caller {
  readonly stream: Socket;
  readonly hello: Hello;
}

export interface ListenOptions {
  readonly path: string;
  /** Number of the group that may connect; absent: that of the folder. */
  readonly gid?: number;
  readonly version: string;
  readonly clock: Clock;
  /** Asked for each connection: why it is not let in now, as one clause; undefined when it is. Never rejects. */
  readonly refusal: () => Promise<string | undefined>;
  /** Serves one session. Resolves when it is over, to how long its seat stays taken yet, ms. Never rejects. */
  readonly serve: (caller: Caller) => Promise<number>;
}

export interface Listening {
  /** The socket as it really lies. */
  readonly path: string;
  /** Lets nobody in any more. Those who are in stay until `end`. */
  readonly shut: () => void;
  /** Ends every connection, once what was written to it is out. */
  readonly end: () => void;
}

/**
 * Listens on a socket that its owner and one group may connect to. Throws `usage` where others could put their own in its
 * place.
 */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { clock } = options;
  const path = vetPlace(options.path);
  await clearPlace(path);
  const seats = new Seats(MOST_SESSIONS, clock);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    // Whatever breaks it, its end is told by "close".
    socket.on("error", () => {}).once("close", () => open.delete(socket));
    void receive(socket, seats, options);
  });
  server.maxConnections = MOST_SESSIONS + MOST_STRANGERS;
  await bind(server, path, options.gid ?? statSync(dirname(path)).gid);
  return {
    path,
    shut: () => {
      server.close();
      rmSync(path, { force: true });
    },
    end: () => {
      for (const socket of open) socket.end(() => socket.destroy());
    },
  };
}

async function receive(socket: Socket, seats: Seats, { version, refusal, serve }: ListenOptions): Promise<void> {
  const line = await firstLine(socket, HELLO_MS);
  // Half a connection is none: nobody is left to answer to.
  if (line === undefined || socket.destroyed) return void socket.destroy();
  const hello = parseHello(line);
  const seat = hello && seats.take();
  if (!hello || !seat) {
    return refuse(
      socket,
      hello ? "it has as many sessions as it takes" : "what came over the socket is not agent-vault connect",
    );
  }
  const why = await refusal();
  if (why !== undefined || socket.destroyed) {
    seat.giveBack(0);
    return refuse(socket, why ?? "it is gone");
  }
  socket.write(welcomeLine({ is: "welcome", version }));
  seat.giveBack(await serve({ stream: socket, hello }));
  socket.end(() => socket.destroy());
}

function refuse(socket: Socket, why: string): void {
  socket.end(welcomeLine({ is: "refused", why } satisfies Welcome), () => socket.destroy());
}

/** Nobody but us may connect before the group is set. */
async function bind(server: Server, path: string, gid: number): Promise<void> {
  const mask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(mask);
  }
  try {
    await once(server, "listening");
  } catch (error) {
    throw unusable(path, "cannot be listened on", error);
  }
  try {
    if (statSync(path).gid !== gid) chownSync(path, -1, gid);
    chmodSync(path, 0o660);
  } catch (error) {
    server.close();
    throw unusable(path, "cannot be given to its group, which the user that runs the broker has to be in", error);
  }
}

function unusable(path: string, why: string, cause: unknown): VaultError {
  return new VaultError("usage", `the socket ${path} ${why}`, { hint: "see docs/other-user.md", cause });
}
