import { describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import { codeOf, settle, startHouse, valuesOf } from "../support/house.ts";

const MINUTE = 60_000;

describe("a call that waits", () => {
  it("answers pending when the client can wait no longer; the same call joins and nobody is asked twice", async () => {
    const house = startHouse();
    const first = house.get("DATABASE_URL", { holdMs: 50_000 });
    await settle();
    house.clock.advance(50_000);
    expect(await codeOf(first)).toBe("pending");
    expect(house.card().attached).toBe(0);
    const second = house.get("DATABASE_URL", { holdMs: 50_000 });
    await settle();
    expect(house.card().attached).toBe(1);
    await house.approve("once");
    expect(await valuesOf(second)).toEqual({ DATABASE_URL: "postgres://hunter2-4711" });
    expect(house.rings).toHaveLength(1);
  });

  it("an approval ten minutes after the client gave up serves the next identical call, once", async () => {
    const house = startHouse();
    const first = house.get("DATABASE_URL");
    await settle();
    first.cancel("Request timed out");
    expect(await codeOf(first)).toBe("cancelled");
    house.clock.advance(10 * MINUTE);
    await house.approve("once");
    house.clock.advance(MINUTE);
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
  });

  it("an approval nobody comes for lapses after pickupSeconds, and the log says so", async () => {
    const house = startHouse();
    const first = house.get("DATABASE_URL");
    await settle();
    first.cancel();
    await house.approve("once");
    house.clock.advance(300_000);
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
    expect(house.journal.events).toContainEqual(
      expect.objectContaining({ kind: "window_ended", detail: "nobody came for it" }),
    );
  });

  it("64 identical calls ring once and are all served", async () => {
    const house = startHouse();
    const calls = Array.from({ length: 64 }, () => house.get("DATABASE_URL"));
    await settle();
    expect(house.rings).toHaveLength(1);
    expect(house.card().attached).toBe(64);
    await house.approve("once");
    expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => "done"));
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings, "just once is used up").toHaveLength(2);
  });

  it("is withdrawn only when the user unmistakably stopped the agent", async () => {
    const house = startHouse();
    const call = house.get("DATABASE_URL");
    await settle();
    call.cancel("user-cancel");
    await settle();
    expect(house.card().standing.is).toBe("withdrawn");
    expect(await house.approve()).toBe(false);
  });

  it("stays open for the others when one of several stops", async () => {
    const house = startHouse();
    const one = house.get("DATABASE_URL");
    const two = house.get("DATABASE_URL");
    await settle();
    one.cancel("user-cancel");
    await settle();
    expect(house.card().standing.is).toBe("waiting");
    await house.approve("once");
    expect(await codeOf(two)).toBe("done");
  });

  it("expires as denied after fifteen minutes, and a later tap changes nothing", async () => {
    const house = startHouse();
    const call = house.get("DATABASE_URL");
    await settle();
    house.clock.advance(15 * MINUTE);
    expect(await codeOf(call)).toBe("expired");
    expect(await house.approve()).toBe(false);
    expect(house.vault.reads).toBe(0);
    expect(house.journal.kinds()).toEqual(["requested", "expired"]);
  });

  it("cannot be approved when the wall clock was set forward past its end", async () => {
    const house = startHouse();
    const call = house.get("DATABASE_URL");
    await settle();
    house.clock.setWall(house.clock.now() + 15 * MINUTE);
    expect(await house.approve()).toBe(false);
    expect(await codeOf(call)).toBe("expired");
  });

  it("aborted between approval and delivery gives the use back for the next identical call", async () => {
    const house = startHouse();
    let open = (): void => {};
    house.vault.gate = new Promise((resolve) => {
      open = resolve;
    });
    const call = house.get("DATABASE_URL");
    await settle();
    await house.approve("once");
    await settle();
    call.cancel();
    open();
    expect(await codeOf(call)).toBe("cancelled");
    expect(house.journal.events.at(-1)).toMatchObject({ kind: "failed", code: "cancelled" });
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
    expect(house.rings).toHaveLength(1);
  });
});

describe("the person", () => {
  it("is rung at most maxWaiting times however many requests an agent makes", async () => {
    const secrets = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`KEY_${at}`, `value-${at}`]));
    const house = startHouse({ secrets });
    const calls = Object.keys(secrets).map((name) => house.get(name));
    await settle();
    expect(house.rings).toHaveLength(20);
    expect(await codeOf(calls[4_999]!)).toBe("too_many_waiting");
    expect(house.journal.events.length, "nor is the log flooded").toBeLessThan(50);
    house.clock.advance(MINUTE);
    expect(house.journal.events).toContainEqual(
      expect.objectContaining({ kind: "refused", code: "too_many_waiting", count: 4_979 }),
    );
  });

  it("is not rung, and no vault is asked for names, for more than may wait, however they come", async () => {
    const names = Array.from({ length: 300 }, (_, at) => `KEY_${at}`);
    const house = startHouse({ secrets: Object.fromEntries(names.map((name) => [name, `hunter2-${name}`])) });
    for (const name of names.slice(0, 150)) void house.get(name);
    await settle();
    for (const name of names.slice(150)) {
      void house.get(name);
      await settle();
    }
    expect(house.rings).toHaveLength(20);
    expect(house.vault.resolves).toBe(20);
  });

  it("and a vault are asked once by any number of identical calls, also with one slot", async () => {
    const house = startHouse({ desk: { maxWaiting: 1 } });
    const calls = Array.from({ length: 64 }, () => house.get("DATABASE_URL"));
    await settle();
    await house.approve("once");
    expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => "done"));
    expect(house.rings).toHaveLength(1);
  });

  it("is not rung without end by requests that are withdrawn and made again", async () => {
    const house = startHouse();
    for (let round = 0; round < 100; round++) {
      const call = house.get(["DATABASE_URL"], { reason: `round ${round}` });
      await settle();
      call.cancel("user-cancel");
      await settle();
    }
    expect(house.rings).toHaveLength(20);
    house.clock.advance(15 * MINUTE);
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(21);
  });

  it("frees a slot with every answer", async () => {
    const house = startHouse({ desk: { maxWaiting: 1, denyCooldownMs: 0 } });
    for (let round = 0; round < 3; round++) {
      const call = house.get("DATABASE_URL");
      await settle();
      await house.deny();
      expect(await codeOf(call)).toBe("denied");
    }
    expect(house.rings).toHaveLength(3);
  });

  it("sees how often this was approved before in the session", async () => {
    const house = startHouse();
    for (const before of [0, 1]) {
      const call = house.get("DATABASE_URL");
      await settle();
      expect(house.card().approvedBefore).toBe(before);
      await house.approve("once");
      await call.reply;
    }
  });

  it("can answer once: whatever comes second changes nothing", async () => {
    const house = startHouse();
    const call = house.get("DATABASE_URL");
    await settle();
    expect(await house.deny()).toBe(true);
    expect(await house.approve()).toBe(false);
    expect(await house.deny()).toBe(false);
    expect(await codeOf(call)).toBe("denied");
    expect(house.journal.kinds()).toEqual(["requested", "denied"]);
  });

  it("is told of a channel that fails, in the wait and in the log", async () => {
    const broken = { name: "ntfy", ring: () => Promise.reject(new Error("the server refused the token")) };
    const house = startHouse({ desk: { channels: [broken] } });
    const call = house.get("DATABASE_URL", { holdMs: 1_000 });
    await settle();
    house.clock.advance(1_000);
    const reply = await call.reply;
    expect(reply).toMatchObject({
      is: "pending",
      wait: { troubles: ["ntfy: the server refused the token"], rang: [] },
    });
    expect(house.journal.events).toContainEqual(expect.objectContaining({ kind: "channel_failed", code: "ntfy" }));
  });

  it("is shown the local link at once and the public one when the tunnel is up; why there is none is told", async () => {
    let up = (): void => {};
    const tunnel = new Promise<void>((resolve) => {
      up = resolve;
    });
    let isUp = false;
    const trouble = "ngrok refused the token; copy it again from your dashboard";
    const house = startHouse({
      desk: {
        door: {
          open: () => Promise.resolve(),
          settled: () => tunnel,
          link: (token) => ({ local: `http://localhost:9999/approve/${token}`, ...(isUp && { trouble }) }),
        },
      },
    });
    const call = house.get("DATABASE_URL", { holdMs: 1_000 });
    await settle();
    expect(call.waits.at(-1)).toMatchObject({
      link: { local: expect.stringContaining("localhost") },
      linkIsFinal: false,
    });
    isUp = true;
    up();
    await settle();
    expect(call.waits.at(-1)).toMatchObject({ linkIsFinal: true, troubles: [trouble], rang: ["bell"] });
    house.clock.advance(1_000);
    expect(await call.reply).toMatchObject({ is: "pending", wait: { troubles: [trouble] } });
  });

  it("is not asked when the page cannot be opened; the agent learns why", async () => {
    const closed = startHouse({
      desk: {
        door: {
          open: () => Promise.reject(new VaultError("page_unavailable", "no port is free")),
          settled: () => Promise.resolve(),
          link: () => ({ local: "" }),
        },
      },
    });
    expect(await codeOf(closed.get("DATABASE_URL"))).toBe("page_unavailable");
    expect(closed.rings).toHaveLength(0);
  });
});

describe("the page", () => {
  it("is needed while a request waits or something is open that could be revoked, and not after", async () => {
    const house = startHouse({ rules: { ttlMs: MINUTE } });
    expect(house.desk.isNeeded()).toBe(false);
    const call = house.get("DATABASE_URL");
    await settle();
    expect(house.desk.isNeeded()).toBe(true);
    await house.approve("window");
    await call.reply;
    expect(house.desk.isNeeded()).toBe(true);
    house.clock.advance(MINUTE);
    expect(house.desk.isNeeded()).toBe(false);
  });
});

describe("the end", () => {
  it("ends everything that waits as cancelled, each with its line", async () => {
    const house = startHouse();
    const calls = [house.get("DATABASE_URL"), house.get("STRIPE_KEY")];
    await settle();
    house.desk.close("the client closed the connection");
    expect(await Promise.all(calls.map(codeOf))).toEqual(["cancelled", "cancelled"]);
    expect(house.journal.kinds().filter((kind) => kind === "cancelled")).toHaveLength(2);
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("cancelled");
  });
});
