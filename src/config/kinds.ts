import type { Capability } from "../providers/define.ts";
import { PROVIDERS } from "../providers/registry.ts";
import { vaultOptionRows, type Mark, type OptionRow } from "./option-rows.ts";

/** A kind of vault as help and documentation show it. */
export interface VaultKind {
  /** What stands in the configuration. */
  readonly type: string;
  /** What people call it. */
  readonly title: string;
  /** One sentence. */
  readonly summary: string;
  readonly can: readonly Capability[];
  /** Its own options, without those every vault has. */
  readonly options: readonly OptionRow[];
  /** The entry of such a vault in a configuration. */
  readonly example: Readonly<Record<string, unknown>>;
}

/** Every kind of vault there is, in the order of the registry. `mark` sets off what is typed as it stands. */
export function vaultKinds(mark?: Mark): VaultKind[] {
  return PROVIDERS.map(({ type, title, summary, can, example }: (typeof PROVIDERS)[number]) => ({
    type,
    title,
    summary,
    can,
    options: vaultOptionRows(type, mark),
    example: { type, ...example },
  }));
}

const WORDS: Readonly<Record<Capability, string>> = {
  list: "lists names",
  fields: "reads single fields",
  prepare: "waits for its own approvers",
  write: "saves",
};

/** What a kind of vault can do, besides reading a secret by its name, which all can: "lists names, saves". */
export function capabilityText(can: readonly Capability[]): string {
  const known = Object.entries(WORDS).filter(([capability]) => can.some((one) => one === capability));
  return known.length === 0 ? "reads by name" : known.map(([, words]) => words).join(", ");
}
