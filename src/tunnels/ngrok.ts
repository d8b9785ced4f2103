import * as z from "zod";
import type { Clock } from "../core/clock.ts";
import { VaultError } from "../core/errors.ts";
import type { OpenTunnel, Tunnel } from "../core/ports.ts";
import { Secret } from "../core/secret.ts";
import { defineTunnel } from "./define.ts";
import { explain, noTunnel } from "./ngrok-errors.ts";
import type { NgrokListener, NgrokSdk } from "./ngrok-sdk.ts";
import { type OwnSession, startSession } from "./ngrok-session.ts";

const CONNECT_MS = 10_000;
const CLOSE_MS = 1_000;
const DOMAIN = /^(?:env:\w+|(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9])$/i;

/** The page under an address of ngrok.com, so that a phone anywhere can open it. */
export const ngrok = defineTunnel({
  type: "ngrok",
  title: "ngrok",
  summary: "An address at ngrok.com leads to the approval page while somebody is being asked",
  options: z.strictObject({
    authToken: z
      .string()
      .trim()
      .regex(/^[\x21-\x7e]+$/, "an authtoken has no spaces or line breaks in it")
      .optional()
      .describe(
        'Authtoken of your ngrok account, best as "env:NGROK_AUTHTOKEN"; ngrokAuthToken is used where it is absent',
      ),
    domain: z
      .string()
      .regex(DOMAIN, "a domain is a host name such as example.ngrok-free.app, without https:// and without a path")
      .optional()
      .describe("Domain of your ngrok account to use each time; without it ngrok chooses the address"),
  }),
  open: (options, { clock }) => ngrokTunnel({ ...options, clock, load: loadSdk }),
});

interface NgrokOptions {
  readonly authToken?: string | undefined;
  readonly domain?: string | undefined;
  readonly clock: Clock;
  /** Brings the SDK; called at the first `open`, because it loads native code. */
  readonly load: () => Promise<NgrokSdk>;
}

/** A tunnel through ngrok. What is opened too late, refused or lost is closed again; ngrok's session is kept for the next. */
export function ngrokTunnel({ authToken, domain, clock, load }: NgrokOptions): Tunnel {
  const token = authToken === undefined ? undefined : new Secret(authToken);
  let kept: Promise<OwnSession> | undefined;

  async function connect(token: Secret): Promise<OwnSession> {
    const sdk = await load().catch(() => {
      throw noTunnel("no_sdk");
    });
    const builder = new sdk.SessionBuilder();
    builder.authtoken(token.reveal());
    return startSession(builder, clock);
  }

  /** The session there is, also one that is still connecting, unless it has failed or ended. */
  async function session(token: Secret): Promise<OwnSession> {
    const mine = (kept ??= connect(token));
    try {
      const found = await mine;
      if (found.over() === undefined) return found;
      void quietly(found.close());
    } catch (error) {
      if (kept === mine) kept = undefined;
      throw error;
    }
    if (kept === mine) kept = undefined;
    return session(token);
  }

  return {
    name: "ngrok",
    async open(port, lost, signal) {
      if (token === undefined) throw noTunnel("no_token");
      if (signal.aborted) throw noTunnel("called_off");
      const limit = createLimit(clock, signal);
      try {
        const mine = await limit.within(session(token));
        const listening = mine.listen(port, domain);
        const listener = await limit.within(listening, (late) => void quietly(late.close()));
        return await keep(mine, listener, lost, clock);
      } catch (error) {
        throw error instanceof VaultError ? error : explain(error, domain);
      } finally {
        limit.lift();
      }
    },
  };
}

async function keep(
  session: OwnSession,
  listener: NgrokListener,
  lost: (why: VaultError) => void,
  clock: Clock,
): Promise<OpenTunnel> {
  const shut = async (): Promise<void> => {
    // In this order: a session closed first can no longer tell ngrok, and the SDK goes on forwarding.
    await quietly(listener.close());
    if (session.over() !== undefined) await quietly(session.close());
  };
  let open = true;
  const ended = (why: VaultError): void => {
    if (!open) return;
    open = false;
    void shut();
    lost(why);
  };
  const origin = originOf(listener.url());
  const over = session.over() ?? (origin === undefined ? noTunnel("odd_address") : undefined);
  if (origin === undefined || over !== undefined) {
    await withinAMoment(shut(), clock);
    throw over ?? noTunnel("odd_address");
  }
  session.tell(ended);
  listener.join().then(
    () => ended(noTunnel("lost")),
    () => ended(noTunnel("lost")),
  );
  return {
    origin,
    async close() {
      open = false;
      const closing = quietly(listener.close()).then(() => quietly(session.close()));
      await withinAMoment(closing, clock);
    },
  };
}

/** Our deadline and the caller's abort around what the SDK does, since it has no deadline and cannot be called off. */
interface Limit {
  /** The result, or `tunnel_unavailable` when the time is over first; then `late` gets what still comes. */
  readonly within: <T>(work: Promise<T>, late?: (result: T) => void) => Promise<T>;
  readonly lift: () => void;
}

function createLimit(clock: Clock, signal: AbortSignal): Limit {
  let why: VaultError | undefined;
  let stop: (why: VaultError) => void = ignore;
  const over = (reason: "too_late" | "called_off"): void => {
    why ??= noTunnel(reason);
    stop(why);
  };
  const cancel = clock.after(CONNECT_MS, () => over("too_late"));
  const abort = (): void => over("called_off");
  signal.addEventListener("abort", abort, { once: true });
  return {
    within: (work, late = ignore) =>
      new Promise((resolve, reject) => {
        stop = reject;
        if (why !== undefined) reject(why);
        work.then((result) => (why === undefined ? resolve(result) : late(result)), reject);
      }),
    lift() {
      cancel();
      signal.removeEventListener("abort", abort);
    },
  };
}

async function withinAMoment(closing: Promise<void>, clock: Clock): Promise<void> {
  let cancel = ignore;
  const enough = new Promise<void>((resolve) => {
    cancel = clock.after(CLOSE_MS, resolve);
  });
  await Promise.race([closing, enough]);
  cancel();
}

function originOf(url: string | null): string | undefined {
  const parsed = url !== null && URL.canParse(url) ? new URL(url) : undefined;
  return parsed?.protocol === "https:" ? parsed.origin : undefined;
}

async function quietly(closing: Promise<void>): Promise<void> {
  await closing.catch(ignore);
}

function ignore(): void {
  // Closing what is already gone is no trouble to anybody.
}

async function loadSdk(): Promise<NgrokSdk> {
  const { default: sdk } = await import("@ngrok/ngrok");
  return sdk;
}
