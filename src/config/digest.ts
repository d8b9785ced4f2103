import { digestOf } from "../core/canonical.ts";
import type { Config } from "./config.ts";
import { readJsonc } from "./jsonc.ts";
import { writtenOut } from "./remarks.ts";
import type { Part, Text } from "./text.ts";
import { isObject, type Path, samePath } from "./tree.ts";

/** What tells one configuration from another, besides what is written in it. */
type Meaning = Pick<Config, "folder" | "vaults" | "port" | "approval" | "tunnel" | "channels" | "database">;

/**
 * Digest of a configuration: differs wherever something differs that an approval could depend on. What was written
 * counts, with references by the names of their variables and which of these are set; comments and spaces do not. No
 * value of a variable and no token that is written out goes into it, so that nothing can be guessed from it.
 */
export function digestOfConfig({ text, source, around }: Text, parts: readonly Part[], meaning: Meaning): string {
  const jsonc = readJsonc(text);
  const hidden = writtenOut(parts);
  const { folder, vaults, port, approval, tunnel, channels, database } = meaning;
  const all = {
    v: 1,
    // A file of the same text elsewhere means other files by its relative paths.
    source: source.is === "file" ? source.path : source.variables,
    folder,
    home: around.home,
    stateDir: around.stateDir,
    database,
    written: "broken" in jsonc ? undefined : without(hidden, jsonc.value, []),
    unset: parts.flatMap(({ resolved }) => resolved.unset.map(({ name }) => name)),
    vaults: vaults.map(({ name, type, rules, use }) => ({ name, type, rules, ready: use.ready })),
    port,
    approval,
    tunnel: { type: tunnel.type, ready: tunnel.use.ready },
    channels: channels.map(({ type, use }) => ({ type, ready: use.ready })),
  };
  // As a text, because names in a configuration may hold what has no canonical form.
  return digestOf("configuration", JSON.stringify(all));
}

/** The same, with a mark wherever something stands that should not be known. */
function without(hidden: readonly Path[], value: unknown, path: Path): unknown {
  if (hidden.some((one) => samePath(one, path))) return { hidden: true };
  if (Array.isArray(value)) return value.map((item, i) => without(hidden, item, [...path, i]));
  if (!isObject(value)) return value;
  // A list of pairs, so that no name is a special one.
  return Object.entries(value).map(([key, item]) => [key, without(hidden, item, [...path, key])]);
}
