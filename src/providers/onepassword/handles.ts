import { asVaultError, VaultError } from "../../core/errors.ts";
import type { Handle } from "../../core/request.ts";
import { quoted } from "../../core/text.ts";
import { defaultField, findField, labelOf, wholeItem } from "./fields.ts";
import type { Located } from "./locate.ts";
import { formatAddress, type Query } from "./reference.ts";
import type { Field } from "./shape.ts";

/** The one field that a name means: the one it names, else the obvious one. */
export function handleOf(located: Located): Handle | VaultError {
  try {
    return handle(located, fieldOf(located));
  } catch (error) {
    return asVaultError(error);
  }
}

/** A handle for each wanted field of an item; `*`: for every one. Throws when any is missing. */
export function handlesOf(located: Located, wanted: readonly string[]): readonly Handle[] {
  const { name, shape, field } = located;
  if (field !== undefined) {
    throw new VaultError("invalid_arguments", `${quoted(name)} already names a field`, {
      hint: "leave the field out of the name, or out of the arguments",
    });
  }
  const fields = wanted.includes("*") ? wholeItem(shape) : wanted.map((each) => findField(shape, each));
  if (fields.length === 0) {
    throw new VaultError("unrepresentable", `${quoted(name)} has no field that agent-vault can read`, {
      hint:
        shape.files.length > 0 ? "it keeps a file: tell the user to open it in the 1Password app" : "it may be empty",
    });
  }
  return fields.map((each) => handle(located, each));
}

/** The field a handle of this item was made for. */
export function fieldOf({ shape, field }: Located): Field {
  return field === undefined ? defaultField(shape) : findField(shape, field);
}

function handle({ name, shape, query, title }: Located, field: Field): Handle {
  if (field.doubled) {
    throw new VaultError("ambiguous", `${quoted(shape.title)} has two fields with the id of ${quoted(field.title)}`, {
      hint: "nothing tells them apart; tell the user to remove one and make it anew in the 1Password app",
    });
  }
  const how = queryFor(name, field, query);
  const ref = formatAddress({
    vaultId: shape.vaultId,
    itemId: shape.id,
    ...(field.sectionId !== undefined && { sectionId: field.sectionId }),
    fieldId: field.id,
    ...(how !== undefined && { query: how }),
  });
  return {
    name,
    ref,
    checked: true,
    ...(title !== undefined && { title }),
    version: String(shape.version),
    field: labelOf(shape, field),
  };
}

/** A one-time password is its current code: the seed would make codes for ever. */
function queryFor(name: string, { kind, title }: Field, query: Query | undefined): Query | undefined {
  if (kind === "Totp" && (query === undefined || query === "attribute=otp")) return "attribute=otp";
  if (query === undefined || (kind === "SshKey" && query === "ssh-format=openssh")) return query;
  throw new VaultError("invalid_name", `field ${quoted(title)} of ${quoted(name)} does not go with ?${query}`, {
    hint: "leave it out: it is for one-time passwords (attribute=otp) and private keys (ssh-format=openssh)",
  });
}
