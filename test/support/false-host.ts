import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { createFile, prepareFolder } from "../../src/state/place.ts";
import { loadDriver } from "../../src/state/driver.ts";
import { holdFile } from "../../src/state/held-file.ts";
import type { World } from "./agent.ts";

/** Somebody with the powers of the same user who has taken the place of the host. */
export interface FalseHost {
  /** What the first session that joined is asked; resolves with its reply. */
  readonly call: (name: string, ask: unknown) => Promise<Reply>;
  /** Resolves with the token of the first request that a session has told of. */
  readonly token: Promise<string>;
  /** Everything that came over the socket. */
  readonly heard: () => Buffer;
  readonly close: () => void;
}

export interface Reply {
  readonly value?: unknown;
  readonly error?: { readonly code: string };
}

const NO_PAGE = { local: "http://localhost:1/approve/", isSettled: true };
const FOLDER = { name: "desk", code: "page_unavailable", elsewhere: "", anew: "" } as const;

/** Takes the lock of a world's desk before anybody else, and listens as its host would. */
export async function falseHost(world: World): Promise<FalseHost> {
  const desk = join(dirname(world.database), "desk");
  prepareFolder(desk, FOLDER);
  const lock = join(desk, "desk.lock");
  createFile(lock);
  const held = holdFile(loadDriver(FOLDER), lock);
  if (!held) throw new Error("the lock was taken already");
  const chunks: Buffer[] = [];
  const pending = new Map<number, (reply: Reply) => void>();
  let session: Socket | undefined;
  let last = 0;
  let tokenKnown: (token: string) => void = () => {};
  const token = new Promise<string>((resolve) => (tokenKnown = resolve));
  const server = createServer((socket) => {
    session ??= socket;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    const send = (message: object): void => void socket.write(`${JSON.stringify(message)}\n`);
    const lines = createInterface({ input: socket });
    lines.on("error", () => {});
    lines.on("line", (line) => {
      const message = JSON.parse(line) as Message;
      if (message.re !== undefined) return pending.get(message.re)?.(message);
      const first = message.with?.waiting?.[0]?.token;
      if (first !== undefined) tokenKnown(first);
      if (message.do === "hello") send({ re: message.id, value: { hub: 1, formKey: "k".repeat(43), page: NO_PAGE } });
      if (message.do === "open") send({ re: message.id, value: { page: NO_PAGE, shared: [] } });
      if (message.do === "ping") send({ re: message.id, value: {} });
    });
  });
  server.listen(join(desk, "desk.sock"));
  await once(server, "listening");
  return {
    call: (name, ask) => {
      const id = ++last;
      session?.write(`${JSON.stringify({ do: name, id, with: ask })}\n`);
      return new Promise((resolve) => pending.set(id, resolve));
    },
    token,
    heard: () => Buffer.concat(chunks),
    close: () => {
      session?.destroy();
      server.close();
      held.leave();
    },
  };
}

interface Message extends Reply {
  readonly re?: number;
  readonly do?: string;
  readonly id?: number;
  readonly with?: { readonly waiting?: readonly { readonly token: string }[] };
}
