import { format, inspect } from "node:util";
import { type Canary, hunt } from "../../support/canaries.ts";
import { verify } from "./outcomes.ts";

/** Fails when a canary can be found in anything that was seen, however it is printed. */
export function verifyNoTrace(canaries: readonly Canary[], seen: readonly (readonly [string, unknown])[]): void {
  const places = new Map(
    seen.map(([what, thing], index) => [`${what} (${index})`, Buffer.from(shown(thing))] as const),
  );
  const found = hunt(canaries, places);
  verify(found, found.slice(0, 3).join("; ")).toEqual([]);
}

/** A thing in all the ways a log or a person may come to see it. */
function shown(thing: unknown): string {
  const ways = [
    inspect(thing, { depth: 8, showHidden: true, maxStringLength: null, maxArrayLength: null }),
    json(thing),
  ];
  if (Array.isArray(thing)) for (const part of thing) ways.push(String(part), ...errorText(part));
  return [...ways, String(thing), ...errorText(thing)].join("\n");
}

function errorText(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const { name, message, stack = "", cause } = error;
  const hint = "hint" in error ? String(error.hint) : "";
  return [name, message, hint, stack, ...(cause === undefined ? [] : [shown(cause)])];
}

function json(thing: unknown): string {
  try {
    return JSON.stringify(thing) ?? "";
  } catch {
    // What refers to itself has no JSON; inspection has seen it.
    return "";
  }
}

const TO_STDOUT = ["log", "info", "debug", "dir", "table"] as const;
const TO_STDERR = ["warn", "error", "trace"] as const;

/** What is printed from now on, in any of the ways a library may print. */
export interface Heard {
  readonly text: () => string;
  /** The part that went where the protocol has to be alone. */
  readonly onStdout: () => string;
  readonly stop: () => void;
}

/** Keeps it, until stopped. */
export function listen(): Heard {
  const [out, err]: [string[], string[]] = [[], []];
  const undo: (() => void)[] = [];
  const hear = (methods: readonly (typeof TO_STDOUT | typeof TO_STDERR)[number][], parts: string[]): void => {
    for (const method of methods) {
      const own = console[method];
      console[method] = (...args: unknown[]) => void parts.push(format(...args));
      undo.push(() => (console[method] = own));
    }
  };
  hear(TO_STDOUT, out);
  hear(TO_STDERR, err);
  for (const [stream, parts] of [[process.stdout, out] as const, [process.stderr, err] as const]) {
    const own = stream.write.bind(stream);
    stream.write = (chunk: string | Uint8Array, ...rest: []): boolean => {
      parts.push(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("latin1"));
      return own(chunk, ...rest);
    };
    undo.push(() => Reflect.deleteProperty(stream, "write"));
  }
  return {
    text: () => [...out, ...err].join("\n"),
    onStdout: () => out.join("\n"),
    stop: () => undo.forEach((back) => back()),
  };
}
