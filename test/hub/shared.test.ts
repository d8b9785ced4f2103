import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Tunnel } from "../../src/core/ports.ts";
import { preparePlace, takeLock } from "../../src/hub/place.ts";
import { visitHub } from "../../src/hub/visit.ts";
import { systemClock } from "../../src/wall-clock.ts";
import { codeOf, valuesOf } from "../support/house.ts";
import { share, stateFolder, until } from "../support/hub.ts";
import { approve, decide, deny, readPage } from "../support/person.ts";

describe("the page of several sessions", () => {
  it("is not there, nor anything for it, before somebody needs a person", async () => {
    const folder = stateFolder();
    const { hub } = share(folder);
    expect(existsSync(folder)).toBe(false);
    expect(await visitHub({ folder })).toBeUndefined();
    expect(() => hub.link("x".repeat(22))).toThrow(expect.objectContaining({ code: "page_unavailable" }));
    await hub.close();
    expect(existsSync(folder)).toBe(false);
  });

  it("is one, and each answer goes to the session that asked", async () => {
    const folder = stateFolder();
    const sessions = [share(folder), share(folder), share(folder)];
    const names = ["DATABASE_URL", "STRIPE_KEY", "DATABASE_URL"];
    const reasons = ["migrate", "refund", "dump"];
    const calls = sessions.map(({ house }, at) => house.get(names[at] ?? "", { reason: reasons[at] ?? "" }));
    const links = await Promise.all(sessions.map(({ link }) => link()));
    expect(new Set(links.map((link) => new URL(link).origin)).size).toBe(1);
    expect(sessions.flatMap(({ hosted }) => hosted)).toHaveLength(1);
    expect(await readPage(links[1] ?? "")).toContain("refund");
    expect(await approve(links[1] ?? "")).toBe(303);
    expect(await valuesOf(calls[1] as never)).toEqual({ STRIPE_KEY: "sk_live_canary_0815" });
    expect(await deny(links[0] ?? "")).toBe(303);
    expect(await codeOf(calls[0] as never)).toBe("denied");
    await until(() => sessions[1]?.house.journal.kinds().includes("released") ?? false);
    expect(sessions.map(({ house }) => house.journal.kinds())).toEqual([
      ["requested", "denied"],
      ["requested", "approved", "releasing", "released"],
      ["requested", "denied"],
    ]);
  });

  it("shows a decided request on, and ends what it opened, in whichever session", async () => {
    const folder = stateFolder();
    const rules = { ttlMs: 600_000 };
    const [host, guest] = [share(folder, { rules }), share(folder, { rules })];
    await host.hub.open();
    const call = guest.house.get("STRIPE_KEY");
    const link = await guest.link();
    await approve(link, "window");
    await call.reply;
    expect(await readPage(link)).toMatch(/Approved/);
    expect(await decide(link, { verdict: "revoke" })).toBe(303);
    expect(guest.house.grants.anyOpen).toBe(false);
  });

  it("is visited by commands, which see everything but the links, and can end it", async () => {
    const folder = stateFolder();
    const rules = { ttlMs: 600_000 };
    const [host, guest] = [share(folder, { rules }), share(folder, { rules })];
    const open = host.house.get("DATABASE_URL");
    await approve(await host.link(), "window");
    await open.reply;
    void guest.house.get("STRIPE_KEY");
    await guest.link();
    const visit = await visitHub({ folder });
    const { waiting, windows } = (await visit?.overview()) ?? { waiting: [], windows: [] };
    expect(waiting.map(({ names, token }) => [names, token])).toEqual([[["STRIPE_KEY"], ""]]);
    expect(windows.map(({ names }) => names)).toEqual([["DATABASE_URL"]]);
    expect(await visit?.endApproval("nothing-of-that-name")).toBe(false);
    expect(await visit?.endApproval(windows[0]?.approval ?? "")).toBe(true);
    expect(host.house.grants.anyOpen).toBe(false);
    visit?.close();
  });

  it("is handed over when the session that has it ends: same port, same links, same forms", async () => {
    const folder = stateFolder();
    const [host, first, second] = [share(folder), share(folder), share(folder)];
    await host.hub.open();
    const calls = [first.house.get("DATABASE_URL"), second.house.get("STRIPE_KEY")];
    const links = [await first.link(), await second.link()];
    const seal = /name="seal" value="([^"]+)"/.exec(await readPage(links[0] ?? ""))?.[1] ?? "";
    await host.hub.close();
    await until(() => first.hosted.length + second.hosted.length === 1);
    await until(() =>
      fetch(links[0] ?? "").then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    // The form of the page before, as a phone still shows it.
    const sent = await fetch(links[0] ?? "", {
      method: "POST",
      redirect: "manual",
      headers: { origin: new URL(links[0] ?? "").origin, "sec-fetch-site": "same-origin" },
      body: new URLSearchParams({ seal, verdict: "approve", choice: "once" }),
    });
    expect([sent.status, sent.headers.get("location")?.includes("?")]).toEqual([303, false]);
    expect(await valuesOf(calls[0] as never)).toEqual({ DATABASE_URL: "postgres://hunter2-4711" });
    expect(await approve(links[1] ?? "")).toBe(303);
    expect(await valuesOf(calls[1] as never)).toEqual({ STRIPE_KEY: "sk_live_canary_0815" });
    expect([...first.said, ...second.said, ...first.faults, ...second.faults]).toEqual([]);
  });

  it("comes back by itself for a page that is being looked at while it moves", async () => {
    const folder = stateFolder();
    const [host, guest] = [share(folder), share(folder)];
    await host.hub.open();
    void guest.house.get("DATABASE_URL");
    const link = await guest.link();
    await host.hub.close();
    const statuses: number[] = [];
    await until(async () => {
      const status = await fetch(link).then(
        (answer) => answer.status,
        () => 0,
      );
      statuses.push(status);
      return status === 200;
    });
    // Not once was it said that nothing waits there.
    expect(statuses).not.toContain(404);
  });

  it("rings again when it comes to be somewhere else", async () => {
    const folder = stateFolder();
    const tunnelAt = (origin: string): Tunnel => ({
      name: "fake",
      open: () => Promise.resolve({ origin, close: () => Promise.resolve() }),
    });
    const host = share(folder, { tunnel: tunnelAt("https://one.example") });
    const guest = share(folder, { tunnel: tunnelAt("https://two.example") });
    await host.hub.open();
    void guest.house.get("DATABASE_URL");
    await until(() => guest.house.rings.length > 0);
    // Else it has a page of its own, which need not move when another goes away.
    expect([guest.said, guest.hosted]).toEqual([[], []]);
    await host.hub.close();
    await until(() => guest.house.rings.length > 1);
    const origins = guest.house.rings.map(({ link }) => new URL(link.public ?? link.local).origin);
    expect(origins).toEqual(["https://one.example", "https://two.example"]);
  });

  it("is shared also by a session that stood still while it looked for it", async () => {
    const folder = stateFolder();
    const lock = takeLock(preparePlace(folder));
    let mono = 0;
    const { hub, said } = share(folder, {
      time: {
        ...systemClock,
        mono: () => (mono += 10_000),
        after: (ms, run) => {
          lock?.leave();
          return systemClock.after(ms, run);
        },
      },
    });
    await hub.open();
    expect(said).toEqual([]);
    expect(await visitHub({ folder }).then((visit) => (visit?.close(), visit !== undefined))).toBe(true);
  });

  it("says why a link works here alone, when whoever hosts it has no tunnel", async () => {
    const folder = stateFolder();
    const host = share(folder);
    const guest = share(folder, {
      tunnel: { name: "fake", open: () => Promise.reject(new Error("not mine to open")) },
    });
    await host.hub.open();
    await guest.hub.open();
    expect(guest.hub.link("x").trouble).toMatch(/a session whose configuration has no tunnel/);
    expect(host.hub.link("x").trouble).toBeUndefined();
  });
});
