import type { Provider } from "../../../src/core/ports.ts";
import type { ProviderContext, ProviderDefinition } from "../../../src/providers/define.ts";

/** What one secret holds: the value of its only or primary field, or the value of each field by the name it shows. */
export type Content = string | Readonly<Record<string, string>>;

/** The secrets a backend begins with, in its order. */
export type Stock = readonly (readonly [name: string, content: Content])[];

/** What a backend can be made to do to everybody who talks to it, from then on. */
export type Fault =
  /** The credentials are not known. */
  | "wrong"
  /** They were known, and have run out. */
  | "expired"
  /** They are known, and not permitted to do anything with secrets. */
  | "insufficient"
  /** Too many calls: come back in `RETRY_AFTER_S`. */
  | "limited"
  /** The vault says that it cannot serve just now. */
  | "outage"
  /** Nobody listens. */
  | "refused"
  /** Calls are taken and never answered. */
  | "silent"
  /** Something in between answers with a web page and says all is well. */
  | "page"
  /** The answer has two megabytes. */
  | "huge"
  /** Everything has moved to another host. */
  | "redirect"
  /** The certificate vouches for itself. */
  | "self-signed";

/** How long a limited backend asks to be left alone, seconds. */
export const RETRY_AFTER_S = 137;

/** A backend that runs, with doors for the test that no provider has. */
export interface Backend {
  /** The vault's own options as a configuration would hold them, references resolved. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What must be seen nowhere, besides the values: the token and whatever it is made of. */
  readonly tokens: readonly string[];
  /** Opens the provider on it; the world's definition does it where this is absent. */
  readonly open?: (context: ProviderContext) => Promise<Provider>;
  /** Somebody else creates a secret, or gives it another content; without changing which secret it is. */
  readonly put: (name: string, content: Content) => void | Promise<void>;
  /** Somebody else creates one more secret, though one may have that name. */
  readonly add?: (name: string, content: Content) => void | Promise<void>;
  readonly rename: (from: string, to: string) => void | Promise<void>;
  readonly remove: (name: string) => void | Promise<void>;
  /** Everything there is, one line per field of each secret, made by `line`; in any order. */
  readonly everything: () => readonly string[] | Promise<readonly string[]>;
  readonly break?: (fault: Fault) => void | Promise<void>;
  /** Makes it whole again. */
  readonly mend?: () => void | Promise<void>;
  /** How often it was asked since it runs: for names, for something that carries a value, and at all. */
  readonly calls?: () => { readonly list: number; readonly value: number; readonly all: number };
  /** Calls it has in hand and has not answered. */
  readonly busy?: () => number;
  /** Resolves when it has a call in hand; `over` when whoever made that call has gone, or has its answer. */
  readonly called?: () => Promise<{ readonly over: Promise<void> }>;
  /** Requests that came to the host it redirects to. */
  readonly elsewhere?: () => number;
  readonly close: () => void | Promise<void>;
}

/** One field of one secret, as `Backend.everything` tells it. */
export function line(name: string, field: string | undefined, value: string): string {
  return JSON.stringify([name, field ?? null, value]);
}

/** Something of a module that a process of its own loads. */
export interface Source {
  /** A definition; or a function that opens the provider, where its options alone do not. */
  readonly is: "definition" | "opener";
  /** Below the repository. */
  readonly file: string;
  /** The name it is exported under. */
  readonly name: string;
}

/** Where one kind of vault is put to the test: a real backend, or a fake that behaves as the documentation says. */
export interface ProviderWorld {
  readonly definition: ProviderDefinition;
  /** The option that holds the token, where there is one. */
  readonly tokenOption?: string;
  /** The name of the field meant by default and of another that every secret may have; absent where there are no fields. */
  readonly fields?: { readonly primary: string; readonly other: string };
  /** Packages that opening it may load; nothing else, and before that nothing at all. */
  readonly loads: readonly string[];
  /** Where a process of its own finds the definition, and how it opens it on this backend. */
  readonly source: Source;
  readonly opener?: Source;
  /** For how long names are kept, ms; 0 where they are read afresh for every call. */
  readonly namesKeptMs: number;
  /** The promises that cannot apply, by the title of their sentence, and why. */
  readonly exempt: Readonly<Record<string, string>>;
  readonly start: (stock: Stock) => Promise<Backend>;
}
