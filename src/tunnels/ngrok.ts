import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import { VaultError } from "../core/errors.ts";
import type { OpenTunnel, Tunnel } from "../core/ports.ts";
import { Secret } from "../core/secret.ts";
import { defineTunnel } from "./define.ts";
import { explain, noTunnel } from "./ngrok-errors.ts";
import type { NgrokSdk, NgrokSession } from "./ngrok-sdk.ts";

const CONNECT_MS = 10_000;
const CLOSE_MS = 1_000;
/** The SDK reconnects by itself; heartbeats come every ten seconds. */
const RECONNECT_MS = 20_000;

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
      const line = createLine(clock);
      const giveUp = new AbortController();
      const connecting = connect(sdk, { token, domain, port, line }, giveUp.signal);
      try {
        return keep(await within(connecting, clock, signal), line, lost, clock);
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
}

/** Session, then listener. The session is closed when the rest fails, or as soon as nobody wants it any more. */
async function connect(
  sdk: NgrokSdk,
  { token, domain, port, line }: { token: Secret; domain: string | undefined; port: number; line: Line },
  giveUp: AbortSignal,
): Promise<Live> {
  const builder = new sdk.SessionBuilder();
  builder.authtoken(token.reveal());
  // Any other answer than true makes the SDK write to stdout, which is not ours to write to.
  builder.handleDisconnection(() => (line.broke(), true));
  builder.handleHeartbeat(() => line.beats());
  builder.handleStopCommand(() => line.ends(noTunnel("stopped")));
  const session = await builder.connect();
  const close = (): void => void quietly(session.close());
  try {
    if (giveUp.aborted) throw noTunnel("called_off");
    giveUp.addEventListener("abort", close, { once: true });
    const endpoint = session.httpEndpoint();
    if (domain !== undefined) endpoint.domain(domain);
    const listener = await endpoint.listenAndForward(`http://127.0.0.1:${port}`);
    const origin = originOf(listener.url());
    listener.join().then(
      () => line.ends(noTunnel("lost")),
      () => line.ends(noTunnel("lost")),
    );
    return { session, origin };
  } catch (error) {
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

function keep({ session, origin }: Live, line: Line, lost: (why: VaultError) => void, clock: Clock): OpenTunnel {
  let open = true;
  line.onEnd((why) => {
    if (!open) return;
    open = false;
    void quietly(session.close());
    lost(why);
  });
  return {
    origin,
    async close() {
      open = false;
      line.beats();
      let cancel = ignore;
      const patience = new Promise<void>((resolve) => {
        cancel = clock.after(CLOSE_MS, resolve);
      });
      await Promise.race([quietly(session.close()), patience]);
      cancel();
    },
  };
}

/** What is known of a connection over time: it may break and come back, or end for good, once. */
interface Line {
  readonly broke: () => void;
  readonly beats: () => void;
  readonly ends: (why: VaultError) => void;
  /** Called with the end, even if it came before. */
  readonly onEnd: (told: (why: VaultError) => void) => void;
}

function createLine(clock: Clock): Line {
  let ends: (why: VaultError) => void = ignore;
  const end = new Promise<VaultError>((resolve) => {
    ends = resolve;
  });
  let cancel: (() => void) | undefined;
  return {
    broke() {
      cancel ??= clock.after(RECONNECT_MS, () => ends(noTunnel("lost")));
    },
    beats() {
      cancel?.();
      cancel = undefined;
    },
    ends: (why) => ends(why),
    onEnd: (told) => void end.then(told),
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
