import { VaultError } from "../../core/errors.ts";
import { glimpse, quoted } from "../../core/text.ts";
import { primaryOf } from "./categories.ts";
import { fold } from "./catalog.ts";
import { closeTo } from "../../core/near.ts";
import { fieldsCalled, namesOf } from "./naming.ts";
import type { Field, Shape } from "./shape.ts";

const MOST_SHOWN = 20;

/**
 * The field somebody means: by id, else by title, else by `section/title`, each exactly and then without regard to
 * capitals. The notes are meant only when no field has that name. Throws `secret_not_found` or `ambiguous`, with what
 * there is.
 */
export function findField(shape: Shape, wanted: string): Field {
  const found = fieldsCalled(shape, wanted);
  const [first, ...more] = found;
  if (first && more.length === 0) return first;
  if (first) {
    throw new VaultError("ambiguous", `${quoted(shape.title)} has ${found.length} fields called ${quoted(wanted)}`, {
      hint: `ask for one of ${listed(found.map((field) => labelOf(shape, field)))}`,
    });
  }
  if (shape.files.some((file) => fold(file) === fold(wanted))) {
    throw new VaultError("unrepresentable", `${quoted(wanted)} in ${quoted(shape.title)} is a file`, {
      hint: "agent-vault reads fields and notes; tell the user to open files in the 1Password app",
    });
  }
  if (shape.unsupported.some((title) => fold(title) === fold(wanted))) {
    throw new VaultError(
      "unrepresentable",
      `field ${quoted(wanted)} of ${quoted(shape.title)} is of a kind that 1Password's SDK cannot read`,
      { hint: "tell the user to open it in the 1Password app" },
    );
  }
  throw fieldNotFound(shape, wanted);
}

/**
 * The field a person means without naming one: the only concealed one, else the primary one of the item's category,
 * else the only concealed one that is filled, else the only field there is. Throws `ambiguous` with the names.
 */
export function defaultField(shape: Shape): Field {
  const own = shape.fields.filter(({ kind }) => kind !== "Notes");
  const concealed = own.filter(isConcealed);
  const primary = primaryOf(shape.category);
  const meant =
    only(concealed) ??
    shape.fields.find(({ id, kind, filled }) => id === primary && (kind !== "Notes" || filled || own.length === 0)) ??
    only(concealed.filter(({ filled }) => filled)) ??
    only(shape.fields.filter(({ kind, filled }) => kind !== "Notes" || filled));
  if (meant) return meant;
  const labels = wholeItem(shape).map((field) => labelOf(shape, field));
  if (labels.length === 0) {
    throw new VaultError("unrepresentable", `${quoted(shape.title)} has no field that agent-vault can read`, {
      hint:
        shape.files.length > 0 ? "it keeps a file: tell the user to open it in the 1Password app" : "it may be empty",
    });
  }
  throw new VaultError("ambiguous", `${quoted(shape.title)} has several fields and none is the obvious one`, {
    hint: `ask for a field: ${listed(labels)}`,
  });
}

/** Every field, and the notes if there are any. */
export function wholeItem(shape: Shape): readonly Field[] {
  return shape.fields.filter(({ kind, filled }) => kind !== "Notes" || filled);
}

/** The shortest name that means exactly this field. */
export function labelOf(shape: Shape, field: Field): string {
  return namesOf(field).find((name) => only(fieldsCalled(shape, name)) === field) ?? field.id;
}

/** Whether a field is shown as dots by 1Password. */
function isConcealed({ kind }: Field): boolean {
  return kind === "Concealed" || kind === "CreditCardNumber" || kind === "SshKey";
}

function fieldNotFound(shape: Shape, wanted: string): VaultError {
  const labels = wholeItem(shape).map((field) => labelOf(shape, field));
  const close = closeTo(wanted, labels, 1);
  const meant = close.length > 0 ? `did you mean ${close.map(quoted).join(" or ")}? ` : "";
  return new VaultError("secret_not_found", `${quoted(shape.title)} has no field ${quoted(wanted)}`, {
    hint: `${meant}its fields are ${listed(labels)}`,
  });
}

function listed(labels: readonly string[]): string {
  const shown = labels.slice(0, MOST_SHOWN).map((label) => `"${glimpse(label, 120)}"`);
  const rest = labels.length - shown.length;
  return rest > 0 ? `${shown.join(", ")} and ${rest} more` : shown.join(", ");
}

function only<T>(things: readonly T[]): T | undefined {
  return things.length === 1 ? things[0] : undefined;
}
