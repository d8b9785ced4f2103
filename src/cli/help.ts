import type { Command } from "./command.ts";

/** The help of the whole program. */
export function programHelp(commands: readonly Command[], version: string): string {
  return lines([
    `agent-vault ${version}`,
    "Lets AI agents use secrets from your own vault, one approved request at a time.",
    "",
    "Usage: agent-vault [COMMAND] [OPTIONS]",
    "",
    "Without a command it serves MCP on standard input and output: your client starts it that way.",
    "",
    "Commands:",
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    "",
    "Options:",
    ...columns([
      ["-h, --help", "show this, or with a command what that command takes"],
      ["-v, --version", "print the version"],
    ]),
    "",
    "Exit status: 0 done, 1 failed, 2 wrong usage or configuration, 3 not allowed.",
  ]);
}

/** The help of one command. */
export function commandHelp({ name, summary, words = [], options, more = [] }: Command): string {
  const typed = words.map(({ value, optional }) => (optional ? ` [${value}]` : ` ${value}`)).join("");
  const rows = Object.entries(options).map(([option, { value, summary }]): [string, string] => [
    value === undefined ? `--${option}` : `--${option} ${value}`,
    summary,
  ]);
  return lines([
    `agent-vault ${name}: ${summary}`,
    "",
    `Usage: agent-vault ${name}${typed} [OPTIONS]`,
    "",
    ...(words.length === 0 ? [] : [...columns(words.map(({ value, summary }) => [value, summary])), ""]),
    "Options:",
    ...columns([...rows, ["-h, --help", "show this"]]),
    ...(more.length === 0 ? [] : ["", ...more]),
  ]);
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

function lines(texts: readonly string[]): string {
  return `${texts.join("\n")}\n`;
}
