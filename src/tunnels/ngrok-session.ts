import type { Clock } from "../core/clock.ts";
import type { VaultError } from "../core/errors.ts";
import { noTunnel } from "./ngrok-errors.ts";
import { createLine } from "./ngrok-line.ts";
import type { NgrokBuilder, NgrokListener } from "./ngrok-sdk.ts";

/**
 * A session with ngrok, kept for as long as it lives and used again by the next tunnel: the SDK hangs up only when the
 * process ends, whatever is closed before, and an account has room for few sessions.
 */
export interface OwnSession {
  /** Forwards what comes to the address ngrok gives, or to the domain, to `127.0.0.1:port`. */
  readonly listen: (port: number, domain: string | undefined) => Promise<NgrokListener>;
  /** Why it ended, once it has. */
  readonly over: () => VaultError | undefined;
  /** Whom to tell of the end when it comes; there is one at a time. */
  readonly tell: (whom: (why: VaultError) => void) => void;
  /** Keeps the SDK from reconnecting. It does not end what is being forwarded: close the listener first. */
  readonly close: () => Promise<void>;
}

/** Connects with the token the builder already has. Rejects with whatever the SDK throws; it has no deadline. */
export async function startSession(builder: NgrokBuilder, clock: Clock): Promise<OwnSession> {
  let over: VaultError | undefined;
  let told: ((why: VaultError) => void) | undefined;
  const end = (why: VaultError): void => {
    if (over !== undefined) return;
    over = why;
    line.forget();
    told?.(why);
  };
  const line = createLine(clock, () => end(noTunnel("lost")));
  // Any other answer than true makes the SDK write to stdout, which is not ours to write to.
  builder.handleDisconnection(() => (line.broke(), true));
  // Without a latency it is not a heartbeat but the want of one.
  builder.handleHeartbeat((latencyMs) => (typeof latencyMs === "number" ? line.beats() : line.broke()));
  builder.handleStopCommand(() => end(noTunnel("stopped")));
  const session = await builder.connect();
  return {
    async listen(port, domain) {
      const endpoint = session.httpEndpoint();
      if (domain !== undefined) endpoint.domain(domain);
      return endpoint.listenAndForward(`http://127.0.0.1:${port}`);
    },
    over: () => over,
    tell(whom) {
      told = whom;
    },
    async close() {
      over ??= noTunnel("lost");
      line.forget();
      await session.close();
    },
  };
}
