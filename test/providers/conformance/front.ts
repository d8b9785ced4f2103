import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer as createPlain, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { selfSigned } from "../../tunnels/self-signed.ts";
import { must } from "./outcomes.ts";
import { type Backend, type Fault, RETRY_AFTER_S } from "./world.ts";

/** An answer in the vault's own words. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
}

/** What a call is for, as `Backend.calls` counts it. */
export type Purpose = "list" | "value" | "other";

export interface FrontOptions {
  /** Origin of the server behind it, `http://127.0.0.1:port`. */
  readonly target: string;
  readonly purposeOf: (method: string, path: string) => Purpose;
  /** How the vault words what it says of credentials. */
  readonly refuse: (fault: "wrong" | "expired" | "insufficient") => Refusal;
  /** Speaks without TLS, for those who cannot be told whom to trust. */
  readonly plain?: true;
}

/** What stands between a provider and its server: TLS, and everything that can go wrong on the way. */
export interface Front extends Required<Pick<Backend, "break" | "mend" | "calls" | "busy" | "called" | "elsewhere">> {
  readonly origin: string;
  /** The certificate to be trusted. */
  readonly ca: string;
  /** Stands in every answer that it makes up itself: nobody may quote those. */
  readonly mark: string;
  /** All that was sent to the host it redirects to. */
  readonly sawElsewhere: () => string;
  readonly close: () => Promise<void>;
}

/** The ways to send somebody on; those who follow one may not follow another. */
const REDIRECTS = [302, 307, 301, 308, 303];

/** Starts it on a free port of this computer. */
export async function startFront({ target, purposeOf, refuse, plain }: FrontOptions): Promise<Front> {
  const mark = randomBytes(12).toString("hex");
  const certificate = selfSigned();
  const counts = { list: 0, value: 0, other: 0 };
  const seekers: ((call: { readonly over: Promise<void> }) => void)[] = [];
  let fault: Fault | undefined;
  let busy = 0;
  let elsewhere = 0;
  let redirects = 0;
  const saw: string[] = [];

  const other = createPlain((request, response) => {
    elsewhere++;
    void (async () => {
      saw.push(JSON.stringify([request.method, request.url, request.rawHeaders, await text(request)]));
      response.end("{}");
    })();
  });
  other.listen(0, "127.0.0.1");
  await once(other, "listening");

  const serve = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    counts[purposeOf(incoming.method ?? "", incoming.url ?? "")]++;
    busy++;
    const over = new Promise<void>((resolve) => {
      outgoing.once("close", () => {
        busy--;
        resolve();
      });
    });
    for (const seeker of seekers.splice(0)) seeker({ over });
    answer(incoming, outgoing);
  };
  const secure = plain ? undefined : createServer(certificate, serve);
  const server = secure ?? createPlain(serve);
  const listen = async (port: number): Promise<number> => {
    server.listen(port, "localhost");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };

  function answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const say = (status: number, body: string, headers: Record<string, string> = {}): void => {
      outgoing.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
    };
    const made = JSON.stringify({ said: mark });
    switch (fault) {
      case undefined:
      case "refused":
      case "self-signed":
        return forward(target, incoming, outgoing);
      case "wrong":
      case "expired":
      case "insufficient": {
        const { status, body } = refuse(fault);
        return say(status, body);
      }
      case "limited":
        return say(429, made, { "retry-after": String(RETRY_AFTER_S) });
      case "outage":
        return say(503, made);
      case "silent":
        return;
      case "page":
        return say(200, `<!doctype html><title>${mark}</title>`, { "content-type": "text/html" });
      case "huge":
        return say(200, JSON.stringify({ said: mark, more: "x".repeat(2 * 1024 * 1024) }));
      case "redirect":
        return say(must(REDIRECTS[redirects++ % REDIRECTS.length]), made, {
          location: `http://127.0.0.1:${(other.address() as AddressInfo).port}/`,
        });
    }
  }

  const port = await listen(0);
  return {
    origin: `${plain ? "http" : "https"}://localhost:${port}`,
    ca: certificate.cert,
    mark,
    break: async (now) => {
      fault = now;
      // Connections that are open already know nothing of a new certificate.
      if (now === "refused" || now === "self-signed") await stop();
      if (now !== "self-signed") return;
      secure?.setSecureContext(selfSigned());
      await listen(port);
    },
    mend: async () => {
      if (fault === "refused" || fault === "self-signed") {
        await stop();
        secure?.setSecureContext(certificate);
        await listen(port);
      }
      fault = undefined;
    },
    calls: () => ({ list: counts.list, value: counts.value, all: counts.list + counts.value + counts.other }),
    busy: () => busy,
    called: () => new Promise((resolve) => seekers.push(resolve)),
    elsewhere: () => elsewhere,
    sawElsewhere: () => saw.join("\n"),
    close: async () => {
      await stop();
      other.close();
      other.closeAllConnections();
    },
  };
}

function forward(target: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, url, headers } = incoming;
  // The host stays the one that was asked for: a server may tell its own address from it.
  const onward = request(new URL(url ?? "/", target), { method, headers, agent: false });
  onward.on("response", (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on("error", () => outgoing.destroy());
  incoming.pipe(onward);
}
