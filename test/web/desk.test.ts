import { afterEach, describe, expect, it } from "vitest";
import { createWeb, type Web } from "../../src/web/server.ts";
import { startHouse } from "../support/house.ts";
import { browserHeaders, sealIn, send } from "../support/web.ts";

const webs: Web[] = [];
afterEach(async () => {
  await Promise.all(webs.splice(0).map((web) => web.close()));
});

async function start(options: Parameters<typeof startHouse>[0] = {}) {
  const house = startHouse(options);
  const web = await createWeb({ front: house.desk, clock: house.clock, port: 0 });
  webs.push(web);
  const path = (): string => `/approve/${house.tokens.at(-1)}`;
  const read = async (): Promise<string> => {
    const { text } = await send(web.port, { path: path() });
    return text
      .slice(text.indexOf("<body>"))
      .replace(/<[^>]+>/g, " ")
      .replace(/\s+/g, " ")
      .replace(/ ([,.])/g, "$1");
  };
  const tap = async (form: Record<string, string>): Promise<number> => {
    const seal = sealIn((await send(web.port, { path: path() })).text);
    const body = new URLSearchParams({ seal, ...form }).toString();
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
    expect(await read()).toContain("The next try within 5 minutes goes through. Revoke");
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
});
