// A process that works on the notes of a folder. Started by notes-processes.ts, which bundles it.
import { writeSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { openNotes } from "../../src/state/notes.ts";

const [mode = "", folder = "", label = ""] = process.argv.slice(2);
const say = (line: string): void => void writeSync(1, `${line}\n`);
const notebook = openNotes(folder);
const notes = notebook.of("12port/acme");
const told = createInterface(process.stdin);

switch (mode) {
  case "add":
    say("ready");
    for await (const key of told) say(`${key} ${outcomeOf(() => notes.add(key, { by: label }))}`);
    break;
  case "swap":
    say("ready");
    for await (const key of told) say(`${key} ${outcomeOf(() => notes.swap(key, { by: "nobody" }, { by: label }))}`);
    break;
  case "open":
    say("ready");
    for await (const place of told) say(`${place} ${outcomeOf(() => openedAndAdded(place))}`);
    break;
  case "put":
    for (let n = 1; ; n++) {
      notes.put(`${label}-${n}`, { id: n });
      say(`${label}-${n}`);
      await new Promise((resolve) => told.once("line", resolve));
    }
  case "some":
    some();
    break;
  case "first-use":
    firstUse();
    break;
  case "try":
    say(outcomeOf(() => notes.put("request", { id: "REQ-4711" })));
    break;
  default:
    throw new Error(`unknown mode ${mode}`);
}
notebook.close();
told.close();

function openedAndAdded(place: string): boolean {
  const own = openNotes(place);
  try {
    return own.of("12port/acme").add("request", { by: label });
  } finally {
    own.close();
  }
}

/** What is put stays; what is only passing comes and goes between, and has the log folded back each time. */
function some(): void {
  for (let n = 1; n <= 150; n++) {
    notes.put(`passing-${n}`, { id: n });
    notes.put(`${label}-${n}`, { id: n, padding: "x".repeat((n * 97) % 6_000) });
    say(`${label}-${n}`);
    notes.delete(`passing-${n}`);
    if (notes.add(`${label}-added-${n}`, { id: n })) say(`${label}-added-${n}`);
  }
}

function firstUse(): void {
  const loaded = (): boolean =>
    Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes("better-sqlite3"));
  notes.get("request");
  notes.all();
  notes.delete("request");
  say(`looked: ${loaded()}`);
  notes.put("request", { id: "REQ-4711" });
  say(`kept: ${loaded()}`);
}

function outcomeOf(run: () => unknown): string {
  try {
    return String(run());
  } catch (error) {
    if (!(error instanceof Error && "code" in error && "hint" in error)) return String(error);
    return JSON.stringify({ code: error.code, message: error.message, hint: error.hint });
  }
}
