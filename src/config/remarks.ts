import { parseAssurance } from "../core/assurance.ts";
import type { Part, Text } from "./text.ts";
import type { Warning } from "./config.ts";
import { configJsonSchema, fieldAt, type Schema } from "./fields.ts";
import { pathText } from "./problem.ts";
import type { ConfigFile } from "./schema.ts";
import { samePath, type Path } from "./tree.ts";

const OTHERS_WRITE = 0o002;

// What such a key holds opens something, whatever the provider. A topic of ntfy is its own password.
const SENSITIVE_KEY = /(?:token|password|passphrase|secret|authorization|api_?key|credentials?|topic)$/i;

/** Whether what stands there opens something by itself: a token, or an address that is one. */
export function isSensitive(path: Path): boolean {
  const key = path.findLast((step) => typeof step === "string");
  if (key === undefined) return false;
  return SENSITIVE_KEY.test(key) || isAddress(path);
}

/** Whoever posts to the address of a chat, say, is asked for no other password. */
function isAddress(path: Path): boolean {
  return path[0] === "webhooks" && path.at(-1) === "url";
}

/** Where tokens stand in the text itself instead of being referred to. */
export function writtenOut(parts: readonly Part[]): Path[] {
  const written = parts.flatMap((part) => literals(part.path, part.resolved.value, part));
  const schema = written.length === 0 ? {} : configJsonSchema();
  const vaults = parts.filter(({ path }) => path[0] === "vaults");
  const whole = { vaults: Object.fromEntries(vaults.map(({ path, resolved }) => [path[1], resolved.value])) };
  return written.filter((path) => !isNamedByPerson(schema, path, whole));
}

/** What deserves a word to the person although the configuration is right. */
export function remarks(text: Text, file: ConfigFile, parts: readonly Part[]): Warning[] {
  const found: Warning[] = [];
  if (parts.some(({ path }) => path[0] === "webhooks")) {
    const hint = "use the audit log until a later version sends them";
    found.push({ message: "webhooks are checked but not sent by this version", hint });
  }
  if (file.approval.linkInResults) {
    found.push({
      message:
        "approval.linkInResults puts the approval link where the agent reads it: an agent that can run commands can approve its own requests",
      hint: "remove it if your client shows the link anywhere else",
    });
  }
  found.push(...contradictions(file));
  if (text.source.is === "file") found.push(...aboutTheFile(text, parts));
  return found;
}

/** Rules of which one makes the other mean nothing. The stricter one counts. */
function contradictions({ vaults, approval }: ConfigFile): Warning[] {
  return Object.entries(vaults).flatMap(([name, { require = approval.require, minAssurance }]) => {
    const least = minAssurance === undefined ? undefined : parseAssurance(minAssurance);
    if (require !== "link" || least === undefined || least.proof === "link") return [];
    const place = pathText(["vaults", name]);
    return [
      {
        message: `${place} is to be approved with the link, and its minAssurance asks for more: a passkey is needed`,
        hint: "remove one of the two",
      },
    ];
  });
}

function aboutTheFile({ mode, around, source }: Text, parts: readonly Part[]): Warning[] {
  // An address is only as secret as its owner made it, so it is hidden and not complained of.
  const found = writtenOut(parts)
    .filter((path) => !isAddress(path))
    .map(literal);
  const path = source.is === "file" ? source.path : "";
  // Windows has no such modes: what stands there is made up by Node.
  if (around.platform !== "win32" && mode !== undefined && (mode & OTHERS_WRITE) !== 0) {
    found.push({
      message: "the configuration file can be changed by everybody on this computer",
      hint: `chmod o-w ${path}`,
    });
  }
  return found;
}

/** Whether the last key on the way is not an option but a name somebody chose, as an asset may be called "db-password". */
function isNamedByPerson(schema: Schema, path: Path, whole: unknown): boolean {
  const at = path.findLastIndex((step) => typeof step === "string");
  const above = fieldAt(schema, path.slice(0, at), whole);
  return at > 1 && Boolean(above?.additionalProperties) && !Object.hasOwn(above?.properties ?? {}, String(path[at]));
}

function literal(path: Path): Warning {
  return {
    message: `${pathText(path)} is written out in a file that is meant to be shared`,
    hint: 'put the value in a variable, or in the .env beside the file, and write "env:NAME" here',
  };
}

/** The paths below which a value is kept secret elsewhere and stands here in clear. */
function literals(path: Path, value: unknown, part: Part): Path[] {
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) =>
      literals([...path, Array.isArray(value) ? Number(key) : key], inner, part),
    );
  }
  if (typeof value !== "string" || value === "" || !isSensitive(path)) return [];
  const referred = [...part.resolved.taken, ...part.resolved.unset];
  return referred.some((reference) => samePath(reference.path, path)) ? [] : [path];
}
