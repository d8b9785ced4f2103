import { capabilityText, vaultKinds, type VaultKind } from "../config/kinds.ts";
import { nearestWord } from "../core/near.ts";
import type { OptionRow } from "../config/option-rows.ts";
import { COMING_TYPES, CONFIG_FILE } from "../config/words.ts";
import { VaultError, type ExitStatus } from "../core/errors.ts";
import { quoted } from "../core/text.ts";
import type { Context } from "./command.ts";

/** Shows what can keep secrets: every kind of vault, or one with its options and the lines to write for it. */
export async function providers({ options, out }: Context): Promise<ExitStatus> {
  const kinds = vaultKinds();
  const wanted = options["type"];
  const one = typeof wanted === "string" ? kindOf(wanted, kinds) : undefined;
  if (options["json"] === true) out(`${JSON.stringify(one ?? kinds, null, 2)}\n`);
  else out(one === undefined ? listText(kinds) : kindText(one));
  return 0;
}

function kindOf(type: string, kinds: readonly VaultKind[]): VaultKind {
  const found = kinds.find((kind) => kind.type === type);
  if (found !== undefined) return found;
  const there = kinds.map((kind) => kind.type);
  if (COMING_TYPES.includes(type)) {
    throw new VaultError("usage", `this version does not have vaults of type ${type} yet`, {
      hint: `there are ${there.join(", ")}`,
    });
  }
  const near = nearestWord(type, there);
  throw new VaultError("usage", `--type does not know ${quoted(type)}`, {
    hint: near === undefined ? `there are ${there.join(", ")}` : `did you mean ${near}?`,
  });
}

function listText(kinds: readonly VaultKind[]): string {
  const blocks = kinds.map((kind) => [...headLines(kind), ""]);
  return text([
    ...blocks.flat(),
    "agent-vault providers --type TYPE shows the options of one and what to write for it.",
  ]);
}

function kindText(kind: VaultKind): string {
  const vault = { vaults: { [`my-${kind.type}`]: kind.example } };
  return text([
    ...headLines(kind),
    "",
    `Its options, besides ${commonOf(kind)}:`,
    ...kind.options.flatMap(optionLines),
    "",
    `In ${CONFIG_FILE}, for example:`,
    "",
    ...JSON.stringify(vault, null, 2).split("\n"),
  ]);
}

/** The rules that count for this kind. */
function commonOf({ can }: VaultKind): string {
  const writable = can.includes("write") ? ["writable"] : [];
  return ["ttl", "ttlScope", ...writable, "require"].join(", ") + " and minAssurance";
}

function headLines({ type, title, summary, can }: VaultKind): string[] {
  return [`${type}: ${title}`, `  ${summary}`, `  It ${capabilityText(can)}.`];
}

function optionLines({ name, value, required, initial, meaning }: OptionRow): string[] {
  const absent = required ?? (initial === undefined ? undefined : `default ${initial}`);
  return [`  ${name}: ${value}${absent === undefined ? "" : `, ${absent}`}`, `      ${meaning}`];
}

function text(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
