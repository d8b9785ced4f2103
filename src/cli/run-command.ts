import { parseArgs } from "node:util";
import { loadConfig, type World } from "../config/load.ts";
import { workingFolder } from "../config/places.ts";
import { asVaultError, CODES, VaultError, type ExitStatus } from "../core/errors.ts";
import { nearestWord } from "../core/near.ts";
import { quoted, visible } from "../core/text.ts";
import type { Command, Io, Services } from "./command.ts";
import { commands } from "./commands.ts";
import { toPerson } from "./finding.ts";
import { commandHelp, programHelp } from "./help.ts";

/** The version of the program, put in by the build. */
declare const __VERSION__: string;

/**
 * Runs what was typed after `agent-vault`. Resolves to the exit status; a mistake of the person or of the world becomes
 * two lines on `err`. `world` is for tests.
 */
export async function runCommand(
  args: readonly string[],
  io: Io,
  services: Services,
  world: World = {},
): Promise<ExitStatus> {
  try {
    return await dispatch(args, io, services, world);
  } catch (error) {
    const known = asVaultError(error);
    if (known.code === "internal") throw error;
    io.err(`agent-vault: ${known.message}\n`);
    if (known.hint !== undefined) io.err(`hint: ${toPerson(known.hint)}\n`);
    return CODES[known.code].exit;
  }
}

async function dispatch(args: readonly string[], io: Io, services: Services, world: World): Promise<ExitStatus> {
  const [first = "--help", ...rest] = args;
  if (["--help", "-h", "help"].includes(first)) {
    const about = commands.find(({ name }) => name === rest[0]);
    io.out(about === undefined ? programHelp(commands, __VERSION__) : commandHelp(about));
    return 0;
  }
  if (["--version", "-v", "version"].includes(first)) {
    io.out(`${__VERSION__}\n`);
    return 0;
  }
  const command = commands.find(({ name }) => name === first);
  if (command === undefined) throw unknown(first);
  const { options, words } = readArguments(command, rest);
  if (options["help"] !== undefined) {
    io.out(commandHelp(command));
    return 0;
  }
  refuseTooFew(command, words);
  let loading: ReturnType<typeof loadConfig> | undefined;
  return command.run({
    ...io,
    options,
    words,
    services,
    cwd: world.cwd ?? startedIn(),
    version: __VERSION__,
    // Reading it once more would miss the tokens that the first time took out of the environment.
    load: () => (loading ??= loadConfig(world)),
  });
}

function startedIn(): string {
  const folder = workingFolder();
  if (folder !== undefined) return folder;
  throw new VaultError("usage", "the folder you are in is gone", { hint: "go to a folder that exists" });
}

function unknown(word: string): VaultError {
  const isOption = word.startsWith("-");
  const near = nearestWord(word.replace(/^-+/, ""), isOption ? ["help", "version"] : commands.map(({ name }) => name));
  // What stands after "=" might be a value that should not be shown.
  const shown = quoted(word.split("=", 1)[0] ?? "");
  const meant = near === undefined ? "" : `did you mean ${isOption ? "--" : ""}${near}? `;
  return new VaultError("usage", `${shown} is not ${isOption ? "an option" : "a command"}`, {
    hint: `${meant}agent-vault --help lists what there is`,
  });
}

/** What was typed after the name of a command. */
interface Typed {
  readonly options: Record<string, string | true>;
  readonly words: readonly string[];
}

function readArguments(command: Command, args: readonly string[]): Typed {
  const known = Object.entries(command.options);
  const { tokens } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", short: "h" },
      ...Object.fromEntries(
        known.map(([name, { value }]) => [name, { type: value === undefined ? "boolean" : "string" }]),
      ),
    },
    strict: false,
    tokens: true,
  });
  const found: Record<string, string | true> = {};
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      if (words.length === (command.words ?? []).length) throw tooMany(command);
      words.push(token.value);
      continue;
    }
    if (token.name === "help") found["help"] = true;
    else found[token.name] = optionValue(command, token);
  }
  return { options: found, words };
}

function tooMany({ words = [], ...command }: Command): VaultError {
  const most = words.length === 0 ? "no word" : words.length === 1 ? "one word" : `${words.length} words`;
  return wrong(command, `agent-vault ${command.name} takes ${most} after it`);
}

function refuseTooFew(command: Command, typed: readonly string[]): void {
  const missing = command.words?.[typed.length];
  if (missing === undefined || missing.optional) return;
  throw wrong(command, `agent-vault ${command.name} needs ${missing.value}: ${missing.summary}`);
}

function optionValue(
  command: Command,
  { name, value, inlineValue }: { name: string; value: string | undefined; inlineValue: boolean | undefined },
): string | true {
  const option = Object.hasOwn(command.options, name) ? command.options[name] : undefined;
  if (option === undefined) {
    const near = nearestWord(name, Object.keys(command.options));
    const hint = near === undefined ? undefined : `did you mean --${near}?`;
    throw wrong(command, `agent-vault ${command.name} has no option --${visible(name)}`, hint);
  }
  if (option.value === undefined) {
    if (value !== undefined) throw wrong(command, `--${name} takes no value`);
    return true;
  }
  // "--vault --json": the value was forgotten, and --json is not it.
  const forgotten = value === undefined || value === "" || (inlineValue !== true && value.startsWith("-"));
  if (forgotten) throw wrong(command, `--${name} needs a value`, `write --${name} ${option.value}`);
  return value;
}

function wrong(
  command: Command,
  message: string,
  hint = `agent-vault ${command.name} --help lists what it takes`,
): VaultError {
  return new VaultError("usage", message, { hint });
}
