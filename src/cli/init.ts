import { appendFile, lstat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { readTextFile } from "../config/file.ts";
import { isVaultName, VAULT_NAME_HINT } from "../config/names.ts";
import { nearestWord } from "../core/near.ts";
import { CONFIG_FILE, SCHEMA_FILE, SCHEMA_URL } from "../config/words.ts";
import { VaultError, type ExitStatus } from "../core/errors.ts";
import { quoted, visible } from "../core/text.ts";
import type { Context } from "./command.ts";
import { CLIENTS } from "./snippets.ts";

const SECRETS_FILE = ".env.secrets";
// With the star: while it is written to, a draft with the same values lies beside the file for a moment.
const IGNORED = [`${SECRETS_FILE}*`, ".env"];

/** Sets up the working folder. Writes only what is not there, and says what it did and what it left alone. */
export async function init(context: Context): Promise<ExitStatus> {
  const { cwd, err } = context;
  const vault = vaultName(context);
  const clients = chosenClients(context);
  const say = (line: string): void => err(`${line}\n`);

  const config = join(cwd, CONFIG_FILE);
  try {
    const made = await create(config, configText(vault, await schemaOf(cwd)), 0o644);
    say(made ? `made ${CONFIG_FILE}: one vault, ${quoted(vault)}` : `left alone: ${CONFIG_FILE} is there already`);
    if (made || (await mentionsSecretsFile(config))) {
      const secrets = await create(join(cwd, SECRETS_FILE), SECRETS_TEXT, 0o600);
      say(secrets ? `made ${SECRETS_FILE}: put your secrets there` : `left alone: ${SECRETS_FILE} is there already`);
    }
  } catch (error) {
    say(`agent-vault: ${visible(cwd)} cannot be written to (${codeOf(error)})`);
    say("hint: run agent-vault init in the folder of your project");
    return 1;
  }
  say(await ignore(cwd));
  say("");

  for (const client of clients) {
    const { title, where, lines } = client({ config });
    context.out(`${[`# ${title}`, ...where.map((line) => `# ${line}`), ...lines].join("\n")}\n\n`);
  }
  for (const line of advice(cwd)) say(line);
  return 0;
}

function vaultName({ options }: Context): string {
  const name = options["vault"] ?? "local";
  if (typeof name === "string" && isVaultName(name)) return name;
  throw new VaultError("usage", "--vault is not a name for a vault", { hint: VAULT_NAME_HINT });
}

function chosenClients({ options }: Context): (typeof CLIENTS)[string][] {
  const name = options["client"];
  if (typeof name !== "string") return Object.values(CLIENTS);
  const client = Object.hasOwn(CLIENTS, name) ? CLIENTS[name] : undefined;
  if (client !== undefined) return [client];
  const near = nearestWord(name, Object.keys(CLIENTS));
  throw new VaultError("usage", `--client does not know ${quoted(name)}`, {
    hint: near === undefined ? `it knows ${Object.keys(CLIENTS).join(", ")}` : `did you mean ${near}?`,
  });
}

/** Writes a file that was not there, whole. False when anything stands there, a link to nowhere included. */
async function create(path: string, text: string, mode: number): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: "wx", mode });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

function configText(vault: string, schema: string): string {
  return `{
  "$schema": ${JSON.stringify(schema)},

  // Comments and trailing commas may stay. Secrets may not: this file is meant to be committed. Where a token is
  // needed, write "env:NAME"; its value is read from the environment, or from a .env beside this file.
  "vaults": {
    ${JSON.stringify(vault)}: {
      // What keeps the secrets: agent-vault providers shows what else can.
      "type": "env",
      // Relative to this file; "~/" is your home folder.
      "file": "${SECRETS_FILE}",
      // For how many minutes an approval may stay open; 0 asks you every single time.
      "ttl": 15,
    },
  },

  // To approve from your phone: a free account at ngrok.com has an authtoken.
  // "ngrokAuthToken": "env:NGROK_AUTHTOKEN",
}
`;
}

const SECRETS_TEXT = `# What agents may ask for: NAME=value, one per line. Git ignores this file.
DATABASE_URL=replace-me
API_KEY=replace-me
`;

/** A schema that was installed with the project works without the network. */
async function schemaOf(cwd: string): Promise<string> {
  const installed = `node_modules/agent-vault/${SCHEMA_FILE}`;
  return (await exists(join(cwd, installed))) ? `./${installed}` : SCHEMA_URL;
}

async function mentionsSecretsFile(config: string): Promise<boolean> {
  const file = await readTextFile(config);
  return file.is === "read" && file.text.includes(`"${SECRETS_FILE}"`);
}

/** Adds what git should not see, where there is a repository or a .gitignore. Says what came of it. */
async function ignore(cwd: string): Promise<string> {
  const path = join(cwd, ".gitignore");
  const file = await readTextFile(path);
  if (file.is === "unusable") return `left alone: .gitignore ${file.why}; add ${IGNORED.join(" and ")} yourself`;
  if (file.is === "absent" && !(await isInRepository(cwd)))
    return "left alone: no .gitignore, this is no git repository";
  const text = file.is === "read" ? file.text : "";
  const lacking = IGNORED.filter((name) => !ignores(text, name));
  if (lacking.length === 0) return "left alone: .gitignore has its entries already";
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const gap = text === "" || text.endsWith("\n") ? "" : newline;
  try {
    await appendFile(path, `${gap}${lacking.join(newline)}${newline}`);
  } catch (error) {
    return `left alone: .gitignore could not be written (${codeOf(error)}); add ${lacking.join(" and ")} yourself`;
  }
  return `${file.is === "read" ? "added to" : "made"} .gitignore: ${lacking.join(", ")}`;
}

/** Whether the last line about a name ignores it. What it cannot tell it adds once more, which does no harm. */
function ignores(text: string, name: string): boolean {
  const patterns = [name, `/${name}`, `**/${name}`, ".env*", ...(name.startsWith(".env.") ? [".env.*"] : [])];
  const last = text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .findLast((line) => patterns.includes(line.replace(/^!/, "")));
  return last !== undefined && !last.startsWith("!");
}

async function isInRepository(folder: string): Promise<boolean> {
  if (await exists(join(folder, ".git"))) return true;
  return dirname(folder) !== folder && isInRepository(dirname(folder));
}

function advice(cwd: string): string[] {
  const project = basename(cwd).replace(/[^A-Za-z0-9._-]/g, "-") || "project";
  const file = `~/.config/agent-vault/${project}.env`;
  return [
    "Next:",
    `  1. put your secrets into ${SECRETS_FILE} and the lines above into your client, then restart the client`,
    "  2. agent-vault doctor shows whether all is well",
    "",
    "An agent can read the files in the folder where it works without asking anybody. Better keep the secrets elsewhere:",
    `  mkdir -p ~/.config/agent-vault && mv ${SECRETS_FILE} ${file}`,
    `  and in ${CONFIG_FILE}: "file": "${file}"`,
  ];
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
}
