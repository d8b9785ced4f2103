// What is known to be refused is refused before a person is asked for it.
import { describe, expect, it } from "vitest";
import type { Provider } from "../../../src/core/ports.ts";
import { twelveport } from "../../../src/providers/twelveport/index.ts";
import { loadPatched } from "../../support/patched.ts";
import { providerContext } from "../../support/provider-context.ts";
import { ask, handlesOf, never, refusal, type Scene, scene, settle } from "./support.ts";

const PASSWORD = "hunter2-4711";

async function rejected(options: object = {}): Promise<Scene & { readonly id: string; readonly provider: Provider }> {
  const made = await scene();
  const { id } = made.fake.add({ name: "db", password: PASSWORD, way: "approvers" });
  const provider = await made.open(options);
  const waiting = (text: string): void => {
    if (text.startsWith("waiting for 12Port's approvers: ")) made.fake.reject("db");
  };
  await refusal(settle(made.clock, ask(provider, "db", { waiting })));
  return { ...made, id, provider };
}

/** Calls that are about an asset or a request; a name has to be looked up all the same. */
function asking({ fake: { calls } }: Scene): object {
  const { credentials, createRequest, requestStatus, completeRequest } = calls;
  return { credentials, createRequest, requestStatus, completeRequest };
}

const DENIED = {
  code: "upstream_denied",
  message: 'the approvers of 12Port turned down access to asset "db" (request 4711)',
  hint: "ask the user what to do instead; 12Port is not asked again before 2026-11-20 15:32 UTC",
};

describe("an asset that was rejected", () => {
  it("is refused by name and by field, in the same words, in another process too", async () => {
    const made = await rejected();
    const before = asking(made);
    for (const provider of [made.provider, await made.open()]) {
      expect(await refusal(provider.resolve(["db"], never), PASSWORD)).toMatchObject(DENIED);
      expect(await refusal(provider.fields?.("db", ["*"], never) ?? Promise.resolve())).toMatchObject(DENIED);
    }
    expect(asking(made)).toEqual(before);
  });

  it("is refused by its id without any call at all", async () => {
    const { fake, open, id } = await rejected();
    const provider = await open({ assets: { db: id } });
    const before = { ...fake.calls };
    expect(await refusal(provider.resolve([id], never))).toMatchObject(DENIED);
    expect(await refusal(provider.resolve(["db"], never))).toMatchObject(DENIED);
    expect(fake.calls).toEqual(before);
  });

  it("is refused for itself: another one of the same question is not", async () => {
    const { fake, provider } = await rejected();
    fake.add({ name: "plain" });
    const outcomes = await provider.resolve(["plain", "db", "nowhere"], never);
    expect(outcomes.map((each) => ("code" in each ? each.code : each.name))).toEqual([
      "plain",
      "upstream_denied",
      "secret_not_found",
    ]);
  });

  it('can be asked for once that time is over, and after five minutes with onReject "ask"', async () => {
    const { clock, provider, open } = await rejected();
    const other = await open({ onReject: "ask" });
    clock.advance(5 * 60_000 - 60_000);
    expect((await refusal(other.resolve(["db"], never))).code).toBe("upstream_denied");
    clock.advance(60_000);
    expect(await handlesOf(other, "db")).toHaveLength(1);
    clock.advance(60 * 60_000);
    expect(await handlesOf(provider, "db")).toHaveLength(1);
  });

  it('is refused with onReject "ask" whichever of its fields is meant, in another process too', async () => {
    const made = await rejected({ onReject: "ask" });
    const before = asking(made);
    for (const provider of [made.provider, await made.open({ onReject: "ask" })]) {
      for (const field of ["password", "user", "configuration"]) {
        expect(await refusal(provider.fields?.("db", [field], never) ?? Promise.resolve())).toMatchObject({
          code: "upstream_denied",
          hint: "ask the user what to do instead; 12Port is not asked again before 2026-11-20 14:37 UTC",
        });
      }
    }
    expect(asking(made)).toEqual(before);
    made.clock.advance(5 * 60_000);
    expect(await handlesOf(made.provider, "db", ["user"])).toHaveLength(1);
  });

  it("is put before a person in vain by a copy that does not look", async () => {
    const { fake, clock, notes } = await rejected();
    const plant = {
      file: "src/providers/twelveport/provider.ts",
      from: "(workflow.refusal(each.id, label(each.id)) ?? handleOf(",
      to: "(handleOf(",
    };
    const twin = (
      (await loadPatched("src/providers/twelveport/index.ts", [plant])) as { twelveport: typeof twelveport }
    ).twelveport;
    const provider = await twin.open(twin.options.parse(fake.options), providerContext({ clock, notes }));
    const outcomes = await provider.resolve(["db"], never);
    await provider.close?.();
    expect(outcomes).toMatchObject([{ name: "db" }]);
  });
});

describe("an asset that 12Port blocks", () => {
  it("is refused for five minutes, and then tried again", async () => {
    const made = await scene();
    const { fake, clock, open } = made;
    const asset = fake.add({ name: "db", password: PASSWORD, way: "mfa" });
    const provider = await open();
    const first = await refusal(settle(clock, ask(provider, "db")));
    expect(first).toMatchObject({
      code: "upstream_blocked",
      message: '12Port wants a second factor for asset "db", which no program can give',
      hint: expect.stringMatching(/; it is not tried again before 2026-11-20 14:37 UTC$/) as string,
    });
    const before = asking(made);
    const { message, hint } = first;
    expect(await refusal((await open()).resolve(["db"], never))).toMatchObject({ message, hint });
    expect(asking(made)).toEqual(before);
    clock.advance(5 * 60_000);
    Object.assign(asset, { way: "direct" });
    expect(await ask(provider, "db")).toEqual([PASSWORD]);
  });
});
