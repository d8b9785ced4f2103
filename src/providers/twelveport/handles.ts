import { VaultError } from "../../core/errors.ts";
import type { Handle } from "../../core/request.ts";
import { glimpse, quoted } from "../../core/text.ts";
import type { Found } from "./assets.ts";
import { type Field, FIELDS } from "./replies.ts";

/** The field that is meant where none is named. */
const PRIMARY: Field = "password";

/** The handle of one field of an asset. */
export function handleOf(name: string, { id, called, checked }: Found, field: Field = PRIMARY): Handle {
  const title = called === undefined ? `asset ${glimpse(id, 60)}, name unknown` : called === name ? undefined : called;
  return { name, ref: refOf(id, field), checked, field, ...(title !== undefined && { title }) };
}

/** The wanted fields of an asset, each once. Throws `secret_not_found` for one that no asset has. */
export function fieldsOf(wanted: readonly string[]): readonly Field[] {
  if (wanted.includes("*")) return FIELDS;
  const fields = wanted.map((name) => {
    const field = FIELDS.find((each) => each === name.toLowerCase());
    if (field !== undefined) return field;
    throw new VaultError("secret_not_found", `assets in 12Port have no field ${quoted(name)}`, {
      hint: `the fields are ${FIELDS.join(", ")}`,
    });
  });
  return [...new Set(fields)];
}

/** The address of a field: JSON keeps its parts apart. */
export function refOf(id: string, field: Field): string {
  return JSON.stringify([id, field]);
}

/** What an address of ours names. Throws `RangeError` for any other. */
export function placeOf(ref: string): { readonly id: string; readonly field: Field } {
  const parts: unknown = JSON.parse(ref);
  const [id, name] = Array.isArray(parts) ? (parts as readonly unknown[]) : [];
  const field = FIELDS.find((each) => each === name);
  if (typeof id !== "string" || field === undefined) throw new RangeError("not an address of 12Port");
  return { id, field };
}

/** The assets behind these handles, each once. */
export function assetsOf(handles: readonly Pick<Handle, "ref">[]): readonly string[] {
  return [...new Set(handles.map(({ ref }) => placeOf(ref).id))];
}

/** The refs of all that an asset holds. */
export function refsOf(id: string): readonly string[] {
  return FIELDS.map((field) => refOf(id, field));
}
