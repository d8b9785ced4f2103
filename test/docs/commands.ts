import { existsSync } from "node:fs";
import { join } from "node:path";
import { commands } from "../../src/cli/commands.ts";
import { CLIENTS } from "../../src/cli/snippets.ts";
import { blocksOf, read, ROOT, spansOf } from "./documents.ts";

const scripts = Object.keys((JSON.parse(read("package.json")) as { scripts: object }).scripts);

/** Whatever a document tells people to type that is not there. */
export function wrongCommands(text: string): string[] {
  const toType = [...linesOf(text, ["sh"]), ...spansOf(text)];
  // What is to be pasted elsewhere speaks of agent-vault, but of another project's scripts and files.
  const toPaste = linesOf(text, ["text", "markdown"]);
  return [
    ...[...toType, ...toPaste].flatMap(wrongOurs),
    ...toType.flatMap((line) => [...wrongScripts(line), ...wrongFiles(line)]),
  ];
}

function linesOf(text: string, languages: readonly string[]): string[] {
  const blocks = blocksOf(text).filter(({ language }) => languages.includes(language));
  return blocks.flatMap((block) => block.text.replaceAll("\\\n", " ").split("\n"));
}

function wrongOurs(line: string): string[] {
  return [...line.matchAll(/(?:^|npx |\$\(|`)agent-vault ([^`|)]*)/g)].flatMap(([, typed = ""]) => {
    const [name = "", ...words] = typed.trim().split(/\s+/);
    if (name.startsWith("--")) return ["--help", "--version", "--method"].includes(name) ? [] : [`agent-vault ${name}`];
    const command = commands.find((known) => known.name === name);
    if (command === undefined) return [`agent-vault ${name}`];
    return words.flatMap((word, at) => {
      if (!word.startsWith("--")) return [];
      const option = Object.hasOwn(command.options, word.slice(2)) ? command.options[word.slice(2)] : undefined;
      if (option === undefined) return [`agent-vault ${name} ${word}`];
      const value = words[at + 1];
      if (option.value !== undefined && (value === undefined || value.startsWith("--")))
        return [`agent-vault ${name} ${word} without a value`];
      return word === "--client" && !Object.hasOwn(CLIENTS, value ?? "") ? [`--client ${value}`] : [];
    });
  });
}

function wrongScripts(line: string): string[] {
  const named = [...line.matchAll(/\bnpm (?:run ([\w:-]+)|(test)\b)/g)].map(([, run, test]) => run ?? test ?? "");
  return named.filter((name) => !scripts.includes(name)).map((name) => `npm run ${name}`);
}

function wrongFiles(line: string): string[] {
  const files = line.match(/(?:^| )(?:test|src|scripts|bench)\/[\w./-]+/g) ?? [];
  return files.map((file) => file.trim()).filter((file) => !existsSync(join(ROOT, file)));
}
