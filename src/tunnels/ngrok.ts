import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import { VaultError } from "../core/errors.ts";
import type { OpenTunnel, Tunnel } from "../core/ports.ts";
import { Secret } from "../core/secret.ts";
import { defineTunnel } from "./define.ts";
import { explain, noTunnel } from "./ngrok-errors.ts";
import { createLine } from "./ngrok-line.ts";
import type { NgrokSdk, NgrokSession } from "./ngrok-sdk.ts";

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

/** A tunnel through one ngrok session of its own. A session that is late, lost or unwanted is closed. */
export function ngrokTunnel({ authToken, domain, clock, load }: NgrokOptions): Tunnel {
  const token = authToken === undefined ? undefined : new Secret(authToken);
  return {
    name: "ngrok",
    async open(port, lost, signal) {
      if (token === undefined) throw noTunnel("no_token");
      if (signal.aborted) throw noTunnel("called_off");
      const sdk = await load().catch(() => {
        throw noTunnel("no_sdk");
      });
      const end = createEnd();
      const giveUp = new AbortController();
      const connecting = connect(sdk, { token, domain, port, clock, end }, giveUp.signal);
      try {
        return keep(await within(connecting, clock, signal), end, lost, clock);
      } catch (error) {
        giveUp.abort();
        connecting.then(({ session }) => quietly(session.close()), ignore);
        throw error instanceof VaultError ? error : explain(error, domain);
      }
    },
  };
}

interface Live {
  readonly session: NgrokSession;
  readonly origin: string;
  readonly forget: () => void;
}

interface Wanted {
  readonly token: Secret;
  readonly domain: string | undefined;
  readonly port: number;
  readonly clock: Clock;
  readonly end: End;
}

/** Session, then listener. The session is closed when the rest fails, or as soon as nobody wants it any more. */
async function connect(sdk: NgrokSdk, { token, domain, port, clock, end }: Wanted, giveUp: AbortSignal): Promise<Live> {
  const lost = (): void => end.is(noTunnel("lost"));
  const line = createLine(clock, lost);
  const builder = new sdk.SessionBuilder();
  builder.authtoken(token.reveal());
  // Any other answer than true makes the SDK write to stdout, which is not ours to write to.
  builder.handleDisconnection(() => (line.broke(), true));
  // Without a latency it is not a heartbeat but the want of one.
  builder.handleHeartbeat((latencyMs) => (typeof latencyMs === "number" ? line.beats() : line.broke()));
  builder.handleStopCommand(() => end.is(noTunnel("stopped")));
  const session = await builder.connect();
  const close = (): void => void quietly(session.close());
  try {
    if (giveUp.aborted) throw noTunnel("called_off");
    giveUp.addEventListener("abort", close, { once: true });
    const endpoint = session.httpEndpoint();
    if (domain !== undefined) endpoint.domain(domain);
    const listener = await endpoint.listenAndForward(`http://127.0.0.1:${port}`);
    const origin = originOf(listener.url());
    listener.join().then(lost, lost);
    return { session, origin, forget: line.forget };
  } catch (error) {
    line.forget();
    close();
    throw error;
  }
}

/** The first of: the connection, our deadline, the caller's abort. The SDK has no deadline and cannot be called off. */
function within(connecting: Promise<Live>, clock: Clock, signal: AbortSignal): Promise<Live> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(CONNECT_MS, () => giveUp("too_late"));
    const abort = (): void => giveUp("called_off");
    const tidy = (): void => {
      cancel();
      signal.removeEventListener("abort", abort);
    };
    const giveUp = (why: "too_late" | "called_off"): void => {
      tidy();
      reject(noTunnel(why));
    };
    signal.addEventListener("abort", abort, { once: true });
    void connecting.then(resolve, reject).finally(tidy);
  });
}

function keep({ session, origin, forget }: Live, end: End, lost: (why: VaultError) => void, clock: Clock): OpenTunnel {
  let open = true;
  end.tell((why) => {
    if (!open) return;
    open = false;
    forget();
    void quietly(session.close());
    lost(why);
  });
  return {
    origin,
    async close() {
      open = false;
      forget();
      let cancel = ignore;
      const patience = new Promise<void>((resolve) => {
        cancel = clock.after(CLOSE_MS, resolve);
      });
      await Promise.race([quietly(session.close()), patience]);
      cancel();
    },
  };
}

/** Why a tunnel ended by itself: the first reason counts. */
interface End {
  readonly is: (why: VaultError) => void;
  /** Throws when the end has come already: then there is no tunnel to hand out. */
  readonly tell: (whom: (why: VaultError) => void) => void;
}

function createEnd(): End {
  let came: VaultError | undefined;
  let told: ((why: VaultError) => void) | undefined;
  return {
    is(why) {
      if (came !== undefined) return;
      came = why;
      told?.(why);
    },
    tell(whom) {
      if (came !== undefined) throw came;
      told = whom;
    },
  };
}

function originOf(url: string | null): string {
  const parsed = url !== null && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== "https:") throw noTunnel("odd_address");
  return parsed.origin;
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
