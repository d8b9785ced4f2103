import { randomBytes } from "node:crypto";
import type { ProviderDefinition } from "../../../../src/providers/define.ts";
import { startFront } from "../front.ts";
import type { Backend, ProviderWorld, Source, Stock } from "../world.ts";
import { paper } from "./provider.ts";
import { OTHER, PRIMARY, startPaperServer } from "./server.ts";

/** A world where every sentence means something, for this provider or for one that is not as good. */
export function paperWorld(definition: ProviderDefinition = paper, source: Source = HERE): ProviderWorld {
  return {
    definition,
    tokenOption: "token",
    fields: { primary: PRIMARY, other: OTHER },
    loads: [],
    source,
    namesKeptMs: 60_000,
    exempt: {},
    start,
  };
}

const HERE: Source = { is: "definition", file: "test/providers/conformance/paper/provider.ts", name: "paper" };

async function start(stock: Stock): Promise<Backend> {
  const token = `paper-${randomBytes(12).toString("hex")}`;
  const server = await startPaperServer(stock, token);
  const front = await startFront({
    target: server.origin,
    purposeOf: (method, path) =>
      method === "GET" ? (path === "/papers" ? "list" : path.startsWith("/papers/") ? "value" : "other") : "other",
    refuse: (fault) =>
      fault === "insufficient"
        ? { status: 403, body: JSON.stringify({ said: front.mark }) }
        : {
            status: 401,
            body: JSON.stringify({ error: fault === "expired" ? "expired" : "unknown", said: front.mark }),
          },
  });
  return {
    ...server,
    ...front,
    options: { server: front.origin, token, ca: front.ca },
    tokens: [token.slice("paper-".length), front.mark],
    close: async () => {
      await front.close();
      server.close();
    },
  };
}
