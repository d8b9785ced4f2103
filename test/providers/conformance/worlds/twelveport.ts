import { twelveport } from "../../../../src/providers/twelveport/index.ts";
import { type FakeAsset, type FakeTwelvePort, startFakeTwelvePort } from "../../../support/fake-twelveport.ts";
import { startFront } from "../front.ts";
import { type Backend, type Content, line, type ProviderWorld, type Stock } from "../world.ts";

const PRIMARY = "password";
const OTHER = "user";

/** A server that answers as the vendor's guide says, behind TLS with an authority of its own. */
export const twelveportWorld: ProviderWorld = {
  definition: twelveport,
  tokenOption: "token",
  fields: { primary: PRIMARY, other: OTHER },
  loads: [],
  source: { is: "definition", file: "src/providers/twelveport/index.ts", name: "twelveport" },
  namesKeptMs: 60_000,
  exempt: {
    "finds twenty names among those it knows":
      "12Port is searched for each name: what was found a moment ago may be another asset's name by now",
    "answers an unknown name with the close ones there are":
      "12Port's own search says what is near a name; to suggest more, all names would have to be read, on up to forty pages",
  },
  start,
};

async function start(stock: Stock): Promise<Backend> {
  const fake = await startFakeTwelvePort();
  for (const [name, content] of stock) add(fake, name, content);
  const front = await startFront({
    target: fake.origin,
    purposeOf: () => "other",
    refuse: () => ({ status: 401, body: "{}" }),
  });
  const named = (name: string): FakeAsset | undefined => fake.assets.find((asset) => asset.name === name);
  return {
    ...front,
    options: { ...fake.options, server: front.origin, ca: front.ca },
    tokens: [fake.token.slice("tok-".length), front.mark],
    put: (name, content) => {
      const asset = named(name);
      if (asset) Object.assign(asset, held(content));
      else add(fake, name, content);
    },
    add: (name, content) => add(fake, name, content),
    rename: (from, to) => {
      const asset = named(from);
      if (asset) asset.name = to;
    },
    remove: (name) => fake.remove(name),
    everything: () =>
      fake.assets.flatMap(({ name, user, password }) => [
        line(name, PRIMARY, password ?? ""),
        line(name, OTHER, user ?? ""),
      ]),
    break: (fault) => {
      if (fault === "wrong" || fault === "expired" || fault === "insufficient") fake.break(fault);
      else return front.break(fault);
    },
    mend: () => {
      fake.mend();
      return front.mend();
    },
    calls: () => ({ list: fake.calls.search, value: fake.calls.credentials, all: front.calls().all }),
    close: async () => {
      await front.close();
      await fake.close();
    },
  };
}

function add(fake: FakeTwelvePort, name: string, content: Content): void {
  fake.add({ name, configuration: "host=db.example", ...held(content) });
}

function held(content: Content): { readonly password?: string; readonly user?: string } {
  return typeof content === "string" ? { password: content } : content;
}
