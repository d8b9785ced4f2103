import type { Asking } from "./cli/asking.ts";
import type { LoadResult } from "./config/config.ts";
import { pause } from "./core/clock.ts";
import { VaultError } from "./core/errors.ts";
import { idSource } from "./core/ids.ts";
import type { Waiter } from "./core/ports.ts";
import { type Fault, openHouse, type Say } from "./house.ts";
import { observe } from "./mcp/facts.ts";
import { systemClock } from "./wall-clock.ts";

/** How long the page stays for the person to see how it ended, ms: one load of it over a slow line. */
const LAST_LOOK_MS = 1_500;
/** What keeps the process alive while it waits; how often it does is of no matter. */
const BEAT_MS = 60_000;
const CLIENT = "agent-vault get";

/** Opens a house for one question. Rejects with what is wrong with the configuration. */
export async function openAsking(
  configuration: Promise<LoadResult>,
  { folder, say, onFault }: { readonly folder: string; readonly say: Say; readonly onFault: Fault },
): Promise<Asking> {
  let isLookedAt = false;
  const looked = (): void => {
    isLookedAt = true;
  };
  const { broker, close } = await openHouse(configuration, say, onFault, { looked });
  const session = idSource()();
  const beat = setInterval(() => {}, BEAT_MS);
  return {
    ask: async ({ vault, name, field, reason }, { waiting, signal }) => {
      const requester = { claims: { client: CLIENT }, facts: await observe(folder) };
      const fields = field === undefined ? {} : { fields: [field] };
      const ask = { session, requester, vault, names: [name], ...fields, reason, onceOnly: true } as const;
      const waiter: Waiter = { signal, holdMs: undefined, isStop: () => true, waiting, answered: () => {} };
      for (;;) {
        const reply = await broker.read(ask, waiter);
        // The vault's own people may take longer than one call is kept waiting: the same call joins what is under way.
        if (reply.is === "pending") continue;
        const [first] = reply.results;
        if (!first || first.result instanceof VaultError)
          throw first?.result ?? new RangeError("an answer without one");
        return first.result;
      }
    },
    close: async (why, atOnce) => {
      if (isLookedAt) await pause(systemClock, LAST_LOOK_MS, atOnce);
      clearInterval(beat);
      await close(why);
    },
  };
}
