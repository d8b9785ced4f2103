import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");

/** A piece of code in a document. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** Whether `<!-- part -->` stands before it: some keys of a configuration, not all of one. */
  readonly part: boolean;
}

/** The Markdown that people are given, by its path below the repository. */
export const DOCUMENTS: readonly string[] = ["", "docs/", "docs/providers/"].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}${name}`),
);

export function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

export function blocksOf(text: string): Block[] {
  return [...text.matchAll(/(<!-- part -->\n)?^```(\w*)\n([\s\S]*?)^```$/gm)].map(
    ([, part, language = "", text = ""]) => ({
      language,
      text,
      part: part !== undefined,
    }),
  );
}

/** What stands between single backticks, outside blocks. */
export function spansOf(text: string): string[] {
  return [...proseOf(text).matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
}

/** The cells of the table under a heading line such as `| tool | arguments | result |`, without that line. */
export function tableOf(text: string, heading: string): string[][] {
  const from = text.indexOf(`\n${heading}\n`);
  if (from === -1) return [];
  const [, , ...lines] = text.slice(from + 1).split("\n");
  const end = lines.findIndex((line) => !line.startsWith("|"));
  return lines.slice(0, end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** Links, pictures and paths in backticks that lead nowhere. */
export function deadLinks(path: string, text: string): string[] {
  const prose = proseOf(text);
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)|\b(?:src|href)="([^"]+)"/g)].map(([, a, b]) => a ?? b ?? "");
  const anchors = new Set([...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => anchorOf(title)));
  const isDead = (link: string): boolean => {
    if (link.startsWith("https://")) return false;
    if (link.startsWith("#")) return !anchors.has(link.slice(1));
    return !existsSync(join(ROOT, dirname(path), link.split("#", 1)[0] ?? ""));
  };
  const files = spansOf(text).filter((span) => /^(?:test|src|scripts|docs|bench)\/[\w./-]+$/.test(span));
  return [...links.filter(isDead), ...files.filter((file) => !existsSync(join(ROOT, file)))];
}

function proseOf(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, "");
}

function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}
