import { VaultError } from "./errors.ts";

/** The option that still is a reference, `env:NAME`: what stood behind it was not found. */
export function unresolvedIn(options: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(options).find((key) => String(options[key]).startsWith("env:"));
}

/** What to throw when options do not fit. Names the option at most: its value, or what is said of it, may be a token. */
export function unfitOptions(what: string, option: string | undefined): VaultError {
  return new VaultError("config_invalid", `the ${what} cannot use ${option ? `its ${option}` : "its options"}`, {
    hint: "correct it in the configuration, or set the variable it refers to",
  });
}
