import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../support/fake-clock.ts";
import { type FakeFault, fakeOnePassword, TOKEN } from "../../support/fake-onepassword.ts";
import { providerContext } from "../../support/provider-context.ts";
import { errorOf, get, handleOf, SIGNAL } from "./support.ts";

function world() {
  const fake = fakeOnePassword({ vaults: [{ title: "Work", items: { a: "hunter2-a" } }] });
  const clock = new FakeClock();
  return { fake, clock, open: () => fake.open(providerContext({ clock })) };
}

describe("a 1Password service account", () => {
  it("loads nothing and signs in nowhere before it is needed", async () => {
    const { fake, open } = world();
    let loaded = 0;
    const { loadSdk } = fake;
    Object.assign(fake, { loadSdk: () => ((loaded += 1), loadSdk()) });
    const provider = await open();
    expect([loaded, fake.total()]).toEqual([0, 0]);
    await provider.list?.(SIGNAL);
    expect(loaded).toBe(1);
  });

  it("signs in once for calls that come together, and again after a failure", async () => {
    const { fake, open } = world();
    const provider = await open();
    fake.fail("outage");
    expect((await errorOf(provider.list?.(SIGNAL) ?? Promise.resolve())).code).toBe("provider_unavailable");
    expect((await errorOf(provider.check?.(SIGNAL) ?? Promise.resolve())).code).toBe("provider_unavailable");
    expect(fake.calls.get("signIn")).toBe(2);
    fake.mend();
    await Promise.all([provider.list?.(SIGNAL), provider.check?.(SIGNAL), provider.resolve(["a"], SIGNAL)]);
    expect(fake.calls.get("signIn")).toBe(3);
  });

  it.each<[FakeFault, string]>([
    ["wrong", "provider_auth"],
    ["expired", "provider_expired"],
    ["insufficient", "provider_forbidden"],
    ["limited", "rate_limited"],
    ["outage", "provider_unavailable"],
    ["refused", "provider_unavailable"],
    ["page", "provider_unavailable"],
  ])("tells %s apart, at sign-in and later", async (fault, code) => {
    const { fake, open } = world();
    const settled = await open();
    const handle = await handleOf(settled, "a");
    fake.fail(fault);
    const fresh = await open();
    for (const work of [
      () => fresh.list?.(SIGNAL),
      () => fresh.check?.(SIGNAL),
      () => fresh.resolve(["a"], SIGNAL),
      () => settled.check?.(SIGNAL),
      () => settled.read([handle], SIGNAL),
    ]) {
      const error = await errorOf(work() ?? Promise.resolve());
      expect(error.code).toBe(code);
      expect(error.hint).toBeTruthy();
    }
  });

  it("signs in once more when the session has run out, and goes on", async () => {
    const { fake, open } = world();
    const provider = await open();
    expect(await get(provider, "a")).toEqual(["hunter2-a"]);
    fake.fail("session");
    expect(await get(provider, "a")).toEqual(["hunter2-a"]);
    expect(fake.calls.get("signIn")).toBe(2);
  });

  it("leaves a limited account alone for a minute, says for how long, and goes on then", async () => {
    const { fake, clock, open } = world();
    const provider = await open();
    const handle = await handleOf(provider, "a");
    fake.fail("limited");
    expect((await errorOf(provider.read([handle], SIGNAL))).code).toBe("rate_limited");
    fake.mend();
    const before = fake.total();
    clock.advance(13_000);
    const error = await errorOf(provider.read([handle], SIGNAL));
    expect(error).toMatchObject({ code: "rate_limited", hint: expect.stringContaining("in 47 s") });
    expect(await provider.list?.(SIGNAL)).toEqual(["a"]);
    expect(fake.total()).toBe(before);
    clock.advance(47_000);
    expect(await get(provider, "a")).toEqual(["hunter2-a"]);
  });

  it("gives up on an account that never answers, whether at sign-in or later", async () => {
    const { fake, clock, open } = world();
    const settled = await open();
    const handle = await handleOf(settled, "a");
    fake.fail("silent");
    const fresh = await open();
    for (const work of [() => fresh.list?.(SIGNAL), () => settled.read([handle], SIGNAL)]) {
      const asked = new Promise<void>((resolve) => {
        fake.before = () => resolve();
      });
      const failing = errorOf(work() ?? Promise.resolve());
      await asked;
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(30_000);
      expect((await failing).code).toBe("provider_unavailable");
    }
  });

  it("keeps the token out of everything that can be looked at", async () => {
    const { fake, open } = world();
    const provider = await open();
    await provider.list?.(SIGNAL);
    expect(inspect(provider, { depth: 20, showHidden: true })).not.toContain(TOKEN);
    fake.options satisfies { serviceAccountToken: string };
    const wrong = await fake.open(providerContext(), { serviceAccountToken: "ops_canary-wrong-token" });
    const error = await errorOf(wrong.list?.(SIGNAL) ?? Promise.resolve());
    expect(error.code).toBe("provider_auth");
    expect(error.cause).toBeUndefined();
  });
});
