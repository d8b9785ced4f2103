import { describe, expect, it } from "vitest";
import type { Provider } from "../../../src/core/ports.ts";
import { ask, refusal, type Scene, scene, settle, until } from "./support.ts";

const PASSWORD = "hunter2-4711";

/** A vault whose one asset was approved by its people and read. */
async function used(options: object): Promise<Scene & { readonly id: string; readonly provider: Provider }> {
  const made = await scene();
  const { id } = made.fake.add({ name: "db", password: PASSWORD, way: "approvers" });
  const provider = await made.open(options);
  await settle(made.clock, ask(provider, "db", { waiting: approving(made) }));
  return { ...made, id, provider };
}

function approving({ fake }: Scene): (text: string) => void {
  return (text) => {
    if (text.includes("12Port's approvers: ")) fake.approve("db");
  };
}

const nothing = (): boolean => false;
const idle = () => new Promise((turn) => setTimeout(turn, 30));

describe("an approved request", () => {
  it("is closed at the end of the window, with the id of the workflow and not of the asset", async () => {
    const { fake, provider, id } = await used({});
    provider.ended?.((ref) => ref === JSON.stringify([id, "user"]));
    await idle();
    expect(fake.completed).toEqual([]);
    provider.ended?.(nothing);
    await until(() => fake.completed.length > 0);
    expect(fake.completed).toEqual([fake.requests[0]?.workflow]);
    expect(fake.completed).not.toContain(id);
  });

  it("is asked for anew after that", async () => {
    const made = await used({});
    const { fake, provider, clock } = made;
    provider.ended?.(nothing);
    await until(() => fake.completed.length > 0);
    expect(await settle(clock, ask(provider, "db", { waiting: approving(made) }))).toEqual([PASSWORD]);
    expect(fake.requests).toHaveLength(2);
    expect(fake.completed).toHaveLength(1);
  });

  it("is closed after its use where the configuration says so, and no call waits for that", async () => {
    const { fake, provider, clock } = await used({ complete: "use" });
    expect(fake.completed).toEqual([]);
    expect(await ask(provider, "db")).toEqual([PASSWORD]);
    clock.advance(2_000);
    await until(() => fake.completed.length > 0);
    expect(fake.completed).toEqual([fake.requests[0]?.workflow]);
  });

  it("is closed at the end of the process, and not before, where the configuration says so", async () => {
    const { fake, provider } = await used({ complete: "exit" });
    provider.ended?.(nothing);
    await idle();
    expect(fake.completed).toEqual([]);
    await provider.close?.();
    expect(fake.completed).toHaveLength(1);
  });

  it("is closed at the end of the process if its window is still open", async () => {
    const { fake, provider } = await used({});
    await provider.close?.();
    expect(fake.completed).toHaveLength(1);
  });

  it("is left alone where the configuration says so", async () => {
    const { fake, provider } = await used({ complete: "never" });
    provider.ended?.(nothing);
    await provider.close?.();
    expect(fake.completed).toEqual([]);
  });

  it("is left to the last process that uses it", async () => {
    const { fake, provider, open } = await used({});
    const other = await open();
    expect(await ask(other, "db")).toEqual([PASSWORD]);
    expect(fake.requests).toHaveLength(1);
    provider.ended?.(nothing);
    await provider.close?.();
    expect(fake.completed).toEqual([]);
    expect(await ask(other, "db")).toEqual([PASSWORD]);
    await other.close?.();
    expect(fake.completed).toHaveLength(1);
  });

  it("is left to a process that still waits for it", async () => {
    const made = await scene();
    const { fake, clock } = made;
    fake.add({ name: "db", password: PASSWORD, way: "approvers" });
    const [quick, slow] = [await made.open({ pollSeconds: 5 }), await made.open({ pollSeconds: 300 })];
    const waiting = new Set<Provider>();
    const all = [quick, slow].map(async (provider) => {
      const told = (text: string): void => {
        if (!text.includes("12Port's approvers: ")) return;
        waiting.add(provider);
        if (waiting.size === 2) fake.approve("db", 1);
      };
      const values = await ask(provider, "db", { waiting: told });
      if (provider === quick) await provider.close?.();
      return values;
    });
    expect(await settle(clock, Promise.all(all))).toEqual([[PASSWORD], [PASSWORD]]);
    expect(fake.requests).toHaveLength(1);
    expect(fake.completed).toEqual([]);
    await slow.close?.();
    expect(fake.completed).toHaveLength(1);
  });

  it("that nobody has used yet stays, for whoever comes back for it", async () => {
    const made = await scene();
    made.fake.add({ name: "db", password: PASSWORD, way: "approvers" });
    const provider = await made.open();
    const stop = new AbortController();
    const waiting = (text: string): void => void (text.includes("12Port's approvers: ") && stop.abort());
    await refusal(settle(made.clock, ask(provider, "db", { waiting, signal: stop.signal })));
    made.fake.approve("db");
    provider.ended?.(nothing);
    await provider.close?.();
    expect(made.fake.completed).toEqual([]);
    expect(await settle(made.clock, ask(await made.open(), "db"))).toEqual([PASSWORD]);
    expect(made.fake.requests).toHaveLength(1);
  });

  it("that cannot be closed delays and fails nothing; the person is told", async () => {
    const { fake, provider, warnings } = await used({});
    fake.break("silent");
    const closing = provider.close?.();
    await closing;
    expect(warnings).toEqual(['the request for 12Port asset "db" could not be closed; it ends by itself']);
    expect(fake.calls.completeRequest).toBe(1);
  });

  it("of an asset without a workflow there is none to close", async () => {
    const { fake, open } = await scene();
    fake.add({ name: "db", password: PASSWORD });
    const provider = await open({ complete: "use" });
    await ask(provider, "db");
    provider.ended?.(nothing);
    await provider.close?.();
    expect(fake.calls.completeRequest).toBe(0);
  });
});
