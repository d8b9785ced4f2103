import { describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import type { Each, PlannedEntry, Saved } from "../../src/core/ports.ts";
import type { Handle } from "../../src/core/request.ts";
import { Secret } from "../../src/core/secret.ts";
import { codeOf, type House, newGate, settle, startHouse } from "../support/house.ts";

const MINUTE = 60_000;

/** A house whose vault hands nothing out until told. */
function gated(options: Parameters<typeof startHouse>[0] = {}): { house: House; open: () => void } {
  const house = startHouse(options);
  let open = (): void => {};
  house.vault.gate = new Promise((resolve) => {
    open = resolve;
  });
  return { house, open: () => open() };
}

describe("a revocation", () => {
  it.each([
    ["of a window", "window", MINUTE],
    ["of just this once", "once", 0],
  ] as const)("%s reaches the first delivery, which is still on its way", async (_, choice, ttlMs) => {
    const { house, open } = gated({ rules: { ttlMs } });
    const call = house.get("DATABASE_URL");
    await settle();
    await house.approve(choice);
    await settle();
    expect(house.desk.revoke(house.tokens[0] ?? "")).toBe(true);
    open();
    expect(await codeOf(call)).toBe("revoked");
    expect(house.card().standing).toMatchObject({ is: "approved", ended: "revoked" });
  });

  it("is not undone by a use that is given back after it", async () => {
    const { house, open } = gated({ rules: { ttlMs: MINUTE } });
    const call = house.get("DATABASE_URL");
    await settle();
    await house.approve("window");
    await settle();
    house.desk.revoke(house.tokens[0] ?? "");
    call.cancel();
    open();
    await settle();
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("of one window ends a batch that rests on two", async () => {
    const house = startHouse({ rules: { ttlMs: 5 * MINUTE } });
    for (const name of ["DATABASE_URL", "STRIPE_KEY"]) {
      await house.served(name);
    }
    expect(await codeOf(house.get(["DATABASE_URL", "STRIPE_KEY"]))).toBe("done");
    const released = house.journal.events.findLast(({ kind }) => kind === "released");
    expect(released?.approval?.split(",")).toHaveLength(2);
    house.desk.revoke(house.tokens[1] ?? "");
    void house.get(["DATABASE_URL", "STRIPE_KEY"]);
    await settle();
    expect(house.card().items).toMatchObject([
      { name: "DATABASE_URL", openUntil: expect.any(Number) },
      { name: "STRIPE_KEY" },
    ]);
  });
});

describe("just this once", () => {
  it("is once, also when many attached calls give their use back", async () => {
    const { house, open } = gated();
    const calls = [house.get("DATABASE_URL"), house.get("DATABASE_URL"), house.get("DATABASE_URL")];
    await settle();
    await house.approve("once");
    await settle();
    for (const call of calls) call.cancel();
    open();
    await settle();
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("serves attached calls however short the time to come back is", async () => {
    const house = startHouse({ desk: { pickupMs: 0 } });
    const call = house.get("DATABASE_URL");
    await settle();
    await house.approve("once");
    expect(await codeOf(call)).toBe("done");
  });

  it("that two calls come for at once serves one; the other is a request of its own with its own reason", async () => {
    const house = startHouse();
    house.get("DATABASE_URL").cancel();
    await settle();
    const first = house.get("DATABASE_URL");
    await settle();
    first.cancel();
    await settle();
    await house.approve("once");
    const [one, two] = [
      house.get("DATABASE_URL"),
      house.get("DATABASE_URL", { reason: "and once more for the report" }),
    ];
    expect(await codeOf(one)).toBe("done");
    await settle();
    expect(house.card()).toMatchObject({ reason: "and once more for the report", standing: { is: "waiting" } });
    await house.deny();
    expect(await codeOf(two)).toBe("denied");
    const asked = house.journal.events.filter(({ kind }) => kind === "requested").map(({ request }) => request);
    expect(new Set(asked).size).toBe(asked.length);
  });
});

describe("a window", () => {
  it("is outlived by nothing that its approval left behind", async () => {
    const house = startHouse({ rules: { ttlMs: MINUTE } });
    const call = house.get("DATABASE_URL");
    await settle();
    call.cancel();
    await settle();
    await house.approve("window");
    house.clock.advance(MINUTE);
    expect(house.card().standing).toMatchObject({ ended: "over" });
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("ends in the log when it ends, and not when nobody came at first", async () => {
    const house = startHouse({ rules: { ttlMs: 30 * MINUTE } });
    const call = house.get("DATABASE_URL");
    await settle();
    call.cancel();
    await settle();
    await house.approve("window");
    house.clock.advance(6 * MINUTE);
    expect(house.journal.kinds()).not.toContain("window_ended");
    house.clock.advance(24 * MINUTE);
    expect(house.journal.kinds().filter((kind) => kind === "window_ended")).toHaveLength(1);
  });

  it("shows as over once the wall clock is past its end, whatever the timers think", async () => {
    const house = startHouse({ rules: { ttlMs: 30 * MINUTE } });
    await house.served("DATABASE_URL");
    house.clock.setWall(house.clock.now() + 60 * MINUTE);
    expect(house.card().standing).toMatchObject({ is: "approved", ended: "over" });
  });

  it("that ends while a batch waits is a new revision: a yes to the old one is not taken", async () => {
    const house = startHouse({ rules: { ttlMs: MINUTE } });
    await house.served("DATABASE_URL");
    const batch = house.get(["DATABASE_URL", "STRIPE_KEY"]);
    await settle();
    const seen = house.card();
    expect(seen.items[0]).toHaveProperty("openUntil");
    house.clock.advance(MINUTE);
    const now = house.card();
    expect(now.items[0]).not.toHaveProperty("openUntil");
    expect(now.version).toBeGreaterThan(seen.version);
    const token = house.tokens.at(-1) ?? "";
    const stale = { verdict: "approve", choice: "window", revision: seen.revision } as const;
    expect(await house.desk.answer(token, stale, { proof: "link" })).toBe(false);
    expect(house.card().standing).toEqual({ is: "waiting" });
    await house.approve("window");
    expect(await codeOf(batch)).toBe("done");
    expect(await codeOf(house.get("DATABASE_URL")), "what the page offered is open").toBe("done");
  });

  it("that came to cover a request whose approval could not be written answers it", async () => {
    const house = startHouse({ rules: { ttlMs: MINUTE, ttlScope: "vault" } });
    const calls = [house.get("DATABASE_URL"), house.get("STRIPE_KEY")];
    await settle();
    let letGo = (): void => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let writes = 0;
    // The first approval to be written is held back and then fails.
    house.journal.before = async () => {
      writes += 1;
      if (writes > 1) return;
      await held;
      throw new VaultError("audit_unavailable", "the log cannot be written");
    };
    const failing = house.approve("window", 0).catch(() => "failed");
    await house.approve("window", 1);
    letGo();
    expect(await failing).toBe("failed");
    expect(await Promise.all(calls.map(codeOf))).toEqual(["done", "done"]);
  });
});

describe("a no", () => {
  it("tapped while a yes is being written stands, and the log says that the yes came to nothing", async () => {
    const house = startHouse();
    const call = house.get("DATABASE_URL");
    await settle();
    let write = (): void => {};
    house.journal.before = () =>
      new Promise((resolve) => {
        write = resolve;
      });
    const yes = house.approve();
    await settle();
    expect(await house.deny()).toBe(true);
    write();
    expect(await yes).toBe(false);
    expect(await codeOf(call)).toBe("denied");
    expect(house.vault.reads).toBe(0);
    expect(house.journal.kinds()).toEqual(["requested", "denied", "approved", "revoked"]);
  });

  it.each([
    ["back", -5 * MINUTE],
    ["forward", 60 * MINUTE],
  ])("is neither lengthened nor shortened by a wall clock that is set %s", async (_, step) => {
    const house = startHouse();
    void house.get("DATABASE_URL");
    await settle();
    await house.deny();
    house.clock.setWall(house.clock.now() + step);
    house.clock.advance(300_000 - 1);
    const refused = await house.get("DATABASE_URL").reply.catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "denied", message: expect.stringContaining("for 1 s") });
    house.clock.advance(1);
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
  });
});

describe("a request", () => {
  it("that ran out while the machine slept is not joined but asked anew", async () => {
    const house = startHouse();
    const first = house.get("DATABASE_URL", { holdMs: 1_000 });
    await settle();
    house.clock.advance(1_000);
    expect(await codeOf(first)).toBe("pending");
    house.clock.setWall(house.clock.now() + 60 * MINUTE);
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("is withdrawn when the user stops all the calls that wait for it", async () => {
    const house = startHouse();
    const calls = [house.get("DATABASE_URL"), house.get("DATABASE_URL")];
    await settle();
    for (const call of calls) call.cancel("user-cancel");
    await settle();
    expect(house.card().standing.is).toBe("withdrawn");
  });

  it("closed while its tunnel opens rings nobody and breaks nothing", async () => {
    let settleTunnel = (): void => {};
    const tunnel = new Promise<void>((resolve) => {
      settleTunnel = resolve;
    });
    let isClosed = false;
    const house = startHouse({
      desk: {
        door: {
          open: () => Promise.resolve(),
          settled: () => tunnel,
          link: () => {
            if (isClosed) throw new Error("the door is shut");
            return { local: "http://localhost:9999/approve/x" };
          },
        },
      },
    });
    const call = house.get("DATABASE_URL");
    await settle();
    house.desk.close("over");
    isClosed = true;
    settleTunnel();
    await settle();
    expect(await codeOf(call)).toBe("cancelled");
    expect(house.rings).toHaveLength(0);
  });
});

describe("a batch", () => {
  it("in which everything failed is an error that names all of it", async () => {
    const house = startHouse();
    const call = house.get(["DATABASE_URL", "STRIPE_KEY"]);
    await settle();
    house.vault.secrets.clear();
    await house.approve();
    const error = await call.reply.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "conflict", message: expect.stringContaining('"DATABASE_URL", "STRIPE_KEY"') });
  });
});

describe("what a second look found", () => {
  it("gives every delivery that a revocation stops its own line, however many there were before", async () => {
    const house = startHouse({ rules: { ttlMs: MINUTE } });
    for (const name of ["DATABASE_URL", "STRIPE_KEY"]) {
      let open = (): void => {};
      house.vault.gate = new Promise((resolve) => {
        open = resolve;
      });
      const call = house.get(name);
      await settle();
      await house.approve("window");
      await settle();
      house.desk.revoke(house.tokens.at(-1) ?? "");
      open();
      expect(await codeOf(call)).toBe("revoked");
    }
    const kinds = house.journal.kinds();
    expect(kinds.filter((kind) => kind === "failed")).toHaveLength(kinds.filter((kind) => kind === "releasing").length);
  });

  it("tells of a window's end also when a delivery was on its way as it ended", async () => {
    const { house, open } = gated({ rules: { ttlMs: MINUTE } });
    const call = house.get("DATABASE_URL");
    await settle();
    await house.approve("window");
    await settle();
    // The machine sleeps through the window's end: no timer has fired when the vault answers.
    house.clock.setWall(house.clock.now() + 2 * MINUTE);
    open();
    await call.reply;
    expect(house.journal.kinds().filter((kind) => kind === "window_ended")).toHaveLength(1);
  });

  it("holds a use that is given back again and again no longer than from the first time on", async () => {
    const house = startHouse();
    const first = house.get("DATABASE_URL");
    await settle();
    first.cancel();
    await settle();
    await house.approve("once");
    for (let round = 0; round < 3; round++) {
      house.clock.advance(2 * MINUTE);
      let open = (): void => {};
      house.vault.gate = new Promise((resolve) => {
        open = resolve;
      });
      const call = house.get("DATABASE_URL");
      await settle();
      call.cancel();
      open();
      await settle();
    }
    expect(house.rings, "five minutes after the yes it was asked for anew").toHaveLength(2);
  });

  it("keeps a value back whose window ended while it was fetched", async () => {
    const house = startHouse({ rules: { ttlMs: MINUTE } });
    await house.served("DATABASE_URL");
    let open = (): void => {};
    house.vault.gate = new Promise((resolve) => {
      open = resolve;
    });
    const call = house.get("DATABASE_URL");
    await settle();
    house.clock.advance(MINUTE);
    open();
    expect(await codeOf(call)).toBe("expired");
    expect(house.journal.events.at(-1)).toMatchObject({ kind: "failed", code: "expired" });
  });

  it("says that it was closing, and not that a person revoked, when the end catches a value on its way", async () => {
    const { house, open } = gated();
    const call = house.get("DATABASE_URL");
    await settle();
    await house.approve("once");
    await settle();
    house.desk.close("the client closed the connection");
    house.grants.clear();
    open();
    expect(await codeOf(call)).toBe("cancelled");
    expect(house.journal.events.at(-1)).toMatchObject({ kind: "failed", detail: expect.stringContaining("closing") });
  });

  it("stops a save that has begun: what is not yet written stays unwritten, and says why", async () => {
    const house = startHouse();
    const written: string[] = [];
    const gate = newGate();
    const write = async (entries: readonly PlannedEntry[], signal: AbortSignal): Promise<Each<Saved>> => {
      const outcomes: (Saved | VaultError)[] = [];
      for (const { plan } of entries) {
        if (signal.aborted) outcomes.push(new VaultError("cancelled", "left out"));
        else {
          written.push(plan.name);
          outcomes.push({ saved: true });
          await gate.opened;
        }
      }
      return outcomes;
    };
    Object.assign(house.vault, { write });
    const call = house.set({ A: "hunter2-a", B: "hunter2-b", C: "hunter2-c" });
    await settle();
    await house.approve("once");
    await settle();
    expect(house.desk.revoke(house.tokens[0] ?? "")).toBe(true);
    gate.open();
    const reply = await call.reply;
    expect(written).toEqual(["A"]);
    const codes =
      reply.is === "done"
        ? reply.results.map(({ result }) => (result instanceof VaultError ? result.code : "saved"))
        : [];
    expect(codes).toEqual(["saved", "revoked", "revoked"]);
    expect(house.journal.events.slice(-2)).toMatchObject([
      { kind: "released", names: ["A"] },
      { kind: "failed", code: "revoked", names: ["B", "C"] },
    ]);
  });

  it("stops a long read that has begun", async () => {
    const house = startHouse();
    const seen: boolean[] = [];
    const gate = newGate();
    const read = async (handles: readonly Handle[], signal: AbortSignal): Promise<Each<Secret>> => {
      await gate.opened;
      seen.push(signal.aborted);
      if (signal.aborted) throw new VaultError("cancelled", "stopped");
      return handles.map(() => new Secret("hunter2-4711"));
    };
    Object.assign(house.vault, { read });
    const call = house.get(["DATABASE_URL", "STRIPE_KEY"]);
    await settle();
    await house.approve("once");
    await settle();
    house.desk.revoke(house.tokens[0] ?? "");
    gate.open();
    expect(await codeOf(call)).toBe("revoked");
    expect(seen).toEqual([true]);
  });
});
