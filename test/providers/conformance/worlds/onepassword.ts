import { onepassword } from "../../../../src/providers/onepassword/index.ts";
import { openOnePassword } from "../../../../src/providers/onepassword/provider.ts";
import { fakeOnePassword, TOKEN, type FakeOnePassword } from "../../../support/fake-onepassword.ts";
import { serviceAccountToken } from "../../../support/fake-onepassword-token.ts";
import { type Front, startFront } from "../front.ts";
import { type Backend, type Content, type Fault, line, type ProviderWorld, type Stock } from "../world.ts";

const PRIMARY = "password";
const OTHER = "username";
const WORK = "Work";
/** The part of a token that nothing else looks like. */
const KEY = "M8VPfYJ9SyUKo2oSXSTtVzFR2FWhjpqgJ1DeWsY3uUU";

/**
 * The real package on an account in memory. Where it goes wrong on the way, the package signs in for real, at a server
 * on this machine.
 */
export const onepasswordWorld: Omit<ProviderWorld, "start"> & { readonly start: typeof start } = {
  definition: onepassword,
  tokenOption: "serviceAccountToken",
  fields: { primary: PRIMARY, other: OTHER },
  loads: [],
  source: { is: "definition", file: "src/providers/onepassword/index.ts", name: "onepassword" },
  opener: { is: "opener", file: "test/providers/conformance/worlds/onepassword-alone.ts", name: "open" },
  namesKeptMs: 60_000,
  exempt: {
    "fetches no value to find what a name means":
      "1Password has no call that tells an item's fields without their values; they are dropped at once",
    "says when to come back after too many calls":
      "the SDK passes no Retry-After on, so the hint says when agent-vault itself will try again",
    "ends its request at the vault when the call is cancelled":
      "the SDK has no way to end a call; its answer is dropped when it comes",
    "takes no answer of two megabytes":
      "the SDK fetches by itself and takes answers of any length; what it makes of them is checked like any other",
    "follows nobody to another host":
      "the SDK fetches by itself and follows; its sign-in proves the token without ever sending it (SRP)",
  },
  start,
};

/** Calls whose answers hold values, whether anybody wants them or not. */
const VALUES = ["ItemsGet", "ItemsGetAll", "SecretsResolveAll"];
const LISTS = ["VaultsList", "ItemsList"];
/** What happens to a real request on a real way to a server. */
const ON_THE_WAY = ["refused", "outage", "page", "huge", "redirect", "self-signed"] as const;

function isOnTheWay(fault: Fault): fault is (typeof ON_THE_WAY)[number] {
  return ON_THE_WAY.some((each) => each === fault);
}

/** Where 1Password would be signed in to; it never succeeds there. */
function startSignIn(how: { readonly plain?: true } = {}): Promise<Front> {
  return startFront({
    ...how,
    target: "http://127.0.0.1:9",
    purposeOf: () => "other",
    refuse: () => ({ status: 401, body: "{}" }),
  });
}

/** A backend, and what the host has seen that it redirects to. */
export interface OnePasswordBackend extends Backend {
  readonly sawElsewhere: () => string;
}

async function start(stock: Stock): Promise<OnePasswordBackend> {
  const fake = fakeOnePassword({ vaults: [{ title: WORK, id: "conformancevaultaaaaaaaaaa" }] });
  for (const [name, content] of stock) add(fake, name, content);
  const [front, secure] = [await startSignIn({ plain: true }), await startSignIn()];
  const [usual, suspect] = [serviceAccountToken(front.origin), serviceAccountToken(secure.origin)];
  const called: ((call: { readonly over: Promise<void> }) => void)[] = [];
  let real: string | undefined;
  fake.before = () => {
    for (const tell of called.splice(0)) tell({ over: new Promise(() => {}) });
  };

  const loadSdk: FakeOnePassword["loadSdk"] = async () => {
    const sdk = await fake.loadSdk();
    const { createClient } = await import("@1password/sdk");
    type Config = Parameters<typeof createClient>[0];
    return {
      ...sdk,
      createClient: (config: Config) =>
        real === undefined ? sdk.createClient(config) : createClient({ ...config, auth: real }),
    };
  };
  const count = (names: readonly string[]): number => names.reduce((sum, name) => sum + (fake.calls.get(name) ?? 0), 0);
  const options = { ...fake.options, write: { vaultId: "conformancevaultaaaaaaaaaa", category: "login" } };
  return {
    options,
    tokens: [TOKEN.slice("ops_".length), front.mark, KEY],
    open: (context) => openOnePassword(onepassword.options.parse(options), context, loadSdk),
    put: (name, content) => {
      const item = fake.state.vaults[0]?.items.find(({ title }) => title === name);
      if (!item) return add(fake, name, content);
      const values = typeof content === "string" ? { [PRIMARY]: content } : content;
      for (const field of item.fields) field.value = values[field.title] ?? field.value;
      fake.touch(name);
    },
    add: (name, content) => add(fake, name, content),
    rename: (from, to) => fake.rename(from, to),
    remove: (name) => fake.remove(name),
    everything: () =>
      fake.state.vaults
        .flatMap(({ items }) => items)
        .flatMap(({ title, fields }) => fields.map((field) => line(title, field.title, field.value))),
    break: async (fault) => {
      if (!isOnTheWay(fault)) return fake.fail(fault);
      // Whoever is signed in has to sign in again, and the real package does it.
      fake.fail("session");
      if (fault !== "self-signed") await front.break(fault);
      real = fault === "self-signed" ? suspect : usual;
    },
    mend: async () => {
      real = undefined;
      fake.mend();
      await front.mend();
    },
    calls: () => ({ list: count(LISTS), value: count(VALUES), all: fake.total() }),
    busy: front.busy,
    called: () => new Promise((resolve) => called.push(resolve)),
    elsewhere: front.elsewhere,
    sawElsewhere: front.sawElsewhere,
    close: async () => {
      await front.close();
      await secure.close();
    },
  };
}

function add(fake: FakeOnePassword, title: string, content: Content): void {
  const values = typeof content === "string" ? { [PRIMARY]: content } : content;
  const fields = Object.entries(values).map(([name, value]) => ({
    id: name,
    title: name,
    value,
    type: name === PRIMARY ? ("Concealed" as const) : ("Text" as const),
  }));
  fake.add(WORK, { title, fields });
}
