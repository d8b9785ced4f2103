import type { Asking } from "./cli/asking.ts";
import type { LoadResult } from "./config/config.ts";
import type { Card } from "./core/card.ts";
import { pause } from "./core/clock.ts";
import { VaultError } from "./core/errors.ts";
import { idSource } from "./core/ids.ts";
import type { Waiter } from "./core/ports.ts";
import { type Fault, openHouse, type Say } from "./house.ts";
import { observe } from "./mcp/facts.ts";
import { systemClock } from "./wall-clock.ts";

/** How long the page stays for the person to see how it ended, ms. */
const LAST_LOOK_MS = 2_000;
/** What keeps the process alive while it waits; how often it does is of no matter. */
const BEAT_MS = 60_000;
const CLIENT = "agent-vault get";

/** Opens a house for one question. Rejects with what is wrong with the configuration. */
export async function openAsking(
  configuration: Promise<LoadResult>,
  { folder, say, onFault }: { readonly folder: string; readonly say: Say; readonly onFault: Fault },
): Promise<Asking> {
  const seen = new AbortController();
  let wasShown = false;
  let wasStopped = false;
  const looked = ({ standing }: Card): void => {
    wasShown = true;
    if (standing.is !== "waiting") seen.abort();
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
        const reply = await broker.read(ask, waiter).finally(() => (wasStopped = signal.aborted));
        // The vault's own people may take longer than one call is kept waiting: the same call joins what is under way.
        if (reply.is === "pending") continue;
        const [first] = reply.results;
        if (!first || first.result instanceof VaultError)
          throw first?.result ?? new RangeError("an answer without one");
        return first.result;
      }
    },
    close: async (why) => {
      if (wasShown && !wasStopped) await pause(systemClock, LAST_LOOK_MS, seen.signal);
      clearInterval(beat);
      await close(why);
    },
  };
}
