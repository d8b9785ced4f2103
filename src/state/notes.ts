import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { VaultError } from "../core/errors.ts";
import type { Notes } from "../core/ports.ts";
import { closing } from "./faults.ts";
import type { StateFile } from "./file.ts";
import { rememberLocks } from "./lock-memory.ts";
import type { Use } from "./lock-memory.ts";
import { openNoteTable } from "./note-table.ts";
import type { KeptNote, NoteTable } from "./note-table.ts";
import { identify } from "./place.ts";

/** The notes of a user. */
export interface Notebook {
  /**
   * The notes of one scope; no scope sees another's. Scopes and keys are 1 to 1024 bytes of text, a record is at most
   * 16 KB of JSON, anything else is a `RangeError`. While the file cannot be used, or after `close`, every call throws
   * `provider_unavailable`; so does reading a record that is damaged: taking it for none would mean asking twice. A file
   * that another process has locked is waited for, 250 ms, by one call in a second; the others are refused at once.
   */
  readonly of: (scope: string) => Notes;
  /** Lets go of the file, waiting for nobody. Calling it again is free. */
  readonly close: () => void;
}

const MOST_NAME_BYTES = 1_024;
const MOST_RECORD_BYTES = 16_384;

/**
 * The notes in `notes.db` of the state folder. Nothing is opened before the first call, nor made before something is to
 * be kept.
 */
export function openNotes(folder: string, mono: Clock["mono"] = () => performance.now()): Notebook {
  const file = notesFile(join(folder, "notes.db"));
  let table: NoteTable | undefined;
  let isClosed = false;

  const unlessLocked = rememberLocks(file, mono);
  const attempt = <T>(use: Use, run: () => T): T => {
    if (isClosed) throw closing(file);
    return unlessLocked(use, run);
  };
  const using = <T>(use: Use, run: (notes: NoteTable) => T): T => {
    // What keeps the file from being opened keeps it from being looked into as well.
    const notes = (table ??= attempt("look", () => openNoteTable(file)));
    return attempt(use, () => run(notes));
  };
  const isThere = (): boolean => table !== undefined || identify(file.path) !== undefined;
  const usingKept = <T>(use: Use, run: (notes: NoteTable) => T): T | undefined =>
    attempt("look", isThere) ? using(use, run) : undefined;
  const parse = (text: string): unknown => parsed(text, file);
  const mapOf = (kept: readonly KeptNote[]): ReadonlyMap<string, unknown> =>
    new Map(kept.map(({ key, record }) => [key, parse(record)]));

  return {
    of: (scope) => {
      vetName("scope", scope);
      return {
        get: (key) => {
          vetName("key", key);
          const text = usingKept("look", (notes) => notes.get(scope, key));
          return text === undefined ? undefined : parse(text);
        },
        all: () => mapOf(usingKept("look", (notes) => notes.all(scope)) ?? []),
        put: (key, record) => {
          vetName("key", key);
          const text = textOf(record);
          using("change", (notes) => notes.put(scope, key, text));
        },
        add: (key, record) => {
          vetName("key", key);
          const text = textOf(record);
          return using("change", (notes) => notes.add(scope, key, text));
        },
        swap: (key, from, to) => {
          vetName("key", key);
          const [old, next] = [textOf(from), to === undefined ? undefined : textOf(to)];
          return usingKept("change", (notes) => notes.swap(scope, key, old, next)) ?? false;
        },
        delete: (key) => {
          vetName("key", key);
          usingKept("change", (notes) => notes.delete(scope, key));
        },
        deleteIf: (key, mayGo) => {
          vetName("key", key);
          return usingKept("change", (notes) => notes.deleteIf(scope, key, (all) => mayGo(mapOf(all)))) ?? false;
        },
      };
    },
    close: () => {
      isClosed = true;
      table?.close();
      table = undefined;
    },
  };
}

function notesFile(path: string): StateFile {
  const variable = process.platform === "win32" ? "LOCALAPPDATA" : "XDG_STATE_HOME";
  return {
    path,
    name: "the notes file",
    code: "provider_unavailable",
    elsewhere: `set ${variable} to another folder`,
    anew: "restart agent-vault without it: what a vault's people are deciding may then be asked for a second time",
  };
}

/** Names are kept as UTF-8, where texts that are no well-formed Unicode would become one and the same. */
function vetName(what: "scope" | "key", text: string): void {
  const bytes = Buffer.from(text);
  if (bytes.length >= 1 && bytes.length <= MOST_NAME_BYTES && bytes.toString() === text) return;
  throw new RangeError(`a ${what} of notes is 1 to ${MOST_NAME_BYTES} bytes of well-formed text`);
}

function textOf(record: unknown): string {
  const text: string | undefined = JSON.stringify(record);
  if (text !== undefined && Buffer.byteLength(text) <= MOST_RECORD_BYTES) return text;
  throw new RangeError(`a record of notes is at most ${MOST_RECORD_BYTES} bytes of JSON`);
}

function parsed(text: string, { code, name, path, anew }: StateFile): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new VaultError(code, `${name} ${path} holds a record that is damaged`, {
      hint: `move it aside, and ${anew}`,
      cause,
    });
  }
}
