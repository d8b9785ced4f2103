import type { Preview } from "./secret.ts";

export type Action = "read" | "write";

/** The immutable address a name was resolved to before anyone was asked. Never carries a value. */
export interface Handle {
  /** The name as the agent gave it and as the person sees it. */
  readonly name: string;
  /** What the read uses: ids, paths. Two handles are the same secret exactly when their refs are equal. */
  readonly ref: string;
  /** False where the vault cannot tell that the secret exists without reading it: the page says "not checked". */
  readonly checked: boolean;
  /**
   * What the vault calls it, where that is not the name that was asked for: a person cannot read ids. Of what is yet to
   * be made: what it will be called, and where it will be.
   */
  readonly title?: string;
  /** Version seen when resolving, where the vault has one. */
  readonly version?: string;
  /** The one field of the item that this handle is, by the name the vault shows. */
  readonly field?: string;
}

/** What a write would do, decided before anyone was asked. */
export interface Plan extends Handle {
  readonly effect: "create" | "replace";
}

/** What we know of who asks. Claims are what the agent's side says; facts are what we saw ourselves. Never mixed. */
export interface Requester {
  /** Folder and starter are claims where the client is on the other side of a socket: its shim says them. */
  readonly claims: {
    readonly client: string;
    readonly roots?: readonly string[];
    readonly folder?: string;
    readonly process?: string;
  };
  readonly facts: { readonly user: string; readonly host: string; readonly folder?: string; readonly process?: string };
}

/** One secret of a request. Writes carry a fingerprint and a preview of the value, never the value. */
export interface Item {
  readonly handle: Handle;
  readonly write?: { readonly plan: Plan; readonly commitment: string; readonly preview: Preview };
}

/** An agent wanting 1 to 100 secrets of one vault, for one action, for one reason. */
export interface AccessRequest {
  /** Appears in the log; it opens nothing. */
  readonly id: string;
  /** Two requests with the same key are the same request: session, vault, action and the full set of items agree. */
  readonly key: string;
  readonly session: string;
  readonly vault: string;
  readonly provider: string;
  readonly action: Action;
  readonly items: readonly Item[];
  /** The fields of its one secret that were asked for, as the agent named them; `["*"]`: every one. */
  readonly fields?: readonly string[];
  readonly reason: string;
  readonly requester: Requester;
}

/** The folder it works in, in one line: what we saw, else what it says, marked as that; empty where neither is known. */
export function placeOf({ facts, claims }: Requester): string {
  if (facts.folder !== undefined) return facts.folder;
  return claims.folder === undefined ? "" : `${claims.folder} (it says)`;
}

/** What one secret of several is told apart by, for people and logs: its name, and its field where it is one. Not yet visible. */
export function labelOf({ name, field }: Handle): string {
  return field === undefined ? name : `${name}#${field}`;
}

/** How many different secrets items are of: a secret of which several fields are asked for is one. */
export function secretsIn(items: readonly Item[]): number {
  return new Set(items.map(({ handle }) => handle.name)).size;
}

/** Whether fields that were asked for are every one there is. */
export function isEveryField(fields: readonly string[] | undefined): boolean {
  return fields?.includes("*") ?? false;
}

/** What a call asks by, before anything is resolved: its names, or each field of its one name. Not for showing. */
export function askedBy(names: readonly string[], fields: readonly string[] | undefined): readonly string[] {
  return fields ? names.flatMap((name) => fields.map((field) => JSON.stringify([name, field]))) : names;
}

/** Whether two requests are for the very same secrets, by what they are and not by what they are called. */
export function sameSecrets(a: AccessRequest, b: AccessRequest): boolean {
  if (a.items === b.items) return true;
  const refs = (request: AccessRequest): string[] => request.items.map((item) => item.handle.ref).toSorted();
  return JSON.stringify(refs(a)) === JSON.stringify(refs(b));
}

/** The identity of a request. JSON keeps the parts apart, so no two different requests share a key. */
export function requestKey(parts: {
  session: string;
  vault: string;
  action: Action;
  items: readonly { name: string; commitment?: string; fields?: readonly string[] }[];
}): string {
  const items = parts.items.map(
    ({ name, commitment, fields }) => [name, commitment ?? null, fields?.toSorted() ?? null] as const,
  );
  items.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  return JSON.stringify([parts.session, parts.vault, parts.action, items]);
}
