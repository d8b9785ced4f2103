import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { selfSigned } from "./self-signed.ts";

// ngrok's agents speak muxado over TLS: frames of [length 24][type 4][flags 4][stream 32], and each stream begins with
// its own type. Requests and answers are JSON, one per stream. Only what a session needs is here.
const [DATA, GO_AWAY] = [1, 3];
const [FIN, SYN] = [1, 2];
const [AUTH, BIND, UNBIND, PROXY, STOP, HEARTBEAT] = [0, 1, 2, 3, 5, 0xffff_ffff];

const NAMES: Readonly<Record<number, string>> = { [AUTH]: "auth", [UNBIND]: "unbind" };

interface Request {
  readonly Opts?: { readonly Hostname?: string; readonly Domain?: string };
}

interface Stream {
  type?: number;
  data: Buffer;
  answered?: boolean;
  readonly onEnd?: (data: Buffer) => void;
}

/** How the service takes a request: undefined is yes, a text is ngrok's refusal, "hang" no answer at all. */
export type Verdict = string | undefined;

export interface FakeNgrokService {
  /** `localhost:port`, for the SDK's server address. */
  readonly address: string;
  /** What the SDK must trust. */
  readonly cert: string;
  readonly verdicts: { auth: Verdict; bind: Verdict };
  /** What agents asked for, in order: "auth", "bind vault.example.com", "unbind". */
  readonly asked: readonly string[];
  /** Resolves when that many requests have come in all. */
  readonly askedFor: (count: number) => Promise<void>;
  /** Says yes, late, to whatever has got no answer. */
  readonly answerLate: () => void;
  /** Sends a visitor's request down the tunnel and returns what the page answered. */
  readonly visit: (request: string) => Promise<string>;
  /** What somebody does who stops the agent from the dashboard. */
  readonly stopAgent: () => void;
  /** Breaks every connection without a word. */
  readonly breakOff: () => void;
  readonly close: () => Promise<void>;
}

/** An ngrok of our own on the loopback that the real SDK can connect to. */
export async function startFakeNgrokService(): Promise<FakeNgrokService> {
  const { key, cert } = selfSigned();
  const verdicts: FakeNgrokService["verdicts"] = { auth: undefined, bind: undefined };
  const asked: string[] = [];
  const hung: (() => void)[] = [];
  const waiting = new Set<() => void>();
  const agents = new Map<TLSSocket, { open: (type: number, data: Buffer, onEnd?: (data: Buffer) => void) => void }>();
  const changed = (): void => {
    for (const look of waiting) look();
  };
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });

  function answer(type: number, request: Request, reply: (data: Buffer) => void): void {
    const wanted = request.Opts?.Hostname || request.Opts?.Domain || "abc.ngrok-free.app";
    asked.push(type === BIND ? `bind ${wanted}` : (NAMES[type] ?? `type ${type}`));
    const verdict = type === AUTH ? verdicts.auth : type === BIND ? verdicts.bind : undefined;
    const bound = { Id: "ep_1", ClientId: "ep_1", URL: `https://${wanted}`, Proto: "https", Opts: request.Opts };
    const yes = {
      [AUTH]: { Version: "3", ClientId: "cid", Extra: {} },
      [BIND]: { ...bound, BindOpts: request.Opts, Extra: { Token: "" } },
    }[type];
    const say = (): void => reply(Buffer.from(JSON.stringify(yes ?? {})));
    if (verdict === undefined) say();
    else if (verdict === "hang") hung.push(say);
    else reply(Buffer.from(JSON.stringify({ Error: verdict })));
    changed();
  }

  const server = createServer({ key, cert }, (socket) => {
    const streams = new Map<number, Stream>();
    let unread: Buffer = Buffer.alloc(0);
    let nextId = 2;
    const send = (flags: number, id: number, body: Buffer): void => {
      const head = Buffer.alloc(8);
      head.writeUIntBE(body.length, 0, 3);
      head[3] = (DATA << 4) | flags;
      head.writeUInt32BE(id, 4);
      if (!socket.destroyed) socket.write(Buffer.concat([head, body]));
    };
    agents.set(socket, {
      open(type, data, onEnd) {
        const id = nextId;
        nextId += 2;
        streams.set(id, { type, data: Buffer.alloc(0), ...(onEnd ? { onEnd } : {}) });
        const head = Buffer.alloc(4);
        head.writeUInt32BE(type);
        send(SYN, id, Buffer.concat([head, data]));
      },
    });

    function take(flags: number, id: number, body: Buffer): void {
      const stream = streams.get(id) ?? { data: Buffer.alloc(0) };
      streams.set(id, stream);
      stream.data = Buffer.concat([stream.data, body]);
      if (stream.onEnd) {
        if (flags & FIN) stream.onEnd(stream.data);
        return;
      }
      if (stream.type === undefined) {
        if (stream.data.length < 4) return;
        stream.type = stream.data.readUInt32BE();
        stream.data = stream.data.subarray(4);
      }
      if (stream.type === HEARTBEAT) {
        send(0, id, stream.data);
        stream.data = Buffer.alloc(0);
      } else if (!stream.answered && isWhole(stream.data)) {
        stream.answered = true;
        const reply = (data: Buffer): void => send(FIN, id, data);
        answer(stream.type, JSON.parse(stream.data.toString()), reply);
      }
    }

    socket.on("error", () => {}); // an agent that goes away is what is being tested
    socket.on("close", () => agents.delete(socket));
    socket.on("data", (chunk) => {
      unread = Buffer.concat([unread, chunk]);
      while (unread.length >= 8 && unread.length >= 8 + unread.readUIntBE(0, 3)) {
        const end = 8 + unread.readUIntBE(0, 3);
        const [typeAndFlags, id, body] = [unread[3] ?? 0, unread.readUInt32BE(4), Buffer.from(unread.subarray(8, end))];
        unread = unread.subarray(end);
        if (typeAndFlags >> 4 === DATA) take(typeAndFlags & 15, id, body);
        if (typeAndFlags >> 4 === GO_AWAY) socket.end();
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    address: `localhost:${(server.address() as AddressInfo).port}`,
    cert,
    verdicts,
    asked,
    askedFor: (count) => until(() => asked.length >= count),
    answerLate() {
      for (const say of hung.splice(0)) say();
    },
    visit: (request) =>
      new Promise((resolve) => {
        const header = Buffer.from(
          JSON.stringify({
            Id: "ep_1",
            ClientAddr: "192.0.2.7:50000",
            Proto: "https",
            EdgeType: "3",
            PassthroughTLS: false,
          }),
        );
        const length = Buffer.alloc(8);
        length.writeBigInt64LE(BigInt(header.length));
        const [agent] = agents.values();
        agent?.open(PROXY, Buffer.concat([length, header, Buffer.from(request)]), (data) => resolve(data.toString()));
      }),
    stopAgent() {
      for (const agent of agents.values()) agent.open(STOP, Buffer.from("{}"), () => {});
    },
    breakOff() {
      for (const socket of agents.keys()) socket.destroy();
    },
    async close() {
      for (const socket of agents.keys()) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function isWhole(data: Buffer): boolean {
  try {
    JSON.parse(data.toString());
    return true;
  } catch {
    return false;
  }
}
