import type { Dispatcher } from "undici";
import { type Clock, pause } from "../core/clock.ts";
import { VaultError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";
import { glimpse } from "../core/text.ts";
import { HttpFault, networkError, type Place, unusable } from "./http-faults.ts";

export interface HttpOptions extends Place {
  /** Scheme, host and port; nothing is ever sent anywhere else. `https`, or `http` on this computer. */
  readonly origin: string;
  /** Sent as a bearer token with every request. */
  readonly token?: Secret;
  /** PEM of the only authority to be trusted, instead of the public ones. */
  readonly ca?: string;
  readonly userAgent: string;
  readonly clock: Clock;
  /** For one try, from its beginning to the last byte of its answer. */
  readonly timeoutMs?: number;
}

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Absolute and already encoded; without a query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** Undefined where there was no body, or, with a status of 4xx, none that is JSON. */
  readonly json: unknown;
  readonly header: (name: string) => string | undefined;
}

/** A client for the JSON of one host. */
export interface Http {
  /**
   * The answer, whatever its status, except what means the same everywhere: redirects, too many calls, a gateway with
   * nobody behind it, and what is too large, nested too deep or not JSON. A GET is tried up to three times. Rejects with
   * `provider_unavailable`, `rate_limited` or `cancelled`, whose cause is an `HttpFault`: nothing of what was sent or
   * received is in it.
   */
  readonly request: (request: HttpRequest) => Promise<HttpAnswer>;
  /** Drops the connections; what is under way fails. */
  readonly close: () => Promise<void>;
}

const TIMEOUT_MS = 15_000;
const MOST_BYTES = 1024 * 1024;
/** Far more than any answer needs, and far less than what breaks those who look through it. */
const DEEPEST = 100;
const MOST_TRIES = 3;
const FIRST_PAUSE_MS = 250;
/** A server that wants to be left alone for longer is not waited for. */
const LONGEST_PAUSE_MS = 5_000;
const CONNECTIONS = 8;
/** Too many calls, or nobody there behind a gateway. */
const BUSY = [429, 502, 503, 504];

/** Makes a client; connects to nothing and loads nothing before the first request. */
export function createHttp(options: HttpOptions): Http {
  const { origin, clock, timeoutMs = TIMEOUT_MS } = options;
  if (!isServerAddress(origin)) throw new RangeError("a client needs an https origin");
  let loading: Promise<{ agent: Dispatcher; request: typeof import("undici").request }> | undefined;
  const load = async () => {
    // Bundled CommonJS has a default export only.
    const { Agent, request } = (await import("undici")).default;
    const agent = new Agent({
      connections: CONNECTIONS,
      // Our own time-out covers all of it.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        timeout: timeoutMs,
        // Said outright, because a variable of the environment could say otherwise for everybody.
        rejectUnauthorized: true,
        ...(options.ca !== undefined && { ca: options.ca }),
      },
    });
    return { agent, request };
  };

  const once = async (request: HttpRequest): Promise<HttpAnswer> => {
    const { agent, request: send } = await (loading ??= load());
    const ending = new AbortController();
    let late = false;
    const stop = (): void => ending.abort();
    request.signal.addEventListener("abort", stop, { once: true });
    const cancel = clock.after(timeoutMs, () => {
      late = true;
      stop();
    });
    try {
      if (request.signal.aborted) throw cancelled(options);
      const response = await send(urlOf(origin, request), {
        dispatcher: agent,
        method: request.method,
        headers: headersOf(options, request),
        body: request.body === undefined ? null : JSON.stringify(request.body),
        signal: ending.signal,
      });
      const answer = await answerOf(response, options);
      refuseBusy(answer, options);
      return answer;
    } catch (error) {
      if (request.signal.aborted) throw cancelled(options);
      if (late) throw timedOut(options, timeoutMs);
      throw error instanceof VaultError ? error : networkError(error, options);
    } finally {
      cancel();
      request.signal.removeEventListener("abort", stop);
    }
  };

  return {
    request: async (request) => {
      for (let tries = 1; ; tries++) {
        try {
          return await once(request);
        } catch (error) {
          const pauseMs = pauseAfter(error, request, tries);
          if (pauseMs === undefined) throw error;
          await pause(clock, pauseMs, request.signal);
          if (request.signal.aborted) throw cancelled(options);
        }
      }
    },
    close: async () => {
      const loaded = await loading?.catch(() => undefined);
      await loaded?.agent.destroy();
    },
  };
}

/** Whether a text is the address of a server that a token may be sent to: an https origin, or http on this computer. */
export function isServerAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, pathname, search, hash } = new URL(text);
  if (username || password || search || hash || pathname !== "/" || /[?#]/.test(text)) return false;
  const isHere = hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
  return protocol === "https:" || (protocol === "http:" && isHere);
}

function urlOf(origin: string, { path, query = {} }: HttpRequest): URL {
  const url = new URL(origin);
  // Set, not resolved: whatever the path looks like, the host stays.
  url.pathname = path;
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
  return url;
}

function headersOf({ token, userAgent }: HttpOptions, { body, headers = {} }: HttpRequest): Record<string, string> {
  return {
    accept: "application/json",
    "user-agent": userAgent,
    ...(body !== undefined && { "content-type": "application/json" }),
    ...headers,
    ...(token && { authorization: `Bearer ${token.reveal()}` }),
  };
}

async function answerOf(response: Dispatcher.ResponseData, options: HttpOptions): Promise<HttpAnswer> {
  const { statusCode: status, headers, body } = response;
  const header = (name: string): string | undefined => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  if (status >= 300 && status < 400 && status !== 304) {
    body.on("error", () => {}).destroy();
    throw redirected(status, header("location"), options);
  }
  const text = await textOf(body, options);
  if (text.trim() === "") return { status, json: undefined, header };
  const json = parsed(text);
  // What refuses us says so by its status, in whatever form; a gateway's page of errors says nothing else.
  const isRefusal = status >= 400 && status < 500;
  if (json === undefined && !isRefusal) {
    const isPage = /html/i.test(header("content-type") ?? "") || /^\s*</.test(text);
    const what = isPage ? "a web page instead of JSON" : "something that is not JSON";
    throw unusable(options, `answered with ${what} (status ${status})`, {
      hint: "tell the user to check the address in the configuration, and whether a proxy or a login page stands in front of it",
      fault: new HttpFault("answer", { status }),
    });
  }
  return { status, json, header };
}

async function textOf(body: Dispatcher.ResponseData["body"], options: HttpOptions): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MOST_BYTES) {
      throw unusable(options, "answered with more than 1 MiB", {
        hint: "tell the user to check the address in the configuration",
        fault: new HttpFault("answer"),
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(text: string): unknown {
  try {
    const json: unknown = JSON.parse(text);
    return isTooDeep(json) ? undefined : json;
  } catch {
    // The parser's own error quotes what it read.
    return undefined;
  }
}

function isTooDeep(json: unknown): boolean {
  let layer = [json];
  for (let depth = 0; depth <= DEEPEST && layer.length > 0; depth++) {
    layer = layer.flatMap((each) => (typeof each === "object" && each !== null ? Object.values(each) : []));
  }
  return layer.length > 0;
}

/** Throws what a server says when it has too much to do, and a gateway when nobody is there behind it. */
function refuseBusy({ status, header }: HttpAnswer, options: HttpOptions): void {
  if (!BUSY.includes(status)) return;
  const retryAfterMs = retryAfter(header("retry-after"), options.clock.now());
  const hint = retryAfterMs === undefined ? "try again later" : `try again in ${Math.ceil(retryAfterMs / 1000)} s`;
  const fault = new HttpFault("busy", { status, ...(retryAfterMs !== undefined && { retryAfterMs }) });
  if (status !== 429) throw unusable(options, `is out of order (status ${status})`, { hint, fault });
  throw new VaultError(
    "rate_limited",
    `${options.who} at ${new URL(options.origin).host} takes no more calls for now`,
    {
      hint,
      cause: fault,
    },
  );
}

/** How long the server wants to be left alone: seconds or a date, as HTTP has it. */
function retryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** How long to wait before the next try; undefined when this was the last. */
function pauseAfter(error: unknown, { method }: HttpRequest, tries: number): number | undefined {
  const fault = error instanceof VaultError ? error.cause : undefined;
  if (method !== "GET" || tries >= MOST_TRIES || !(fault instanceof HttpFault)) return undefined;
  const mayPass = fault.kind === "broken" || BUSY.includes(fault.status ?? 0);
  if (!mayPass || (fault.retryAfterMs ?? 0) > LONGEST_PAUSE_MS) return undefined;
  // Not all who were turned away at the same moment come back at the same moment.
  const jittered = FIRST_PAUSE_MS * 2 ** (tries - 1) * (0.5 + Math.random());
  return Math.max(fault.retryAfterMs ?? 0, jittered);
}

function redirected(status: number, location: string | undefined, options: HttpOptions): VaultError {
  const to =
    location !== undefined && URL.canParse(location, options.origin) ? new URL(location, options.origin) : null;
  const elsewhere =
    to === null ? "" : to.origin === options.origin ? " within the same host" : ` to ${glimpse(to.host, 80)}`;
  return unusable(options, `sends us on${elsewhere}, which is not followed`, {
    hint: elsewhereHint(to && to.origin !== options.origin ? to : undefined, options),
    fault: new HttpFault("redirect", { status }),
  });
}

/** What to do when a server names another address: it is taken from the configuration alone. */
export function elsewhereHint(to: URL | undefined, { options }: Pick<Place, "options">): string {
  const right = to === undefined ? "tell the user to correct" : `if ${glimpse(to.host, 80)} is right, write it into`;
  return `${right} "${options.address}"; the token is sent nowhere else`;
}

function timedOut(options: HttpOptions, timeoutMs: number): VaultError {
  return unusable(options, `did not answer within ${Math.ceil(timeoutMs / 1000)} s`, {
    hint: "tell the user to check the network and whether the server is well",
    fault: new HttpFault("late"),
  });
}

function cancelled(options: HttpOptions): VaultError {
  return new VaultError("cancelled", `the call to ${options.who} was cancelled`, { cause: new HttpFault("cancelled") });
}
