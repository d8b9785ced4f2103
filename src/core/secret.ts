import { createHmac, randomBytes } from "node:crypto";
import { visible, visibleProse } from "./text.ts";

/** What a person may see of a value about to be written. Short values show their length and nothing else. */
export interface Preview {
  readonly length: number;
  readonly head?: string;
  readonly tail?: string;
}

const PREVIEW_FROM = 24;
const PREVIEW_ENDS = 3;
const WHOLE_WORD_BELOW = 6;
const LONG_LINE = 16;
const inspect = Symbol.for("nodejs.util.inspect.custom");

/** A value that refuses to be printed: string conversion, JSON and inspection all show `[secret]`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Called only in the files that test/architecture.test.ts lists. */
  reveal(): string {
    return this.#value;
  }

  /** The number of characters; under 24 of them nothing more, above that the first and last three. */
  preview(): Preview {
    const chars = [...this.#value];
    if (chars.length < PREVIEW_FROM) return { length: chars.length };
    return {
      length: chars.length,
      head: visible(chars.slice(0, PREVIEW_ENDS).join("")),
      tail: visible(chars.slice(-PREVIEW_ENDS).join("")),
    };
  }

  /**
   * Whether a text gives the value away, as it is or as texts are shown (a key of several lines reads otherwise there).
   * Values under six characters count only as whole words.
   */
  isIn(text: string): boolean {
    const value = this.#value.trim();
    if (value === "") return false;
    if (value.length < WHOLE_WORD_BELOW) return standsAlone(text, value);
    if (text.includes(value)) return true;
    // Half a private key is as bad as a whole one: any long line of the value counts.
    const lines = value.split(/[\r\n]+/).map((line) => line.trim());
    if (lines.length > 1 && lines.some((line) => line.length >= LONG_LINE && isBody(line) && text.includes(line)))
      return true;
    // Shown, a text only grows, but for its blanks: what is too long already need not be looked at closely.
    if (value.replace(/\s+/g, "").length > text.length) return false;
    return text.includes(visible(value)) || text.includes(visibleProse(value));
  }

  /** Keyed fingerprint that tells two values apart without telling anything about them. */
  commitment(key: CommitmentKey): string {
    // UTF-8 has one and the same replacement for every lone surrogate.
    return createHmac("sha256", key.bytes).update(this.#value, "utf16le").digest("base64url");
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect](): string {
    return "[secret]";
  }
}

/** Armour such as `-----BEGIN PRIVATE KEY-----` is in everybody's key and gives nothing away. */
function isBody(line: string): boolean {
  return !/^-{3,}.*-{3,}$/.test(line);
}

function standsAlone(text: string, value: string): boolean {
  const word = /[\p{L}\p{N}_]/u;
  for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + 1)) {
    if (!word.test(text[at - 1] ?? "") && !word.test(text[at + value.length] ?? "")) return true;
  }
  return false;
}

/** Random key that lives and dies with the process: a bare hash of a short value could be guessed. */
export interface CommitmentKey {
  readonly bytes: Buffer;
}

export function newCommitmentKey(): CommitmentKey {
  return { bytes: randomBytes(32) };
}
