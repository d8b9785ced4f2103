import { createRequire } from "node:module";
import type * as OnePassword from "@1password/sdk";
import type { Provider } from "../../src/core/ports.ts";
import type { ProviderContext } from "../../src/providers/define.ts";
import { type OnePasswordOptions, openOnePassword } from "../../src/providers/onepassword/provider.ts";
import { answer, newId, newItem, type FakeItem, type FakeState, type FakeVault } from "./fake-onepassword-core.ts";

type Sdk = typeof OnePassword;

export const TOKEN = "ops_canary-token-0815";

/** A field as a test writes it; concealed and without a section unless it says so. */
export interface FieldSeed {
  readonly title: string;
  readonly value: string;
  readonly id?: string;
  readonly type?: `${OnePassword.ItemFieldType}`;
  readonly section?: string;
}

/** An item as a test writes it: a login with this password, or more. */
export interface ItemSeed {
  readonly title: string;
  readonly category?: `${OnePassword.ItemCategory}`;
  readonly password?: string;
  readonly fields?: readonly FieldSeed[];
  readonly notes?: string;
  readonly files?: readonly string[];
  readonly archived?: boolean;
}

export interface VaultSeed {
  readonly title: string;
  readonly id?: string;
  readonly items?: readonly ItemSeed[] | Readonly<Record<string, string>>;
  /** The service account may not write here. */
  readonly readOnly?: boolean;
}

/** What can be wrong with the service, from then on and for everybody. */
export type FakeFault =
  /** The token is not known. */
  | "wrong"
  /** The session has run out, and cannot be renewed. */
  | "expired"
  /** The session has run out once; signing in again helps. */
  | "session"
  /** It is known, and not permitted to do anything. */
  | "insufficient"
  | "limited"
  | "outage"
  /** Nobody listens. */
  | "refused"
  /** Calls are taken and never answered. */
  | "silent"
  /** Something in between answers with a web page. */
  | "page";

/** A 1Password account with a service account, in memory, behind the real SDK's client. */
export interface FakeOnePassword {
  /** What a configuration would hold. */
  readonly options: { readonly serviceAccountToken: string };
  readonly state: FakeState;
  /** The real package, but for `createClient`. */
  readonly loadSdk: () => Promise<Sdk>;
  readonly open: (context: ProviderContext, options?: Partial<OnePasswordOptions>) => Promise<Provider>;
  /** How often each call was made since the last `forget`, by the names that cross into the core: `ItemsGet`. */
  readonly calls: Map<string, number>;
  /** All calls, sign-ins included. */
  readonly total: () => number;
  readonly fail: (fault: FakeFault) => void;
  readonly mend: () => void;
  /** Awaited before each call is answered: a test can interleave here, or hold the answer back. */
  before: (call: string) => Promise<void> | void;
  /** Called with what a writing call is about to answer, which it may change: an answer that lies. */
  lie: (item: FakeItem) => FakeItem;
  readonly vault: (title: string) => FakeVault;
  /** The first item of that title, wherever it is. Change it at will; `touch` it when its version shall rise. */
  readonly item: (title: string) => FakeItem;
  readonly add: (vault: string, seed: ItemSeed) => FakeItem;
  readonly touch: (title: string) => void;
  readonly rename: (from: string, to: string) => void;
  readonly remove: (title: string) => void;
}

/**
 * A fake of the account side, faithful where it matters: items with versions, the SDK's own refusals word for word,
 * dates, archived items, permissions, references matched the way 1Password does. The real package does the rest, its
 * reference parser in WebAssembly included.
 *
 * `fakeOnePassword({ vaults: [{ title: "Work", items: { DB_PASSWORD: "hunter2-4711" } }] })`
 */
export function fakeOnePassword({ vaults }: { readonly vaults: readonly VaultSeed[] }): FakeOnePassword {
  const state: FakeState = { vaults: [], next: 1 };
  for (const seed of vaults) addVault(state, seed);
  return fakeFrom(state);
}

/** The same over a state that is there already. */
export function fakeFrom(state: FakeState, changed: () => void = () => {}): FakeOnePassword {
  const calls = new Map<string, number>();
  let fault: FakeFault | undefined;
  // Loaded as late as the product does, and the same module.
  const real = (): Sdk => createRequire(import.meta.url)("@1password/sdk") as Sdk;

  async function count(call: string): Promise<void> {
    calls.set(call, (calls.get(call) ?? 0) + 1);
    await fake.before(call);
    if (fault === "silent") await new Promise(() => {});
  }

  async function createClient(config: { auth?: unknown }): Promise<OnePassword.Client> {
    const sdk = real();
    await count("signIn");
    if (config.auth !== TOKEN)
      refuse(sdk, "authentication error: bad service account token, please rotate it: mismatch");
    if (fault === "session") fault = undefined;
    else failAt(sdk, fault, "authentication error: ");
    const invoke = async (config: { invocation: { parameters: Call } }): Promise<string> => {
      const { name, parameters } = config.invocation.parameters;
      await count(name);
      failAt(sdk, fault, "");
      // What crosses into the core is JSON, there and back.
      const asked = JSON.parse(JSON.stringify(parameters)) as Call["parameters"];
      const said = answer(sdk, state, name, asked);
      if (name === "ItemsPut" || name === "ItemsCreate") changed();
      return JSON.stringify(name === "ItemsPut" || name === "ItemsCreate" ? fake.lie(said as FakeItem) : said);
    };
    const inner = { id: 1, core: { releaseClient: () => {} }, config: {}, invoke };
    return new sdk.Client(inner as unknown as ConstructorParameters<Sdk["Client"]>[0]);
  }

  const all = (): FakeItem[] => state.vaults.flatMap((vault) => vault.items);
  const fake: FakeOnePassword = {
    options: { serviceAccountToken: TOKEN },
    state,
    loadSdk: () => Promise.resolve({ ...real(), createClient }),
    open: (context, options = {}) => openOnePassword({ serviceAccountToken: TOKEN, ...options }, context, fake.loadSdk),
    calls,
    total: () => [...calls.values()].reduce((sum, count) => sum + count, 0),
    fail: (kind) => {
      fault = kind;
    },
    mend: () => {
      fault = undefined;
    },
    before: () => {},
    lie: (item) => item,
    vault: (title) => known(state.vaults.find((vault) => vault.title === title)),
    item: (title) => known(all().find((item) => item.title === title)),
    add: (vault, seed) => addItem(state, known(state.vaults.find(({ title }) => title === vault)), seed),
    touch: (title) => {
      const item = fake.item(title);
      item.version += 1;
      item.updatedAt = day(state.next++);
    },
    rename: (from, to) => {
      fake.item(from).title = to;
      fake.touch(to);
    },
    remove: (title) => {
      for (const vault of state.vaults) vault.items = vault.items.filter((item) => item.title !== title);
    },
  };
  return fake;
}

interface Call {
  readonly name: string;
  readonly parameters: Record<string, unknown>;
}

function failAt(sdk: Sdk, fault: FakeFault | undefined, prefix: string): void {
  switch (fault) {
    case undefined:
    case "silent":
      return;
    case "wrong":
      return refuse(sdk, "authentication error: you are not authenticated");
    case "expired":
    case "session":
      return sdk.throwError(JSON.stringify({ name: "AuthExpired", message: "session expired" }));
    case "insufficient":
      return prefix === ""
        ? refuse(sdk, "you do not have the right permissions to perform this action: read items")
        : refuse(sdk, "authentication error: you don't have the right permissions to access this resource");
    case "limited":
      // At sign-in it is not the class of its own.
      if (prefix !== "") return refuse(sdk, "authentication error: rate limit exceeded");
      return sdk.throwError(JSON.stringify({ name: "RateLimitExceeded", message: "rate limit exceeded" }));
    case "outage":
      return refuse(sdk, `${prefix}unexpected status code in response: 503 Service Unavailable`);
    case "refused":
      return refuse(
        sdk,
        `${prefix}request library compatibility issue, check that the your environment uses compatible versions: reqwest library: error sending request`,
      );
    case "page":
      return refuse(
        sdk,
        `${prefix}when deserializing HTTP responses into the corresponding types: Error("expected value", line: 1, column: 1)`,
      );
  }
}

function refuse(sdk: Sdk, message: string): never {
  return sdk.throwError(JSON.stringify({ name: "Other", message }));
}

function addVault(state: FakeState, { title, id, items = [], readOnly = false }: VaultSeed): void {
  const vault: FakeVault = { id: id ?? newId(state.next++), title, items: [], readOnly };
  state.vaults.push(vault);
  const seeds = Array.isArray(items)
    ? (items as readonly ItemSeed[])
    : Object.entries(items).map(([title, password]) => ({ title, password: password as string }));
  for (const seed of seeds) addItem(state, vault, seed);
}

function addItem(state: FakeState, vault: FakeVault, seed: ItemSeed): FakeItem {
  const { title, category = "Login", password, fields = [], notes = "", files = [], archived = false } = seed;
  const own: FieldSeed[] = password === undefined ? [] : [{ id: "password", title: "password", value: password }];
  const item = newItem({
    id: newId(state.next++),
    vaultId: vault.id,
    title,
    category,
    notes,
    at: day(state.next),
    fields: [...own, ...fields].map(({ id, title, value, section, type }) => {
      return {
        id: id ?? newId(state.next++),
        title,
        fieldType: type ?? "Concealed",
        value,
        ...(section !== undefined && { sectionId: sectionId(section) }),
        ...(type === "Totp" && { details: { type: "Otp" as const, content: { code: codeOf(value) } } }),
      };
    }),
    sections: [...new Set(fields.flatMap(({ section }) => section ?? []))].map((title) => ({
      id: sectionId(title),
      title,
    })),
  });
  item.state = archived ? "archived" : "active";
  item.files = files.map((name) => ({
    attributes: { name, id: newId(state.next++), size: 12 },
    sectionId: "add more",
    fieldId: newId(state.next++),
  }));
  vault.items.push(item);
  return item;
}

/** The code that a seed stands for here: anything that is not the seed will do. */
export function codeOf(seed: string): string {
  return `code of ${seed.length}`;
}

function sectionId(title: string): string {
  return `Section_${title.replaceAll(/[^A-Za-z0-9]/g, "_")}`;
}

function day(n: number): string {
  return new Date(Date.UTC(2026, 0, 1) + n * 86_400_000).toISOString();
}

function known<T>(thing: T | undefined): T {
  if (thing === undefined) throw new Error("the fake account has no such thing");
  return thing;
}
