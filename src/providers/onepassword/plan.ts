import { VaultError } from "../../core/errors.ts";
import type { Each, Entry } from "../../core/ports.ts";
import type { Plan } from "../../core/request.ts";
import { quoted, visible } from "../../core/text.ts";
import type { Account } from "./account.ts";
import { type Catalog, fold } from "./catalog.ts";
import { fieldOf, handleOf } from "./handles.ts";
import { type Located, locate } from "./locate.ts";
import type { Overviews } from "./overview.ts";
import { isReference, looksLikeId, parseReference, splitTitled } from "./reference.ts";
import type { Field } from "./shape.ts";
import { unseenPlace } from "./unseen.ts";

/** Where new items go. */
export interface Place {
  /** Undefined where the configuration does not say. */
  readonly vaultId: string | undefined;
  /** Id of the field that takes the value. */
  readonly fieldId: string;
}

/** What can be replaced as it stands: other kinds have a form of their own, which 1Password would change or refuse. */
const WRITABLE: ReadonlySet<Field["kind"]> = new Set(["Text", "Concealed", "Url", "Email", "Phone", "Notes"]);

/** What the others are called, several of them. */
const FORMED: Partial<Record<Field["kind"], string>> = {
  Totp: "one-time passwords",
  SshKey: "private keys",
  CreditCardNumber: "card numbers",
  CreditCardType: "kinds of cards",
  Date: "dates",
  MonthYear: "dates",
  Address: "addresses",
  Menu: "choices from a list",
  Reference: "links to other items",
};

/** What each write would do. Writes nothing. */
export async function planAll(
  tools: { readonly account: Account; readonly overviews: Overviews; readonly place: Place },
  entries: readonly Entry[],
  signal: AbortSignal,
): Promise<Each<Plan>> {
  const { catalog, each } = await locate(
    tools,
    entries.map(({ name }) => name),
    signal,
  );
  const plans = each.map((located, at): Plan | VaultError => {
    const name = entries[at]?.name ?? "";
    const fault = badValue(name, entries[at]);
    if (fault) return fault;
    if (!(located instanceof VaultError)) return planReplace(located);
    return located.code === "secret_not_found" ? planCreate(name, located, tools.place, catalog) : located;
  });
  return withoutTwice(plans);
}

/** Where a name that is not there yet would be. No two names that would be taken for each other share a vault. */
export function refOfNew(vaultId: string, name: string): string {
  return `new://${vaultId}/${encodeURIComponent(fold(name))}`;
}

function planReplace(located: Located): Plan | VaultError {
  const { name, shape } = located;
  if (shape.unsupported.length > 0) {
    return new VaultError("unrepresentable", `${quoted(name)} has fields that 1Password's SDK cannot write back`, {
      hint: "tell the user to change it in the 1Password app",
    });
  }
  const handle = handleOf(located);
  if (handle instanceof VaultError) return handle;
  const { kind } = fieldOf(located);
  if (!WRITABLE.has(kind)) {
    const what = FORMED[kind] ?? "fields of this kind";
    const text = `agent-vault cannot write ${what} (field ${quoted(handle.field ?? "")} of ${quoted(shape.title)})`;
    return new VaultError("unrepresentable", text, {
      hint: "name another field, op://vault/item/field, or tell the user to change it in the 1Password app",
    });
  }
  return { ...handle, effect: "replace" };
}

function planCreate(name: string, missing: VaultError, place: Place, catalog: Catalog): Plan | VaultError {
  if (isReference(name)) return withTitle(missing, name);
  if (looksLikeId(name) || splitTitled(name)) return missing;
  if (name.trim() !== name || visible(name) !== name) {
    return new VaultError("invalid_name", `${quoted(name)} cannot be the title of a new item`, {
      hint: "use letters that can be seen, without spaces at the ends",
    });
  }
  const { vaultId, fieldId } = place;
  if (vaultId === undefined) {
    return new VaultError("config_invalid", `there is no vault to make ${quoted(name)} in`, {
      hint: "tell the user to set write.vaultId to the id of a 1Password vault; agent-vault doctor lists them",
    });
  }
  if (!catalog.vaults.some(({ id }) => id === vaultId)) return unseenPlace(vaultId, catalog.vaults);
  const ref = refOfNew(vaultId, name);
  const title = `${name} (${catalog.vaultTitle(vaultId)})`;
  return { name, ref, checked: true, title, field: fieldId === "notesPlain" ? "notes" : fieldId, effect: "create" };
}

/** A new item is made by its title: a reference might be one that is only misspelt. */
function withTitle(missing: VaultError, name: string): VaultError {
  const title = parseReference(name)?.segments[1] ?? "";
  if (title === "" || looksLikeId(title)) return missing;
  const hint = `to make a new item, give its title alone: ${quoted(title)}`;
  return new VaultError(missing.code, missing.message, { hint: `${hint}; else ${missing.hint ?? ""}` });
}

function badValue(name: string, entry: Entry | undefined): VaultError | undefined {
  const value = entry?.value.reveal() ?? "";
  const refuse = (what: string): VaultError =>
    new VaultError("unrepresentable", `the value for ${quoted(name)} ${what}`, { hint: "store it base64-encoded" });
  if (value.includes("\0")) return refuse("contains a NUL character");
  if (/\p{Surrogate}/u.test(value)) return refuse("is not well-formed Unicode text");
  return undefined;
}

/** Two names of one batch for one place: there is no telling which value is meant. */
function withoutTwice(plans: Each<Plan>): Each<Plan> {
  const count = new Map<string, number>();
  for (const plan of plans) {
    if (!(plan instanceof VaultError)) count.set(plan.ref, (count.get(plan.ref) ?? 0) + 1);
  }
  return plans.map((plan) => {
    if (plan instanceof VaultError || (count.get(plan.ref) ?? 0) < 2) return plan;
    return new VaultError("invalid_arguments", `${quoted(plan.name)} means a place that is given more than once`, {
      hint: "give each secret once",
    });
  });
}
