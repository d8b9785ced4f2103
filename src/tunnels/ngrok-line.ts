import type { Clock } from "../core/clock.ts";

/** How long a broken connection may take to be whole again. The SDK reconnects by itself. */
const RECONNECT_MS = 30_000;

/**
 * One heartbeat comes with each reconnection and one every ten seconds after it. Only the second shows that the
 * connection holds: ngrok may still refuse the address, which ends the connection without another word.
 */
const HOLDING_BEATS = 2;

/** What is known of a connection over time: it may break and come back, or be gone for good. */
export interface Line {
  readonly broke: () => void;
  readonly beats: () => void;
  /** Nobody minds any more what becomes of it. */
  readonly forget: () => void;
}

/** Calls `gone` when the connection broke and does not hold again in time. */
export function createLine(clock: Clock, gone: () => void): Line {
  let cancel: (() => void) | undefined;
  let beats = 0;
  const calm = (): void => {
    cancel?.();
    cancel = undefined;
  };
  return {
    broke() {
      beats = 0;
      cancel ??= clock.after(RECONNECT_MS, gone);
    },
    beats() {
      beats += 1;
      if (beats >= HOLDING_BEATS) calm();
    },
    forget: calm,
  };
}
