import { pause } from "../core/clock.ts";
import { asVaultError, type VaultError } from "../core/errors.ts";
import { joinDesk } from "./guest.ts";
import { hostDesk } from "./host.ts";
import { type Place, preparePlace, takeLock } from "./place.ts";
import type { Heritage, Seat, SeatOptions } from "./seat.ts";
import { silent } from "./wire.ts";

/** For how long the others are tried before a session goes its own way, ms: a host that hangs never lets go. */
const TRY_MS = 6_000;
/** So often they are tried at least: a process that stood still in between has not really tried. */
const LEAST_TRIES = 3;
/** Between two tries, ms: a host that has just got the lock needs a moment to listen. */
const REST_MS = { least: 4, more: 12 };

export interface TakeOptions extends SeatOptions {
  /** One line for people. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly newKey: () => string;
}

/** Hosts the desk if nobody does, else joins whoever does; where neither can be, the session has a page of its own. */
export async function takeSeat(heritage: Heritage | undefined, options: TakeOptions): Promise<Seat> {
  const { clock, signal, say, newKey } = options;
  const until = clock.mono() + TRY_MS;
  let why: VaultError = silent();
  try {
    const place = preparePlace(options.folder);
    for (let tries = 0; (tries < LEAST_TRIES || clock.mono() < until) && !signal.aborted; tries++) {
      const seat = (await host(place, heritage ?? { formKey: newKey() }, options)) ?? (await joinDesk(place, options));
      if (seat) return seat;
      await pause(clock, REST_MS.least + Math.random() * REST_MS.more, signal);
    }
  } catch (error) {
    why = asVaultError(error);
  }
  const { message, hint } = why;
  if (!signal.aborted)
    say(`the approval page of this session is its own: ${message}${hint === undefined ? "" : `; ${hint}`}`);
  return hostDesk(undefined, { formKey: newKey() }, options);
}

async function host(place: Place, heritage: Heritage, options: SeatOptions): Promise<Seat | undefined> {
  const lock = takeLock(place);
  if (!lock) return undefined;
  try {
    return await hostDesk({ place, lock }, heritage, options);
  } catch (error) {
    lock.leave();
    throw error;
  }
}
