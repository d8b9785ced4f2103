import { must, resolve, verify } from "../outcomes.ts";
import { breakBackend, door, sentence } from "../sentence.ts";

export const preparesAtOnce = sentence(
  "prepares at once and for nothing where nothing is pending",
  ["prepare"],
  async (stage) => {
    const backend = await stage.start([["DB_PASSWORD", stage.secret("one")]]);
    const calls = door(backend, "calls");
    const provider = await stage.open(backend);
    const handles = await resolve(stage, provider, "DB_PASSWORD");
    const before = calls();
    const said: string[] = [];
    const outcomes = await must(provider.prepare)(handles, {
      reason: "to see whether promises are kept",
      requester: { claims: { client: "conformance" }, facts: { user: "ada", host: "box", folder: "/work" } },
      signal: stage.signal,
      waiting: (text) => void said.push(text),
    });
    verify(outcomes).toEqual(["ready"]);
    verify(calls()).toEqual(before);
    verify(said).toEqual([]);
  },
);

export const endsQuietly = sentence(
  "hears that permissions ended, and closes, without complaint",
  [],
  async (stage) => {
    const backend = await stage.start([["DB_PASSWORD", stage.secret("one")]]);
    const [unused, used] = [await stage.open(backend), await stage.open(backend)];
    await resolve(stage, used, "DB_PASSWORD");
    for (const provider of [unused, used]) {
      provider.ended?.(() => true);
      provider.ended?.(() => false);
      await provider.close?.();
      await provider.close?.();
    }
  },
);

export const closesBroken = sentence("closes without complaint when the vault is gone", [], async (stage) => {
  const backend = await stage.start([["DB_PASSWORD", stage.secret("one")]]);
  const provider = await stage.open(backend);
  await resolve(stage, provider, "DB_PASSWORD");
  await breakBackend(backend, "outage");
  provider.ended?.(() => false);
  await stage.settle(provider.close?.() ?? Promise.resolve(), backend);
});
