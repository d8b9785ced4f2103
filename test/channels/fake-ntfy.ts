import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One message as the server got it. */
export interface Posted {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export type Behaviour = (response: ServerResponse, posted: Posted) => void;

/** A server that answers as https://docs.ntfy.sh/publish/ says, or as it is told to for the next request. */
export interface FakeNtfy {
  readonly url: string;
  readonly posted: readonly Posted[];
  /** Answers the next request in another way; several are used one after the other. */
  readonly next: (...behaviours: Behaviour[]) => void;
  /** Resolves when that many requests have come in all. */
  readonly received: (count: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** An error as ntfy words it. */
export function refuse(http: number, code: number, error: string, headers: Record<string, string> = {}): Behaviour {
  return (response) => {
    response.writeHead(http, { "content-type": "application/json", ...headers });
    response.end(`${JSON.stringify({ code, http, error, link: "https://ntfy.sh/docs/publish/" })}\n`);
  };
}

/** Starts it on a free port of 127.0.0.1. With a token, only who sends it may write. */
export async function startFakeNtfy(options: { token?: string } = {}): Promise<FakeNtfy> {
  const posted: Posted[] = [];
  const behaviours: Behaviour[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("utf8");
      const one = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body };
      posted.push(one);
      (behaviours.shift() ?? asDocumented(options.token))(response, one);
      for (const { count, resolve } of waiting) if (posted.length >= count) resolve();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posted,
    next: (...more) => void behaviours.push(...more),
    received: (count) =>
      new Promise((resolve) => {
        if (posted.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function asDocumented(token: string | undefined): Behaviour {
  return (response, { method, path, headers, body }) => {
    if (method !== "POST" || path !== "/") return refuse(404, 40401, "page not found")(response, NOBODY);
    if (token !== undefined && headers.authorization !== `Bearer ${token}`) {
      return headers.authorization === undefined
        ? refuse(403, 40301, "forbidden")(response, NOBODY)
        : refuse(401, 40101, "unauthorized")(response, NOBODY);
    }
    const { topic, message } = JSON.parse(body) as { topic: string; message: string };
    if (!/^[-_A-Za-z0-9]{1,64}$/.test(topic))
      return refuse(400, 40009, "invalid request: topic invalid")(response, NOBODY);
    if (Buffer.byteLength(message) > 4096)
      return refuse(400, 40012, "invalid request: message too long")(response, NOBODY);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(`${JSON.stringify({ id: "sPs71M8A2T", time: 1_795_184_000, event: "message", topic, message })}\n`);
  };
}

const NOBODY: Posted = { method: "", path: "", headers: {}, body: "" };
