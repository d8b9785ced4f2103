import { describe, expect, it } from "vitest";
import { twelveport } from "../../../src/providers/twelveport/index.ts";
import type { Way } from "../../support/fake-twelveport.ts";
import { loadPatched, type Plant } from "../../support/patched.ts";
import { providerContext } from "../../support/provider-context.ts";
import { ask, handlesOf, never, preparing, refusal, type Scene, scene, settle, until } from "./support.ts";

const PASSWORD = "hunter2-4711";

/** A scene with one asset that its people have to agree to. */
async function guarded(
  options: { way?: Way; lag?: number } = {},
  sceneOptions = {},
): Promise<Scene & { readonly id: string }> {
  const made = await scene(sceneOptions);
  const { id } = made.fake.add({ name: "db-prod", password: PASSWORD, way: "approvers", ...options });
  return { ...made, id };
}

/** Does something whenever the people of the vault are what is waited for. */
function whenAsked(run: () => void): (text: string) => void {
  return (text) => {
    if (text.includes("12Port's approvers: ")) run();
  };
}

/** Two of them are asked at the same time. */
const BOTH = /^waiting for 12Port's approvers: (?:a, request \d+; b|b, request \d+; a), request \d+$/;

/** What the workflow may do: so much and no more. */
function expectOneWorkflow({ fake, id }: Scene & { readonly id: string }, reads = 2): void {
  expect(fake.requests).toHaveLength(1);
  expect(fake.calls.createRequest).toBe(1);
  expect(fake.reads.get(id)).toBe(reads);
}

describe("an asset without a workflow", () => {
  it("is read at once: preparing it asks nobody", async () => {
    const { fake, open } = await scene();
    fake.add({ name: "db", password: PASSWORD });
    const provider = await open();
    const handles = await handlesOf(provider, "db");
    const before = { ...fake.calls };
    expect(await provider.prepare?.(handles, preparing())).toEqual(["ready"]);
    expect(fake.calls).toEqual(before);
    expect(await ask(provider, "db")).toEqual([PASSWORD]);
    expect(fake.calls).toMatchObject({ credentials: 1, createRequest: 0, requestStatus: 0 });
  });
});

describe("the approval of the vault's own people", () => {
  it.each(["guide", "kebab", "capitals", "unknown"] as const)(
    "is requested, waited for and used, with operations spelled as in %s",
    async (spelling) => {
      const made = await guarded({}, { spelling });
      const { fake, clock, open } = made;
      const provider = await open();
      const told: string[] = [];
      const waiting = (text: string): void => {
        told.push(text);
        if (text.includes("12Port's approvers: ")) fake.approve("db-prod", 3);
      };
      expect(await settle(clock, ask(provider, "db-prod", { waiting }))).toEqual([PASSWORD]);
      expectOneWorkflow(made);
      expect(told.at(-1)).toBe("waiting for 12Port's approvers: db-prod, request 4711");
      const { body } = fake.requests[0] ?? {};
      expect(body).toEqual({
        message: 'An AI agent asks through agent-vault (its client says it is "claude-code 2.1"): run migration 0042',
        requestedFrom: "2026-11-20T14:32:00Z",
        requestedTo: "2026-11-20T15:32:00Z",
      });
    },
  );

  it("is polled every twenty seconds, never by reading, and only under the action that keeps it", async () => {
    const made = await guarded();
    const { fake, clock, open } = made;
    const times: number[] = [];
    fake.watch = (operation, when) => {
      if (operation === "requestStatus" && when === "before") times.push(clock.mono());
    };
    const waiting = whenAsked(() => fake.approve("db-prod", 10));
    await settle(clock, ask(await open(), "db-prod", { waiting }));
    expectOneWorkflow(made);
    const pauses = times.slice(-9).map((time, at, all) => time - (all[at - 1] ?? time - 20_000));
    for (const pause of pauses) {
      expect(pause).toBeGreaterThanOrEqual(18_000);
      expect(pause).toBeLessThanOrEqual(22_000);
    }
  });

  it("serves further reads until the requested time is over, and then is asked for anew", async () => {
    const made = await guarded();
    const { fake, clock, open } = made;
    const provider = await open({ complete: "never" });
    const waiting = whenAsked(() => fake.approve("db-prod", 1));
    await settle(clock, ask(provider, "db-prod", { waiting }));
    await ask(provider, "db-prod");
    await ask(provider, "db-prod", { fields: ["user", "password"] });
    expectOneWorkflow(made, 4);
    clock.advance(60 * 60_000);
    fake.end("db-prod");
    await settle(clock, ask(provider, "db-prod", { waiting }));
    expect(fake.requests).toHaveLength(2);
  });

  it("is one for all who ask at the same time, and all of them are told", async () => {
    const made = await guarded();
    const { fake, clock, open } = made;
    const provider = await open();
    const told = new Map<number, string>();
    const asking = [0, 1, 2].map((at) => {
      const waiting = (text: string): void => {
        told.set(at, text);
        if ([0, 1, 2].every((each) => told.get(each)?.includes("12Port's approvers: "))) fake.approve("db-prod", 1);
      };
      return ask(provider, "db-prod", { waiting });
    });
    const all = settle(clock, Promise.all(asking));
    expect(await all).toEqual([[PASSWORD], [PASSWORD], [PASSWORD]]);
    expect(fake.requests).toHaveLength(1);
    expect(fake.calls.createRequest).toBe(1);
  });

  it("of several assets is asked for each, and the texts name them all", async () => {
    const { fake, clock, open } = await scene();
    for (const name of ["a", "b"]) fake.add({ name, password: `hunter2-${name}`, way: "approvers" });
    fake.add({ name: "c", password: "hunter2-c" });
    const provider = await open();
    const handles = (await provider.resolve(["a", "b", "c"], never)) as Awaited<ReturnType<typeof handlesOf>>;
    const told: string[] = [];
    const waiting = (text: string): void => {
      told.push(text);
      if (BOTH.test(text)) for (const name of ["a", "b"]) fake.approve(name);
    };
    const first = await provider.read(handles, never);
    expect(first.map((each) => ("code" in each ? each.code : "ok"))).toEqual([
      "upstream_required",
      "upstream_required",
      "ok",
    ]);
    const prepared = provider.prepare?.(handles, preparing({ waiting })) ?? Promise.resolve([]);
    expect(await settle(clock, prepared)).toEqual(["ready", "ready", "ready"]);
    const second = await provider.read(handles, never);
    expect(second.map((each) => ("code" in each ? each.code : each.reveal()))).toEqual([
      "hunter2-a",
      "hunter2-b",
      "hunter2-c",
    ]);
    expect(told).toContainEqual(expect.stringMatching(BOTH));
  });

  it("is found in a queue that lags", async () => {
    const made = await guarded({ lag: 2 });
    const { fake, clock, open } = made;
    const waiting = (text: string): void => {
      if (text.includes("12Port's approvers: ")) fake.approve("db-prod", 1);
    };
    expect(await settle(clock, ask(await open(), "db-prod", { waiting }))).toEqual([PASSWORD]);
    expectOneWorkflow(made);
  });

  it("that a form gives at once never shows in a queue, and is used", async () => {
    const made = await guarded({ way: "automatic" });
    const { clock, open, fake } = made;
    const provider = await open();
    expect(await settle(clock, ask(provider, "db-prod"))).toEqual([PASSWORD]);
    expectOneWorkflow(made);
    expect(await ask(provider, "db-prod")).toEqual([PASSWORD]);
    expect(fake.calls.requestStatus).toBe(32);
  });

  it("that was taken and shows nowhere is told so, and not asked for twice", async () => {
    const made = await guarded({ lag: 100 });
    const { fake, clock, open } = made;
    const provider = await open();
    const error = await refusal(settle(clock, ask(provider, "db-prod")));
    expect(error).toMatchObject({
      code: "upstream_required",
      message: expect.stringContaining("does not show it yet") as string,
    });
    await refusal(settle(clock, ask(provider, "db-prod")));
    expect(fake.requests).toHaveLength(1);
    clock.advance(5 * 60_000);
    await refusal(settle(clock, ask(provider, "db-prod")));
    expect(fake.requests).toHaveLength(2);
  });
});

describe("a rejection", () => {
  const rejected = async (options: object = {}) => {
    const made = await guarded();
    const provider = await made.open(options);
    const waiting = (text: string): void => {
      if (text.includes("12Port's approvers: ") && made.fake.requests.length === 1) made.fake.reject("db-prod");
    };
    const error = await refusal(settle(made.clock, ask(provider, "db-prod", { waiting })), PASSWORD);
    return { ...made, provider, error };
  };

  it("is an answer: nobody is asked again while the requested time lasts, in other processes neither", async () => {
    const { error, provider, open, fake, clock } = await rejected();
    expect(error).toMatchObject({
      code: "upstream_denied",
      message: 'the approvers of 12Port turned down access to asset "db-prod" (request 4711)',
      hint: "ask the user what to do instead; 12Port is not asked again before 2026-11-20 15:32 UTC",
    });
    const before = { ...fake.calls };
    expect(await refusal(ask(provider, "db-prod"))).toMatchObject({ code: "upstream_denied" });
    const other = await open();
    expect(await refusal(ask(other, "db-prod"))).toMatchObject({ code: "upstream_denied" });
    expect(fake.calls).toMatchObject({
      credentials: before.credentials,
      createRequest: 1,
      requestStatus: before.requestStatus,
    });
    clock.advance(60 * 60_000);
    const waiting = whenAsked(() => fake.approve("db-prod"));
    expect(await settle(clock, ask(provider, "db-prod", { waiting }))).toEqual([PASSWORD]);
  });

  it('with onReject "ask" lets a call ask once more after five minutes, and never goes round by itself', async () => {
    const { error, provider, fake, clock } = await rejected({ onReject: "ask" });
    expect(error).toMatchObject({
      code: "upstream_denied",
      hint: expect.stringMatching(/12Port is not asked again before 2026-11-20 14:37 UTC$/) as string,
    });
    expect(fake.requests).toHaveLength(1);
    clock.advance(5 * 60_000);
    const waiting = whenAsked(() => fake.approve("db-prod"));
    expect(await settle(clock, ask(provider, "db-prod", { waiting }))).toEqual([PASSWORD]);
    expect(fake.requests).toHaveLength(2);
  });

  it("a copy that takes Closed for a reason to submit again is noticed", async () => {
    const { fake, clock, notes } = await guarded();
    const plant: Plant = {
      file: "src/providers/twelveport/workflow.ts",
      from: 'if (state === "Closed") return this.#reject(noted, label);\n      if (state === "Restricted"',
      to: 'if (state === "Closed") { this.#o.locals.of(noted.asset).restricted = true; ledger.drop(noted); return false; }\n      if (state === "Restricted"',
    };
    const twin = (
      (await loadPatched("src/providers/twelveport/index.ts", [plant])) as { twelveport: typeof twelveport }
    ).twelveport;
    const provider = await twin.open(twin.options.parse(fake.options), providerContext({ clock, notes }));
    const waiting = (text: string): void => {
      if (!text.includes("12Port's approvers: ")) return;
      if (fake.requests.length < 3) fake.reject("db-prod");
      else fake.approve("db-prod");
    };
    await settle(clock, ask(provider, "db-prod", { waiting }));
    await provider.close?.();
    expect(fake.requests.length).toBeGreaterThan(1);
  });

  it("left over from an earlier request is not taken for the answer to the new one", async () => {
    const made = await guarded({ lag: 0 });
    const { fake, clock, open } = made;
    const provider = await open({ onReject: "ask" });
    await refusal(settle(clock, ask(provider, "db-prod", { waiting: whenAsked(() => fake.reject("db-prod")) })));
    clock.advance(5 * 60_000);
    const slow = fake.assets[0];
    if (slow) Object.assign(slow, { lag: 4 });
    const waiting = (text: string): void => {
      if (text.includes("12Port's approvers: ")) fake.approve("db-prod", 1);
    };
    expect(await settle(clock, ask(provider, "db-prod", { waiting }))).toEqual([PASSWORD]);
  });
});

describe("what no approval can help with", () => {
  it.each([
    ["restricting", '12Port does not let this token\'s user read asset "db-prod", whoever approves'],
    ["mfa", "12Port wants a second factor for asset"],
  ] as const)("%s is told as it is", async (way, message) => {
    const { fake, clock, open, id } = await guarded({ way });
    const error = await refusal(settle(clock, ask(await open(), "db-prod")));
    expect(error).toMatchObject({ code: "upstream_blocked", message: expect.stringContaining(message) as string });
    expect(fake.reads.get(id)).toBe(1);
  });

  it("an access that is called open and yet not given is told, left alone for a while, and never goes round", async () => {
    const made = await guarded();
    const { fake, clock, open } = made;
    const provider = await open();
    const waiting = whenAsked(() => {
      fake.approve("db-prod");
      fake.watch = (operation, when) => {
        if (operation === "credentials" && when === "before") fake.end("db-prod");
      };
    });
    const error = await refusal(settle(clock, ask(provider, "db-prod", { waiting })));
    expect(error).toMatchObject({
      code: "upstream_blocked",
      message: expect.stringContaining("and yet does not give it") as string,
    });
    expectOneWorkflow(made);
    expect(await refusal(settle(clock, ask(provider, "db-prod")))).toMatchObject({ code: "upstream_blocked" });
    expectOneWorkflow(made);
  });

  it("access that somebody closed is asked for anew", async () => {
    const { fake, clock, open } = await guarded();
    const provider = await open({ complete: "never" });
    const waiting = whenAsked(() => fake.approve("db-prod"));
    await settle(clock, ask(provider, "db-prod", { waiting }));
    fake.end("db-prod");
    expect(await settle(clock, ask(provider, "db-prod", { waiting }))).toEqual([PASSWORD]);
    expect(fake.requests).toHaveLength(2);
  });
});

describe("waiting", () => {
  it("ends when the caller leaves, on the wire too, and the next call goes on with the same request", async () => {
    const made = await guarded();
    const { fake, clock, open } = made;
    const provider = await open();
    const stop = new AbortController();
    let polls = 0;
    fake.watch = (operation) =>
      void (operation === "requestStatus" && fake.requests.length > 0 && ++polls === 12 && stop.abort());
    const error = await refusal(settle(clock, ask(provider, "db-prod", { signal: stop.signal })));
    expect(error.code).toBe("cancelled");
    const before = fake.calls.requestStatus;
    clock.advance(10 * 60_000);
    await new Promise((turn) => setImmediate(turn));
    expect(fake.calls.requestStatus).toBe(before);
    const waiting = whenAsked(() => fake.approve("db-prod"));
    expect(await settle(clock, ask(provider, "db-prod", { waiting }))).toEqual([PASSWORD]);
    expectOneWorkflow(made);
  });

  it("goes on for the others when one of them leaves", async () => {
    const made = await guarded();
    const { fake, clock, open } = made;
    const provider = await open();
    const stop = new AbortController();
    const told: string[] = [];
    const leaving = refusal(ask(provider, "db-prod", { signal: stop.signal }));
    const staying = ask(provider, "db-prod", { waiting: (text) => void told.push(text) });
    await until(() => told.some((text) => text.includes("12Port's approvers: ")));
    stop.abort();
    expect((await leaving).code).toBe("cancelled");
    fake.approve("db-prod");
    expect(await settle(clock, staying)).toEqual([PASSWORD]);
    expect(fake.requests).toHaveLength(1);
  });

  it("does not stop a request that is just being submitted when the caller leaves", async () => {
    const made = await guarded();
    const { fake, clock, open } = made;
    const provider = await open();
    const stop = new AbortController();
    fake.watch = (operation, when) => void (operation === "createRequest" && when === "before" && stop.abort());
    expect((await refusal(settle(clock, ask(provider, "db-prod", { signal: stop.signal })))).code).toBe("cancelled");
    const waiting = whenAsked(() => fake.approve("db-prod"));
    expect(await settle(clock, ask(provider, "db-prod", { waiting }))).toEqual([PASSWORD]);
    expectOneWorkflow(made);
  });

  it("bears an outage, and says so meanwhile", async () => {
    const made = await guarded();
    const { fake, clock, open } = made;
    const told: string[] = [];
    const waiting = (text: string): void => {
      told.push(text);
      if (told.length === 2) fake.break("gateway");
      if (text.includes("does not answer just now")) {
        fake.mend();
        fake.approve("db-prod");
      }
    };
    expect(await settle(clock, ask(await open(), "db-prod", { waiting }))).toEqual([PASSWORD]);
    expectOneWorkflow(made);
    expect(told.at(-1)).toBe("waiting for 12Port, which does not answer just now: db-prod");
  });

  it("does not bear a token that is no longer accepted", async () => {
    const made = await guarded();
    const { fake, clock, open } = made;
    const waiting = (text: string): void => {
      if (text.includes("12Port's approvers: ")) fake.break("expired");
    };
    const provider = await open();
    expect(await refusal(settle(clock, ask(provider, "db-prod", { waiting })))).toMatchObject({
      code: "provider_expired",
    });
    fake.mend();
    const again = whenAsked(() => fake.approve("db-prod"));
    expect(await settle(clock, ask(provider, "db-prod", { waiting: again }))).toEqual([PASSWORD]);
    expectOneWorkflow(made);
  });

  it("is given up after timeoutMinutes, and what is approved later still counts", async () => {
    const made = await guarded();
    const { fake, clock, open } = made;
    const provider = await open({ timeoutMinutes: 5 });
    const from = clock.now();
    const error = await refusal(settle(clock, ask(provider, "db-prod")));
    expect(error).toMatchObject({
      code: "expired",
      message: expect.stringContaining("have not answered yet") as string,
    });
    expect(clock.now() - from).toBe(5 * 60_000);
    expect(await refusal(settle(clock, ask(provider, "db-prod")))).toMatchObject({ code: "expired" });
    fake.approve("db-prod");
    expect(await settle(clock, ask(provider, "db-prod"))).toEqual([PASSWORD]);
    expectOneWorkflow(made);
  });

  it("is over with the requested time, and the next call asks anew", async () => {
    const { fake, clock, open } = await guarded();
    const provider = await open({ requestMinutes: 10, pollSeconds: 300 });
    const from = clock.now();
    const error = await refusal(settle(clock, ask(provider, "db-prod")));
    expect(error).toMatchObject({
      code: "expired",
      message: expect.stringContaining("within the requested time") as string,
    });
    expect(clock.now() - from).toBe(10 * 60_000);
    await settle(clock, ask(provider, "db-prod", { waiting: whenAsked(() => fake.approve("db-prod")) }));
    expect(fake.requests).toHaveLength(2);
  });
});
