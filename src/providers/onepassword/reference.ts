/** The scheme of 1Password's own addresses. */
export const SCHEME = "op://";

/** A 26-letter id of 1Password: nobody calls an item so. */
const ID = /^[a-z2-7]{26}$/;

/** What may follow a reference. Others that the op command knows are refused by the SDK. */
export type Query = "attribute=otp" | "ssh-format=openssh";

/** `op://` with its parts, as somebody wrote it: names or ids, and names may hold slashes. */
export interface Written {
  readonly segments: readonly string[];
  readonly query?: Query;
}

/** The address of one field, made of ids. */
export interface Address {
  readonly vaultId: string;
  readonly itemId: string;
  readonly sectionId?: string;
  readonly fieldId: string;
  readonly query?: Query;
}

/** Whether a name is an address rather than a title. */
export function isReference(name: string): boolean {
  return name.slice(0, SCHEME.length).toLowerCase() === SCHEME;
}

export function looksLikeId(name: string): boolean {
  return ID.test(name);
}

/** `title (op://vault/id)` in its two parts; undefined for any other name. */
export function splitTitled(name: string): { readonly title: string; readonly reference: string } | undefined {
  const [, title, reference] = /^(.+) \((op:\/\/.+)\)$/s.exec(name) ?? [];
  return title !== undefined && reference !== undefined && looksLikeId(reference.split("/").at(-1) ?? "")
    ? { title, reference }
    : undefined;
}

/** The parts of a reference; undefined when it is none, or asks for something that cannot be had. */
export function parseReference(name: string): Written | undefined {
  const [, path = "", query] = /^(.*?)(?:\?([a-z-]+=[^/?]*))?$/is.exec(name.slice(SCHEME.length)) ?? [];
  const segments = path.split("/");
  if (segments.length < 2 || segments.length > 20 || segments.some((segment) => segment === "")) return undefined;
  if (query === undefined) return { segments };
  return isQuery(query) ? { segments, query } : undefined;
}

function isQuery(text: string): text is Query {
  return text === "attribute=otp" || text === "ssh-format=openssh";
}

/** The canonical form: two fields are the same exactly when these are equal. */
export function formatAddress({ vaultId, itemId, sectionId, fieldId, query }: Address): string {
  const path = [vaultId, itemId, ...(sectionId === undefined ? [] : [sectionId]), fieldId].map(encodeURIComponent);
  return `${SCHEME}${path.join("/")}${query === undefined ? "" : `?${query}`}`;
}

/** The way back. Undefined for anything that `formatAddress` did not make. */
export function parseAddress(ref: string): Address | undefined {
  const [, path = "", query] = /^op:\/\/([^?]+)(?:\?(.*))?$/.exec(ref) ?? [];
  const [vaultId, itemId, ...rest] = path.split("/").map(decodeURIComponent);
  const [first, second, ...more] = rest;
  if (!vaultId || !itemId || !first || more.length > 0) return undefined;
  if (query !== undefined && !isQuery(query)) return undefined;
  const field = second === undefined ? { fieldId: first } : { sectionId: first, fieldId: second };
  return { vaultId, itemId, ...field, ...(query !== undefined && { query }) };
}

/**
 * As the SDK wants it, where nothing is encoded: undefined when a part holds anything that could be taken for another
 * part or a query.
 */
export function spellAddress({ vaultId, itemId, sectionId, fieldId, query }: Address): string | undefined {
  const parts = [vaultId, itemId, ...(sectionId === undefined ? [] : [sectionId]), fieldId];
  if (!parts.every((part) => /^\w[\w.-]*$/.test(part))) return undefined;
  return `${SCHEME}${parts.join("/")}${query === undefined ? "" : `?${query}`}`;
}
