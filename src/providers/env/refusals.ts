import { VaultError } from "../../core/errors.ts";
import { quoted } from "../../core/text.ts";
import { tooBlank } from "./splice.ts";

/** Letters, digits, `_`, `-` and `.`, as dotenv has it; the first one neither a digit nor a mark, as everybody has it. */
const NAME = /^[A-Za-z_][\w.-]{0,199}$/;

/** Why a name cannot stand in an env file; one that is there already may be any that dotenv reads. */
export function badName(name: string, present: boolean): VaultError | undefined {
  if (name !== "__proto__" && (NAME.test(name) || present)) return undefined;
  return new VaultError("invalid_name", `${quoted(name)} cannot be a name in an env file`, {
    hint: "use letters, digits and _, beginning with a letter or _, at most 200 of them",
  });
}

/** Why no env file could hold a value, as far as the value alone tells. */
export function badValue(name: string, value: string): VaultError | undefined {
  const refuse = (what: string): VaultError =>
    new VaultError("unrepresentable", `the value for ${quoted(name)} ${what}`, { hint: "store it base64-encoded" });
  if (value.includes("\0")) return refuse("contains a NUL character, which no env file can hold");
  if (/\p{Surrogate}/u.test(value)) return refuse("is not well-formed Unicode text");
  if (tooBlank(value)) return refuse("holds very long runs of blank lines");
  return undefined;
}

/** For a value that was tried in every spelling. */
export function unspellable(name: string): VaultError {
  return new VaultError(
    "unrepresentable",
    `the value for ${quoted(name)} cannot be written so that an env file reads it back exactly`,
    { hint: "store it base64-encoded" },
  );
}

/** For a name that stands in one batch more than once: there is no telling which value is meant. */
export function twice(name: string): VaultError {
  return new VaultError("invalid_arguments", `${quoted(name)} is given more than once`, {
    hint: "give each name once",
  });
}
