// Several assets in one request, of which each has people of its own.
import { expect, it } from "vitest";
import { VaultError } from "../../../src/core/errors.ts";
import type { Each, Provider } from "../../../src/core/ports.ts";
import type { Handle } from "../../../src/core/request.ts";
import { twelveport } from "../../../src/providers/twelveport/index.ts";
import { loadPatched } from "../../support/patched.ts";
import { providerContext } from "../../support/provider-context.ts";
import { never, preparing, refusal, type Scene, scene, settle } from "./support.ts";

const NAMES = ["plain", "rejected", "approved"];

async function company(): Promise<Scene> {
  const made = await scene();
  made.fake.add({ name: "plain", password: "hunter2-1" });
  made.fake.add({ name: "rejected", password: "hunter2-2", way: "approvers" });
  made.fake.add({ name: "approved", password: "hunter2-3", way: "approvers" });
  return made;
}

/** The handles of all three, once a read has told which of them need an approval. */
async function asked(provider: Provider): Promise<readonly Handle[]> {
  const handles = (await provider.resolve(NAMES, never)).map((each) => {
    if (each instanceof Error) throw each;
    return each;
  });
  await provider.read(handles, never);
  return handles;
}

function codes(each: Each<unknown> | undefined): unknown[] | undefined {
  return each?.map((one) => (one instanceof Error ? Reflect.get(one, "code") : one));
}

/** Rejects one and, once that is known, agrees to the other. */
function deciding({ fake }: Scene, told: string[] = []): (text: string) => void {
  return (text) => {
    told.push(text);
    const names = text.startsWith("waiting for 12Port's approvers: ") ? text : "";
    if (names.includes("rejected") && names.includes("approved")) fake.reject("rejected");
    else if (names.includes("approved") && told.some((each) => each.includes("; "))) fake.approve("approved", 1);
  };
}

it("is rejected for itself: the others stay ready, and who is undecided is still waited for", async () => {
  const made = await company();
  const provider = await made.open();
  const handles = await asked(provider);
  const told: string[] = [];
  const prepared = provider.prepare?.(handles, preparing({ waiting: deciding(made, told) }));
  const each = await settle(made.clock, prepared ?? Promise.resolve([]));
  expect(codes(each)).toEqual(["ready", "upstream_denied", "ready"]);
  expect(each[1]).toMatchObject({ message: expect.stringContaining('asset "rejected" (request 47') as string });
  expect(told.at(-1)).toMatch(/^waiting for 12Port's approvers: approved, request \d+$/);
  const values = await provider.read(
    [handles[0], handles[2]].filter((handle) => handle !== undefined),
    never,
  );
  expect(values.map((value) => (value instanceof VaultError ? value : value.reveal()))).toEqual([
    "hunter2-1",
    "hunter2-3",
  ]);
  expect(made.fake.requests).toHaveLength(2);
  // The innocent alone is not refused for it.
  expect(codes(await provider.prepare?.(handles.slice(0, 1), preparing()))).toEqual(["ready"]);
});

it("takes all others with it in a copy that knows no outcome of one alone", async () => {
  const made = await company();
  const plant = {
    file: "src/providers/twelveport/prepare.ts",
    from: "!OF_ONE_ASSET.includes(error.code)",
    to: "OF_ONE_ASSET.length > 0",
  };
  const twin = ((await loadPatched("src/providers/twelveport/index.ts", [plant])) as { twelveport: typeof twelveport })
    .twelveport;
  const { clock, notes, fake } = made;
  const provider = await twin.open(twin.options.parse(fake.options), providerContext({ clock, notes }));
  const handles = await asked(provider);
  const prepared = provider.prepare?.(handles, preparing({ waiting: deciding(made) })) ?? Promise.resolve([]);
  const outcome: unknown = await settle(clock, prepared).catch((error: unknown) => error);
  await provider.close?.();
  expect(outcome).toMatchObject({ code: "upstream_denied" });
});

it("is blocked for itself as well", async () => {
  const { fake, clock, open } = await scene();
  fake.add({ name: "plain", password: "hunter2-1" });
  fake.add({ name: "rejected", way: "mfa" });
  fake.add({ name: "approved", way: "automatic" });
  const provider = await open();
  const handles = await asked(provider);
  const each = await settle(clock, provider.prepare?.(handles, preparing()) ?? Promise.resolve([]));
  expect(codes(each)).toEqual(["ready", "upstream_blocked", "ready"]);
});

it("fails as a whole where 12Port itself is in trouble, and nothing of it goes on", async () => {
  const { fake, clock, open } = await company();
  const provider = await open();
  const handles = await asked(provider);
  const waiting = (text: string): void => {
    if (text.startsWith("waiting for 12Port's approvers: ")) fake.break("expired");
  };
  const error = await refusal(
    settle(clock, provider.prepare?.(handles, preparing({ waiting })) ?? Promise.resolve([])),
  );
  expect(error.code).toBe("provider_expired");
  fake.mend();
  const before = fake.calls.requestStatus;
  clock.advance(10 * 60_000);
  await new Promise((turn) => setTimeout(turn, 30));
  expect(fake.calls.requestStatus).toBe(before);
});

it("of two dozen assets says in one line who is waited for, and prints nothing", async () => {
  const { fake, clock, open } = await scene();
  const printed: Error[] = [];
  const hear = (warning: Error): void => void printed.push(warning);
  process.on("warning", hear);
  const names = Array.from({ length: 24 }, (_, at) => `asset ${at}`);
  for (const name of names) fake.add({ name, way: "approvers", action: "AssetAccess" });
  const provider = await open();
  const handles = (await provider.resolve(names, never)).map((each) => {
    if (each instanceof Error) throw each;
    return each;
  });
  await provider.read(handles, never);
  const told: string[] = [];
  const waiting = (text: string): void => {
    told.push(text);
    if (/^waiting for 12Port's approvers: .*; 21 more$/.test(text)) for (const name of names) fake.approve(name);
  };
  const each = await settle(clock, provider.prepare?.(handles, preparing({ waiting })) ?? Promise.resolve([]));
  await new Promise((turn) => setImmediate(turn));
  process.off("warning", hear);
  expect(new Set(each)).toEqual(new Set(["ready"]));
  expect(Math.max(...told.map((text) => text.length))).toBeLessThan(300);
  expect(printed).toEqual([]);
});
