// One broker's view of an env file, in a process of its own. Orders come on stdin, one JSON array per line; each is
// answered with one line on stdout.
import { createInterface } from "node:readline";
import { VaultError } from "../../../../src/core/errors.ts";
import { Secret } from "../../../../src/core/secret.ts";
import { env } from "../../../../src/providers/env/index.ts";
import { withLock } from "../../../../src/providers/env/lock.ts";
import { providerContext } from "../../../support/provider-context.ts";

const file = process.argv[2] ?? "";
const signal = new AbortController().signal;
const provider = await env.open({ file }, providerContext());

const orders: Record<string, (...words: string[]) => Promise<unknown>> = {
  list: async () => (await provider.list?.(signal))?.length,
  get: async (name = "") => {
    const [handle] = await provider.resolve([name], signal);
    if (handle instanceof VaultError) throw handle;
    const [secret] = await provider.read(handle ? [handle] : [], signal);
    if (secret instanceof VaultError) throw secret;
    return secret?.reveal();
  },
  set: async (name = "", value = "") => {
    const [plan] = (await provider.planWrite?.([{ name, value: new Secret(value) }], signal)) ?? [];
    if (plan === undefined || plan instanceof VaultError) throw plan ?? new Error("no plan");
    const [outcome] = (await provider.write?.([{ plan, value: new Secret(value) }], signal)) ?? [];
    if (outcome instanceof VaultError) throw outcome;
    return "saved";
  },
  // Says each save as soon as it is done, until the process is killed.
  storm: async (prefix = "") => {
    for (let round = 0; ; round++) {
      await orders["set"]?.(`${prefix}${round % 40}`, `hunter2-4711-${prefix}-${round}`);
      say({ ok: round });
    }
  },
  hold: () => withLock(file, signal, () => (say({ ok: "holding" }), new Promise(() => {}))),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [order = "", ...words] = JSON.parse(line) as string[];
  try {
    say({ ok: await orders[order]?.(...words) });
  } catch (error) {
    say(
      error instanceof VaultError
        ? { code: error.code, message: error.message, hint: error.hint }
        : { crash: String(error) },
    );
  }
}

function say(answer: unknown): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
