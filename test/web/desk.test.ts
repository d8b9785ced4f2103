import { afterEach, describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import { frontOf } from "../../src/core/front.ts";
import { createWeb, type Web } from "../../src/web/server.ts";
import { peopleOf } from "../support/fake-people.ts";
import { NOBODY, startHouse } from "../support/house.ts";
import { browserHeaders, type Field, formBody, sealIn, send, textOf, tickedIn } from "../support/web.ts";

const webs: Web[] = [];
afterEach(async () => {
  await Promise.all(webs.splice(0).map((web) => web.close()));
});

async function start(options: Parameters<typeof startHouse>[0] = {}) {
  const house = startHouse(options);
  const web = await createWeb({
    front: frontOf(house.desk),
    approvers: options.approvers ?? NOBODY,
    clock: house.clock,
    port: 0,
  });
  webs.push(web);
  const path = (): string => `/approve/${house.tokens.at(-1)}`;
  const read = async (): Promise<string> => {
    const { text } = await send(web.port, { path: path() });
    return textOf(text).replace(/ ([,.])/g, "$1");
  };
  const tap = async (form: Record<string, Field>): Promise<number> => {
    const { text } = await send(web.port, { path: path() });
    const body = formBody({
      seal: sealIn(text),
      ...(form["verdict"] === "approve" && { item: tickedIn(text) }),
      ...form,
    });
    return (await send(web.port, { method: "POST", path: path(), headers: browserHeaders(web.port), body })).status;
  };
  return { ...house, web, read, tap };
}

describe("the page before the real desk", () => {
  it("approves just once: the waiting call is served, and the page says that this is over", async () => {
    const { get, read, tap } = await start();
    const call = get("DATABASE_URL", { holdMs: 60_000 });
    await expect.poll(read).toContain("wants to read 1 secret");
    expect(await tap({ verdict: "approve", choice: "once" })).toBe(303);
    await call.reply;
    expect(await read()).toContain("was allowed to read DATABASE_URL, just this once. Next time it has to ask again.");
    expect(await read()).not.toContain("Revoke");
  });

  it("keeps a yes for the next try while nobody waits, then says that it was used", async () => {
    const { get, read, tap, clock } = await start();
    const call = get("DATABASE_URL", { holdMs: 50_000 });
    await expect.poll(read).toContain("wants to read");
    clock.advance(50_000);
    await call.reply;
    expect(await read()).toContain("Nobody is waiting just now.");
    await tap({ verdict: "approve", choice: "once" });
    expect(await read()).toContain("If it no longer waits, its next try within 5 minutes goes through. Revoke");
    await get("DATABASE_URL").reply;
    expect(await read()).toContain("was allowed to read DATABASE_URL, just this once.");
  });

  it("says that a yes nobody came for is over", async () => {
    const { get, read, tap, clock } = await start();
    const call = get("DATABASE_URL", { holdMs: 50_000 });
    await expect.poll(read).toContain("wants to read");
    clock.advance(50_000);
    await call.reply;
    await tap({ verdict: "approve", choice: "once" });
    clock.advance(300_000);
    expect(await read()).toContain("Next time it has to ask again.");
  });

  it("opens the window that was offered, and closes it when it is revoked", async () => {
    const { get, read, tap } = await start({ rules: { ttlMs: 900_000, ttlScope: "vault" } });
    const call = get(["DATABASE_URL", "STRIPE_KEY"], { holdMs: 60_000 });
    await expect.poll(read).toContain("ALL of dev for 15 minutes");
    await tap({ verdict: "approve", choice: "window" });
    await call.reply;
    expect(await read()).toMatch(/can read ALL of dev until \d\d:\d\d \S+\. Revoke/);
    await tap({ verdict: "revoke" });
    expect(await read()).toContain("can no longer read ALL of dev.");
  });

  it("lets nothing out when the approval cannot be recorded, and can be tried again", async () => {
    const { get, read, tap, journal, vault } = await start();
    const call = get("DATABASE_URL", { holdMs: 60_000 });
    await expect.poll(read).toContain("wants to read");
    journal.away = true;
    expect(await tap({ verdict: "approve", choice: "once" })).toBe(503);
    expect(vault.reads).toBe(0);
    journal.away = false;
    expect(await tap({ verdict: "approve", choice: "once" })).toBe(303);
    await call.reply;
    expect(vault.reads).toBe(1);
  });

  it.each([
    ["a save", "Saving failed You approved, but saving failed: the vault is away.", "was allowed to save NEW_KEY"],
    ["a read", "Reading failed You approved, but reading failed: the vault is away.", "was allowed to read STRIPE_KEY"],
  ] as const)("says that %s failed and may be tried again, until one succeeds", async (what, said, done) => {
    const { get, set, read, tap, vault } = await start();
    const again = () => (what === "a save" ? set({ NEW_KEY: "hunter2-4711" }) : get("STRIPE_KEY"));
    const call = what === "a save" ? again() : get("STRIPE_KEY", { holdMs: 60_000 });
    await expect.poll(read).toContain("wants to");
    vault.fails = new VaultError("provider_unavailable", "the vault is away");
    await tap({ verdict: "approve", choice: "once" });
    await expect(call.reply).rejects.toMatchObject({ code: "provider_unavailable" });
    expect(await read()).toContain(
      `${said} test-client 1.0 is told the same. It may try again within 5 minutes without asking you. Revoke`,
    );
    vault.fails = undefined;
    await again().reply;
    expect(await read()).toContain(`Approved test-client 1.0 ${done}, just this once.`);
  });

  it("passes a note on, and shows what a write would do without the value", async () => {
    const { set, read, tap } = await start();
    const call = set({ NEW_KEY: "hunter2-4711" });
    await expect.poll(read).toContain("wants to save 1 secret WRITE to dev");
    expect(await read()).toContain("NEW_KEY new 12 characters");
    expect(await read()).not.toContain("hunter2");
    await tap({ verdict: "again", note: "use the vault's own generator" });
    await expect(call.reply).rejects.toMatchObject({ code: "ask_differently" });
    expect(await read()).toContain("Sent back");
  });

  describe("where secrets have fields", () => {
    const secrets = {
      "db#username": "maria",
      "db#password": "hunter2-4711",
      "db#notes": "",
      "api#password": "sk_0815",
    };
    const startFields = async (rules = {}) => {
      const house = await start({ secrets, rules });
      house.vault.hasFields();
      return house;
    };

    it("shows the field that is meant when none is named, of each of a batch", async () => {
      const { get, read } = await startFields({ ttlMs: 900_000 });
      get(["db", "api"], { holdMs: 60_000 });
      await expect.poll(read).toContain("wants to read 2 secrets READ from dev");
      expect(await read()).toContain("db field: password api field: password");
      expect(await read()).toContain("these 2 secrets for 15 minutes");
    });

    it("says every field, asks for the others once one is open, and opens those alone", async () => {
      const { get, read, tap, vault } = await startFields({ ttlMs: 900_000 });
      const one = get("db", { holdMs: 60_000, fields: ["username"] });
      await expect.poll(read).toContain("this field for 15 minutes");
      await tap({ verdict: "approve", choice: "window" });
      await one.reply;
      const every = get("db", { holdMs: 60_000, fields: ["*"] });
      await expect
        .poll(read)
        .toContain(
          "db all other fields: password, notes Untick what it should not get. Already open db field: username open",
        );
      await tap({ verdict: "approve", choice: "window" });
      await every.reply;
      expect(await read()).toContain("can read these 2 fields of db until");
      expect(vault.reads).toBe(2);
    });

    it("takes no yes to fewer fields than are asked for by now", async () => {
      const { get, web, tokens, read, clock, vault } = await startFields({ ttlMs: 60_000 });
      const approve = async (seal: string, at: number) => {
        const body = formBody({ seal, verdict: "approve", choice: "once", item: ["0", "1"] });
        const path = `/approve/${tokens[at]}`;
        return (await send(web.port, { method: "POST", path, headers: browserHeaders(web.port), body })).headers;
      };
      const sealAt = async (at: number) => sealIn((await send(web.port, { path: `/approve/${tokens[at]}` })).text);
      const one = get("db", { holdMs: 600_000, fields: ["username"] });
      await expect.poll(read).toContain("db field: username");
      const windowed = new URLSearchParams({ seal: await sealAt(0), verdict: "approve", choice: "window" }).toString();
      const path = `/approve/${tokens[0]}`;
      await send(web.port, { method: "POST", path, headers: browserHeaders(web.port), body: windowed });
      await one.reply;
      get("db", { holdMs: 600_000, fields: ["username", "password"] });
      await expect.poll(read).toContain("Already open db field: username");
      const shownWithout = await sealAt(1);
      clock.advance(61_000);
      expect(await read()).toContain("db fields: username, password Untick what it should not get. The agent says");
      expect((await approve(shownWithout, 1))["location"]).toContain("?changed");
      expect(vault.reads).toBe(1);
      expect((await approve(await sealAt(1), 1))["location"]).not.toContain("?");
      await expect.poll(() => vault.reads).toBe(2);
    });
  });

  describe("where the vault has people of its own", () => {
    it("says who is waited for once a person has approved, and takes it back when they agree", async () => {
      const house = await start();
      const { get, read, tap } = house;
      const people = peopleOf(house.vault, "the approvers of 12Port");
      const call = get("DATABASE_URL", { holdMs: 600_000 });
      await expect.poll(read).toContain("wants to read");
      await tap({ verdict: "approve", choice: "once" });
      await expect.poll(read).toContain("Now waiting for the approvers of 12Port, for less than a minute.");
      expect(await read()).toContain(
        "If the vault agrees, test-client 1.0 can read DATABASE_URL, just this once. Revoke",
      );
      expect(await read()).not.toContain("next try");
      house.clock.advance(180_000);
      expect(await read()).toContain("for 3 minutes.");
      people.agree();
      await call.reply;
      expect(await read()).toContain(
        "was allowed to read DATABASE_URL, just this once. Next time it has to ask again.",
      );
      expect(await read()).not.toContain("waiting for");
    });

    it("keeps saying so after the call has gone, and after its window is over; then revoking is still possible", async () => {
      const house = await start({ rules: { ttlMs: 900_000 } });
      const { get, read, tap, vault } = house;
      const people = peopleOf(vault, "the approvers of 12Port");
      const call = get("DATABASE_URL", { holdMs: 60_000 });
      await expect.poll(read).toContain("wants to read");
      await tap({ verdict: "approve", choice: "window" });
      await expect.poll(read).toMatch(/Now waiting for the approvers of 12Port.* can read DATABASE_URL until/);
      house.clock.advance(60_000);
      await call.reply;
      expect(await read()).toContain("Now waiting for the approvers of 12Port, for 1 minute.");
      house.clock.advance(900_000);
      expect(await read()).toContain("Now waiting for the approvers of 12Port, for 16 minutes.");
      expect(await read()).toContain("DATABASE_URL, just this once. Revoke");
      await tap({ verdict: "revoke" });
      expect(await read()).toContain("Revoked test-client 1.0 can no longer read DATABASE_URL.");
      expect(await read()).not.toContain("waiting for");
      expect(await read()).not.toContain("<button");
      const reads = vault.reads;
      people.agree();
      await expect.poll(read).not.toContain("can read");
      expect(vault.reads).toBe(reads);
    });

    it("says that they refused and no more that it waits", async () => {
      const house = await start();
      const { get, read, tap } = house;
      const people = peopleOf(house.vault);
      const call = get("DATABASE_URL", { holdMs: 600_000 });
      await expect.poll(read).toContain("wants to read");
      await tap({ verdict: "approve", choice: "once" });
      await expect.poll(read).toContain("Now waiting for the vault's approvers");
      people.refuse();
      await expect(call.reply).rejects.toMatchObject({ code: "upstream_denied" });
      expect(await read()).toContain(
        "Refused by the vault You approved, but the vault refused: the vault's approvers turned this down. Nothing was released. test-client 1.0 is told the same. It may ask you again.",
      );
      expect(await read()).not.toContain("waiting for");
    });
  });
});
