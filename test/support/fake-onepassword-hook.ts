// Loaded before the real program, in a process of its own: there, and only there, the package
// @1password/sdk signs in to a fake account that lies in the file FAKE_ONEPASSWORD. The program has no switch for this.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { FakeState } from "./fake-onepassword-core.ts";
import { fakeFrom } from "./fake-onepassword.ts";

const path = process.env["FAKE_ONEPASSWORD"];
if (path === undefined) throw new Error("FAKE_ONEPASSWORD is not set");
const sdk = createRequire(import.meta.url)("@1password/sdk") as { createClient: unknown };
const state = JSON.parse(readFileSync(path, "utf8")) as FakeState;
const fake = fakeFrom(state, () => {
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
});
const { createClient } = await fake.loadSdk();
sdk.createClient = createClient;
