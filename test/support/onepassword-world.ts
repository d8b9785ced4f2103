import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import type { FakeState } from "./fake-onepassword-core.ts";
import { fakeOnePassword, TOKEN, type VaultSeed } from "./fake-onepassword.ts";
import { hooked } from "./hooked.ts";

const require = createRequire(import.meta.url);
const ROOT = resolve(import.meta.dirname, "../..");

/** A fake 1Password account for the real program: what its environment has to hold, and what stands in the account now. */
export interface OnePasswordWorld {
  /** What to start instead of the program: the same, in front of that account. */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  readonly state: () => FakeState;
  readonly remove: () => void;
}

/** Makes the hook and the account's file. The oldest Node we support takes no TypeScript. */
export async function onePasswordWorld(vaults: readonly VaultSeed[]): Promise<OnePasswordWorld> {
  const cache = join(ROOT, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "onepassword-"));
  const hook = join(folder, "hook.mjs");
  await build({
    entryPoints: [require.resolve("./fake-onepassword-hook.ts")],
    outfile: hook,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    packages: "external",
    logLevel: "silent",
  });
  const account = join(folder, "account.json");
  writeFileSync(account, JSON.stringify(fakeOnePassword({ vaults }).state));
  return {
    program: hooked(folder, hook),
    env: {
      FAKE_ONEPASSWORD: account,
      OP_SERVICE_ACCOUNT_TOKEN: TOKEN,
    },
    state: () => JSON.parse(readFileSync(account, "utf8")) as FakeState,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
