import { VaultError } from "../../core/errors.ts";
import type { Each, Provider } from "../../core/ports.ts";
import type { Handle } from "../../core/request.ts";
import { newCommitmentKey, Secret } from "../../core/secret.ts";
import { quoted, visible } from "../../core/text.ts";
import type { ProviderContext } from "../define.ts";
import { readEnvFile, realPath } from "./file.ts";
import { closeTo } from "../../core/near.ts";
import type { Parser } from "./splice.ts";
import { warningsOf } from "./warnings.ts";
import { planWrites, write, type Target } from "./write.ts";

/**
 * An env file as a vault. It is read afresh for every call, so a rotated value is seen at once; the names are exactly
 * the keys that dotenv sees. A handle is the file's real path and the key.
 */
export async function openEnvFile(path: string, context: ProviderContext): Promise<Provider> {
  // Bundled CommonJS has a default export only.
  const { parse } = (await import("dotenv")).default;
  // dotenv's two parsers read every text alike (test/hard compares them); this one takes a third of the time, and a
  // time that grows with the text only.
  const fast: Parser = (text) => parse(text, { fast: true });
  const target: Target = { path, parse: fast, parsers: [fast, (text) => parse(text)], key: newCommitmentKey(), refOf };
  const warnOnce = once(() => warningsOf(path, context.workFolder).forEach(context.warn));

  function open(signal: AbortSignal): { real: string; values: Readonly<Record<string, string>> } {
    refuseAborted(signal);
    const real = realPath(path);
    const values = fast(readEnvFile(real).text);
    warnOnce();
    return { real, values };
  }

  return {
    list: async (signal) => Object.keys(open(signal).values),

    resolve: async (names, signal) => {
      const { real, values } = open(signal);
      const missing = names.filter((name) => !Object.hasOwn(values, name)).length;
      const known = missing > 0 ? Object.keys(values) : [];
      return names.map((name): Handle | VaultError =>
        Object.hasOwn(values, name)
          ? { name, ref: refOf(real, name), checked: true }
          : notFound(name, real, closeTo(name, known, missing)),
      );
    },

    read: async (handles, signal): Promise<Each<Secret>> => {
      const { real, values } = open(signal);
      return handles.map(({ name, ref }) => {
        if (ref !== refOf(real, name)) return moved(name, "the env file is now another one");
        const value = Object.hasOwn(values, name) ? values[name] : undefined;
        return value === undefined ? moved(name, `it is no longer in ${visible(real)}`) : new Secret(value);
      });
    },

    planWrite: async (entries, signal) => {
      refuseAborted(signal);
      const plans = planWrites(target, entries);
      warnOnce();
      return plans;
    },

    write: (entries, signal) => write(target, entries, signal),

    check: async (signal) => {
      const { real, values } = open(signal);
      const count = Object.keys(values).length;
      return [`env file ${visible(real)}: ${count} ${count === 1 ? "name" : "names"}`];
    },
  };
}

/** JSON keeps path and key apart, so no two secrets share an address. */
function refOf(real: string, key: string): string {
  return JSON.stringify([real, key]);
}

function refuseAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new VaultError("cancelled", "the call was cancelled before the env file was opened");
}

function notFound(name: string, real: string, close: readonly string[]): VaultError {
  const meant = close.map(quoted).join(" or ");
  return new VaultError("secret_not_found", `${quoted(name)} is not in env file ${visible(real)}`, {
    hint:
      meant === ""
        ? "call list_secrets for the names there are"
        : `did you mean ${meant}? list_secrets shows all names`,
  });
}

function moved(name: string, what: string): VaultError {
  return new VaultError("conflict", `${quoted(name)} was not read: ${what} since the request was made`, {
    hint: "make the same request again; a person will be asked about what is there now",
  });
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (!done) run();
    done = true;
  };
}
