import * as z from "zod";
import { ASSET_ID } from "./options.ts";

/** An asset as the search names it. */
export interface Asset {
  readonly id: string;
  readonly name: string;
}

export interface Page {
  readonly assets: readonly Asset[];
  /** How many entries the answer had, understood or not. */
  readonly size: number;
  /** How many there are on all pages, where the server says so. */
  readonly total?: number;
}

/** The fields of an asset, in the order they are shown. */
export const FIELDS = ["password", "user", "configuration"] as const;

export type Field = (typeof FIELDS)[number];

/** What an asset holds; absent where it has no such thing. */
export type Credentials = Readonly<Partial<Record<Field, string>>>;

/** How a request stands with the vault's own people, and `Unknown` for whatever is not documented. */
export type RequestState = "Open" | "Active" | "Closed" | "Restricted" | "MFA" | "Unknown";

const tree = z.record(z.string(), z.unknown()).catch({});
const list = z.array(z.unknown());
const id = z.union([z.string(), z.int().transform(String)]);
const count = z.int().min(0).optional().catch(undefined);

const LISTS = ["content", "items", "records", "results", "value", "data", "assets"];
const name = z.string().min(1).max(1_000);
const ENTRY = z.union([
  z.object({ id, name }),
  z.object({ id, title: name }).transform(({ id, title }) => ({ id, name: title })),
]);
const TOTALS = z.object({ total: count, totalElements: count, totalCount: count });
// A number or a switch is told as its text; anything else as JSON.
const FIELD = z
  .union([
    z.string(),
    z.number().transform(String),
    z.boolean().transform(String),
    z.record(z.string(), z.unknown()),
    list,
  ])
  .transform((value) => (typeof value === "string" ? value : JSON.stringify(value)))
  .nullish()
  .transform((value) => value ?? undefined);
const CREDENTIALS = z.object({ password: FIELD, user: FIELD, configuration: FIELD });
const STATES = ["Open", "Active", "Closed", "Restricted", "MFA"] as const;

/** A page of a search, in any of the shapes such a page usually has; undefined when it is none of them. */
export function pageOf(json: unknown): Page | undefined {
  const entries = entriesOf(json);
  if (entries === undefined) return undefined;
  const assets = entries.flatMap((entry) => {
    const nested = tree.parse(entry)["asset"];
    const read = ENTRY.safeParse(nested === undefined ? entry : nested);
    return read.success && ASSET_ID.test(read.data.id) ? [{ id: canonicalId(read.data.id), name: read.data.name }] : [];
  });
  // Entries that all are something else: better to say so than to find nothing.
  if (entries.length > 0 && assets.length === 0) return undefined;
  const totals = TOTALS.catch({}).parse(json);
  const total = totals.total ?? totals.totalElements ?? totals.totalCount;
  return { assets, size: entries.length, ...(total !== undefined && { total }) };
}

function entriesOf(json: unknown, depth = 0): readonly unknown[] | undefined {
  const here = list.safeParse(json);
  if (here.success) return here.data;
  const object = tree.parse(json);
  for (const key of LISTS) {
    const found = Object.hasOwn(object, key) && depth < 2 ? entriesOf(object[key], depth + 1) : undefined;
    if (found) return found;
  }
  return undefined;
}

/** The one spelling of an id: UUIDs mean the same in capitals. */
export function canonicalId(id: string): string {
  return isUuid(id) ? id.toLowerCase() : id;
}

/** Whether a name is an asset's id by its looks. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** The credentials of an asset; undefined when the answer is something else. */
export function credentialsOf(json: unknown): Credentials | undefined {
  const isOne = FIELDS.some((field) => Object.hasOwn(tree.parse(json), field));
  const read = CREDENTIALS.safeParse(json);
  if (!isOne || !read.success) return undefined;
  return Object.fromEntries(Object.entries(read.data).filter(([, value]) => value !== undefined));
}

/** How a request stands, and its workflow's id, which is another one than the asset's and the request's. */
export function stateOf(json: unknown): { readonly state: RequestState; readonly workflow?: string } {
  const { status, id: written } = tree.parse(json);
  const said = typeof status === "string" ? status.toLowerCase() : "";
  const state = STATES.find((each) => each.toLowerCase() === said) ?? "Unknown";
  const read = id.safeParse(written);
  return { state, ...(read.success && ASSET_ID.test(read.data) && { workflow: read.data }) };
}

/** The id of a request that was just made; undefined when the answer does not tell it. */
export function requestIdOf(json: unknown): string | undefined {
  const object = tree.parse(json);
  const read = id.safeParse(object["value"] ?? object["id"] ?? json);
  return read.success && read.data.length <= 200 ? read.data : undefined;
}

/** The number 12Port gives to what went wrong, like MSG-00863. Its text may name tenants and people and is not kept. */
export function messageCode(json: unknown): string | undefined {
  return /\bMSG-\d{5}\b/.exec(JSON.stringify(json) ?? "")?.[0];
}

/** Whether an answer says that something has expired. */
export function speaksOfExpiry(json: unknown, challenge: string | undefined): boolean {
  return /\bexpired?\b/i.test(`${JSON.stringify(json) ?? ""} ${challenge ?? ""}`);
}
