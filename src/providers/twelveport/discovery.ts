import type { Clock } from "../../core/clock.ts";
import { VaultError } from "../../core/errors.ts";
import { refuseAborted, untilAborted } from "../abort.ts";
import type { Http } from "../http.ts";
import { WHO } from "./options.ts";
import type { Refuse } from "./refusals.ts";
import { readSpec, type Spec, specPath } from "./spec.ts";

const KEPT_MS = 10 * 60_000;

export interface Discovery {
  /** The server's interface, asked for when what is known is older than ten minutes. */
  readonly spec: (signal: AbortSignal) => Promise<Spec>;
  /** The same, asked for now. */
  readonly refresh: (signal: AbortSignal) => Promise<Spec>;
}

/** Reads a server's own document and keeps it for a while. Calls that come together share one look. */
export function createDiscovery(
  where: { readonly origin: string; readonly tenant: string; readonly clock: Clock },
  http: Http,
  refuse: Refuse,
): Discovery {
  const { origin, tenant, clock } = where;
  let known: { readonly spec: Spec; readonly etag: string | undefined; readonly endsAt: number } | undefined;
  let looking: Promise<Spec> | undefined;

  const look = async (signal: AbortSignal): Promise<Spec> => {
    const path = specPath(tenant);
    const answer = await http.request({
      method: "GET",
      path,
      ...(known?.etag !== undefined && { headers: { "if-none-match": known.etag } }),
      signal,
    });
    const endsAt = clock.mono() + KEPT_MS;
    if (answer.status === 304 && known) {
      known = { ...known, endsAt };
      return known.spec;
    }
    if (answer.status === 404) {
      throw new VaultError("config_invalid", `12Port has no MCP document for this tenant (${path})`, {
        hint: "tell the user to check server and tenant, and whether MCP support is enabled there",
      });
    }
    if (answer.status !== 200) throw refuse(answer, "document");
    const spec = readSpec(answer.json, origin, tenant);
    known = { spec, etag: answer.header("etag"), endsAt };
    return spec;
  };

  const refresh = (signal: AbortSignal): Promise<Spec> => {
    if (looking === undefined) {
      // Nobody's own signal: the one who looks first may be the first to go.
      looking = look(new AbortController().signal).finally(() => (looking = undefined));
      // Whoever waits for it hears of it.
      looking.catch(() => {});
    }
    return untilAborted(looking, signal, WHO);
  };

  return {
    spec: async (signal) => {
      refuseAborted(signal, WHO);
      return known && clock.mono() < known.endsAt ? known.spec : refresh(signal);
    },
    refresh,
  };
}
