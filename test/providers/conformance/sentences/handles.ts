import { VaultError } from "../../../../src/core/errors.ts";
import { codes, must, readEach, resolve, verify } from "../outcomes.ts";
import { sentence } from "../sentence.ts";

export const renamed = sentence(
  "reads the secret that was shown, or nothing, once it is renamed",
  [],
  async (stage) => {
    const value = stage.secret("shown");
    const backend = await stage.start([["DB_PASSWORD", value]]);
    const provider = await stage.open(backend);
    const handles = await resolve(stage, provider, "DB_PASSWORD");
    await backend.rename("DB_PASSWORD", "DB_PASSWORD_OLD");
    const outcome = must((await readEach(stage, provider, handles))[0]);
    verify(outcome instanceof VaultError ? outcome.code : outcome.reveal()).toBeOneOf(["conflict", value]);
  },
);

export const supplanted = sentence(
  "never reads the secret that has taken the name of the one shown",
  [],
  async (stage) => {
    const [shown, other] = [stage.secret("shown"), stage.secret("other")];
    const backend = await stage.start([["DB_PASSWORD", shown]]);
    const provider = await stage.open(backend);
    const handles = await resolve(stage, provider, "DB_PASSWORD");
    await backend.rename("DB_PASSWORD", "DB_PASSWORD_OLD");
    await backend.put("DB_PASSWORD", other);
    const outcome = must((await readEach(stage, provider, handles))[0]);
    verify(outcome instanceof VaultError ? outcome.code : outcome.reveal()).toBeOneOf(["conflict", shown]);
  },
);

export const deleted = sentence("reports a conflict for what was deleted after the question", [], async (stage) => {
  const [gone, stays] = [stage.secret("gone"), stage.secret("stays")];
  const backend = await stage.start([
    ["DB_PASSWORD", gone],
    ["STRIPE_KEY", stays],
  ]);
  const provider = await stage.open(backend);
  const handles = await resolve(stage, provider, "DB_PASSWORD", "STRIPE_KEY");
  await backend.remove("DB_PASSWORD");
  verify(codes(await readEach(stage, provider, handles))).toEqual(["conflict", "ok"]);
});

export const rotated = sentence("reads the value as it is when it is read", [], async (stage) => {
  const [old, now] = [stage.secret("old"), stage.secret("now")];
  const backend = await stage.start([["DB_PASSWORD", old]]);
  const provider = await stage.open(backend);
  const handles = await resolve(stage, provider, "DB_PASSWORD");
  await readEach(stage, provider, handles);
  await backend.put("DB_PASSWORD", now);
  const outcome = must((await readEach(stage, provider, handles))[0]);
  verify(outcome instanceof VaultError ? outcome.code : outcome.reveal()).toBe(now);
});
