import assert from "node:assert/strict";
import { VaultError } from "../../src/core/errors.ts";
import type { Event } from "../../src/core/event.ts";
import type { PrepareContext } from "../../src/core/ports.ts";
import { type Dice, dice } from "./dice.ts";
import { type Call, codeOf, type House, settle, startHouse } from "./house.ts";

/** Everything that can happen while approved requests wait for the vault's own people. */
const MOVES = [
  "call",
  "callOther",
  "callBoth",
  "cancel",
  "stop",
  "approveWindow",
  "approveOnce",
  "deny",
  "revoke",
  "agree",
  "refuse",
  "refusePart",
  "refuseEach",
  "fail",
  "say",
  "need",
  "needNot",
  "logAway",
  "logBack",
  "clockBack",
  "minute",
  "pass",
  "turn",
] as const;
type Move = (typeof MOVES)[number];

const FAULTS = { refuse: "upstream_denied", fail: "provider_unavailable" } as const;

interface Making {
  readonly key: string;
  readonly context: PrepareContext;
  readonly refs: readonly string[];
  /** What of it is refused is given by ref. */
  readonly end: (fault?: VaultError, refused?: Readonly<Record<string, VaultError>>) => void;
}

/** The vault with its people: what it makes ready for at this moment, and which refs it wants them for. */
class People {
  readonly making = new Set<Making>();
  readonly needed = new Set<string>();
  /** What it has said to be ready, by reason and ref. */
  readonly #ready = new Set<string>();
  /** What the core did to the vault that it must not do. */
  readonly faults: string[] = [];

  constructor({ vault, journal }: House, thrown: Dice) {
    vault.blocks = (ref) =>
      this.needed.has(ref) ? new VaultError("upstream_required", "its people are needed") : undefined;
    vault.prepare = (handles, context) => {
      // What was turned down lately is not in the handles, so they do not tell requests apart; the reason does.
      const key = context.reason;
      if ([...this.making].some((other) => other.key === key)) this.faults.push("made ready twice at a time");
      return new Promise((ready, fail) => {
        const making: Making = {
          key,
          context,
          refs: handles.map(({ ref }) => ref),
          end: (fault, refused = {}) => {
            this.making.delete(making);
            if (fault) return fail(fault);
            // Some have nothing to agree to before the vault has found out that they are needed.
            if (!thrown.oneIn(3)) for (const { ref } of handles) this.needed.delete(ref);
            for (const { ref } of handles) if (!refused[ref]) this.#ready.add(`${key} ${ref}`);
            ready(handles.map(({ ref }) => refused[ref] ?? ("ready" as const)));
          },
        };
        this.making.add(making);
        context.signal.addEventListener("abort", () => this.making.delete(making), { once: true });
      });
    };
    const { read } = vault;
    Object.assign(vault, {
      read: (handles: Parameters<typeof read>[0]) => {
        const refs = handles.map(({ ref }) => ref).join();
        const lines = journal.events.filter(({ kind, refs: own }) => kind === "releasing" && own?.join() === refs);
        const ended = new Set(journal.events.flatMap(({ kind, release }) => (kind === "releasing" ? [] : [release])));
        const begun = lines.filter(({ release }) => !ended.has(release));
        if (begun.length === 0) this.faults.push("read without a line before it");
        const isReady = (reason = ""): boolean => handles.every(({ ref }) => this.#ready.has(`${reason} ${ref}`));
        if (!begun.every(({ reason }) => isReady(reason))) this.faults.push("read what it never called ready");
        return read(handles);
      },
    });
  }
}

/** What every value that went out must have behind it, in the log of one house. */
function expectEachLineInOrder(events: readonly Event[]): void {
  const inForce = new Set<string>();
  const windows = new Set<string>();
  for (const [at, { kind, approval = "", release = "", basis, until }] of events.entries()) {
    const ids = approval.split(",");
    if (kind === "approved") inForce.add(approval);
    if (kind === "approved" && until !== undefined) windows.add(approval);
    if (kind === "revoked") for (const id of ids) inForce.delete(id);
    // What a person was asked for itself may outlive the window that was opened with it.
    if (kind === "revoked" || kind === "window_ended") for (const id of ids) windows.delete(id);
    if (kind === "released") {
      const before = events.slice(0, at);
      const permitting = basis === "window" ? windows : inForce;
      for (const id of ids) assert.ok(permitting.has(id), "released without an approval in force");
      assert.ok(
        before.some((each) => each.kind === "releasing" && each.release === release),
        "released without its releasing before it",
      );
      assert.ok(
        !before.some((each) => (each.kind === "failed" || each.kind === "released") && each.release === release),
        "one releasing with two ends",
      );
    }
  }
  const begun = events.filter(({ kind }) => kind === "releasing").map(({ release }) => release);
  // A batch of which a part failed has both ends.
  const ended = new Set(
    events.flatMap(({ kind, release }) => (kind === "released" || kind === "failed" ? (release ?? []) : [])),
  );
  assert.deepEqual(ended, new Set(begun), "a delivery without its end, or an end without its delivery");
}

/** Plays one game of `length` moves, thrown by the seed, and throws `AssertionError` when a promise is broken. The log of it. */
export async function play(seed: number, length = 24): Promise<readonly Event[]> {
  const thrown = dice(seed);
  const house = startHouse({
    rules: { ttlMs: thrown.oneOf([0, 180_000]), ttlScope: thrown.oneOf(["secret", "vault"]) },
  });
  const people = new People(house, thrown);
  const slow = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  house.journal.before = slow;
  const calls: Call<unknown>[] = [];
  const call = (names: string | string[]): void => {
    const reason = `for ${String(names)}`;
    calls.push(house.get(names, { reason, ...(thrown.oneIn(2) && { holdMs: thrown.oneOf([1_000, 50_000]) }) }));
  };
  const token = (): string => (house.tokens.length === 0 ? "none" : thrown.oneOf(house.tokens));
  const making = (): Making | undefined => (people.making.size === 0 ? undefined : thrown.oneOf([...people.making]));
  /** Of a batch one is refused, or both. */
  const refuse = (many: number): void => {
    const batch = [...people.making].find(({ refs }) => refs.length > 1);
    const from = thrown.below(2);
    const refs = batch?.refs.slice(many === 1 ? from : 0, many === 1 ? from + 1 : undefined) ?? [];
    const why = (ref: string): VaultError => new VaultError(FAULTS.refuse, `${ref} turned down`);
    batch?.end(undefined, Object.fromEntries(refs.map((ref) => [ref, why(ref)])));
  };
  const moves: Record<Move, () => unknown> = {
    call: () => call("DATABASE_URL"),
    callOther: () => call("STRIPE_KEY"),
    callBoth: () => call(["DATABASE_URL", "STRIPE_KEY"]),
    cancel: () => calls.length > 0 && thrown.oneOf(calls).cancel(),
    stop: () => calls.length > 0 && thrown.oneOf(calls).cancel("user-cancel"),
    approveWindow: () => answer(house, token(), "window"),
    approveOnce: () => answer(house, token(), "once"),
    deny: () => thrown.oneIn(3) && house.desk.answer(token(), { verdict: "deny" }, { proof: "link" }),
    revoke: () => house.desk.revoke(token()),
    agree: () => making()?.end(),
    refuse: () => making()?.end(new VaultError(FAULTS.refuse, "turned down")),
    refusePart: () => refuse(1),
    refuseEach: () => refuse(2),
    fail: () => making()?.end(new VaultError(FAULTS.fail, "does not answer")),
    say: () => making()?.context.waiting(thrown.oneOf(["waiting for the first", "waiting for the second"])),
    need: () => people.needed.add(thrown.oneOf(["id:DATABASE_URL", "id:STRIPE_KEY"])),
    needNot: () => people.needed.clear(),
    logAway: () => (house.journal.away = true),
    logBack: () => (house.journal.away = false),
    clockBack: () => thrown.oneIn(3) && house.clock.setWall(house.clock.now() - 5_000),
    minute: () => house.clock.advance(60_000),
    pass: () => house.clock.advance(thrown.oneOf([100, 5_000, 400_000])),
    turn: () => settle(),
  };
  // Enough of what leads far, so that most games get there.
  const often: readonly Move[] = [
    "need",
    "call",
    "approveOnce",
    "approveWindow",
    "refusePart",
    "agree",
    "turn",
    "turn",
    "agree",
    "logBack",
  ];
  const running: Promise<unknown>[] = [];
  call(thrown.oneIn(3) ? ["DATABASE_URL", "STRIPE_KEY"] : "DATABASE_URL");
  await settle();
  for (let move = 0; move < length; move++) {
    const next = thrown.oneIn(2) ? thrown.oneOf(often) : thrown.oneOf(MOVES);
    running.push(Promise.resolve(moves[next]()).catch(() => {}));
    for (let step = thrown.below(4); step > 0; step--) await Promise.resolve();
    if (thrown.oneIn(2)) await slow();
  }
  house.journal.away = false;
  await Promise.all(running);
  await settle();
  house.desk.close("over");
  house.broker.close();
  house.grants.clear();
  await settle();
  assert.deepEqual(people.faults, []);
  assert.equal(people.making.size, 0, "a vault is still making ready when all is over");
  const codes = await Promise.all(calls.map((each) => codeOf(each)));
  const { events } = house.journal;
  expectEachLineInOrder(events);
  const served = events.filter(({ kind }) => kind === "released").length;
  assert.equal(codes.filter((code) => code === "done").length, served, "a value for each line, and a line for each");
  assert.ok(!codes.includes("internal"), "nothing fails in a way it does not know");
  expectOneOutcome(events);
  return events;
}

function answer(house: House, token: string, choice: "window" | "once"): Promise<boolean> {
  const revision = house.desk.card(token)?.revision ?? 0;
  return house.desk.answer(token, { verdict: "approve", choice, revision }, { proof: "link" });
}

const ENDS = ["approved", "covered", "denied", "returned", "expired", "withdrawn", "cancelled"];

function expectOneOutcome(events: readonly Event[]): void {
  // Two identical requests that met may have one number each; each that was put before a person ends once.
  for (const { request } of events.filter(({ kind }) => kind === "requested")) {
    const own = events.filter((event) => event.request === request);
    const overtaken = own.filter(({ detail }) => detail?.endsWith("before it was in force")).length;
    const ends = own.filter(({ kind }) => ENDS.includes(kind)).length;
    assert.equal(ends - overtaken, 1, `${ends} outcomes of one request, of which ${overtaken} came to nothing`);
  }
}
