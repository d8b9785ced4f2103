import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { describe, expect, it } from "vitest";
import type { Wait } from "../../src/core/ports.ts";
import { Dialogs } from "../../src/mcp/dialog.ts";
import { type Session, waiterFor } from "../../src/mcp/person.ts";
import { FakeClock } from "../support/fake-clock.ts";

function start() {
  const clock = new FakeClock();
  const server = new Server({ name: "test", version: "1" }, { capabilities: {} });
  const session: Session = {
    server,
    clock,
    waitMs: undefined,
    limitMs: undefined,
    dialogs: new Dialogs(server, clock),
  };
  const messages: string[] = [];
  const abort = new AbortController();
  const progress = (_count: number, message: string): Promise<void> => Promise.resolve(void messages.push(message));
  const { waiter, done } = waiterFor(session, { signal: abort.signal, progress });
  const wait: Wait = {
    request: "r-1",
    vault: "dev",
    action: "read",
    names: ["DATABASE_URL"],
    rang: [],
    troubles: [],
    linkIsFinal: false,
    linkApproves: true,
    behind: 0,
    expiresAt: clock.now() + 900_000,
  };
  const link = { local: "http://localhost:9999/approve/abc" };
  return { clock, session, messages, abort, waiter, done, wait, link };
}

describe("a call that waits", () => {
  it("tells the client where to answer as soon as it is known, once, and then every ten seconds", () => {
    const { clock, messages, waiter, wait, link } = start();
    waiter.waiting(wait);
    expect(messages).toEqual([]);
    waiter.waiting({ ...wait, link });
    waiter.waiting({ ...wait, link, linkIsFinal: true });
    waiter.waiting({ ...wait, link, linkIsFinal: true, rang: ["ntfy"] });
    expect(messages).toEqual([expect.stringContaining(`15:00 left. Approve or deny at ${link.local}`)]);
    clock.advance(30_000);
    expect(messages).toHaveLength(4);
    expect(messages.at(-1)).toContain("14:30 left");
  });

  it("keeps the client alive while the vault works, but asks nobody any more", () => {
    const { clock, messages, waiter, wait, link } = start();
    waiter.waiting({ ...wait, link, linkIsFinal: true });
    waiter.answered();
    clock.advance(20_000);
    expect(messages.slice(1)).toEqual([
      "A person has answered; the vault is at work.",
      "A person has answered; the vault is at work.",
    ]);
  });

  it("says for whom it waits in the vault as soon as that is known, and again when that changes", () => {
    const { clock, messages, waiter, wait, link } = start();
    waiter.waiting({ ...wait, link, linkIsFinal: true });
    waiter.answered();
    const { expiresAt: _, ...approved } = wait;
    const since = clock.now();
    const upstream = (text: string): Wait => ({ ...approved, linkIsFinal: true, upstream: { text, since } });
    waiter.waiting(upstream("waiting for the approvers of 12Port"));
    waiter.waiting(upstream("waiting for the approvers of 12Port"));
    waiter.waiting(upstream("waiting for the check-out of the asset"));
    clock.advance(3_600_000 + 1_200_000);
    expect([...new Set(messages.slice(1, 5))]).toEqual([
      "A person approved; waiting for the approvers of 12Port, for less than a minute.",
      "A person approved; waiting for the check-out of the asset, for less than a minute.",
    ]);
    expect(messages.at(-1)).toBe("A person approved; waiting for the check-out of the asset, for 1 h 20 min.");
  });

  it("keeps a client alive that comes only when the vault's people are already being waited for", () => {
    const { clock, messages, waiter, wait } = start();
    waiter.waiting({ ...wait, upstream: { text: "waiting for maria", since: clock.now() - 3 * 86_400_000 } });
    clock.advance(20_000);
    expect(messages).toEqual(Array.from({ length: 3 }, () => "A person approved; waiting for maria, for 3 days."));
  });

  it("bears what is left of its client's patience, and never less than nothing", () => {
    const { clock, session, waiter } = start();
    expect(waiter.holdMs).toBe(50_000);
    clock.advance(40_000);
    expect(waiter.holdMs).toBe(10_000);
    session.waitMs = 45_000;
    expect(waiter.holdMs).toBe(5_000);
    clock.advance(40_000);
    expect(waiter.holdMs).toBe(0);
  });

  it("keeps the client alive from the first moment on, for a vault that is slow before anybody is asked", () => {
    const { clock, messages, waiter, wait, link } = start();
    clock.advance(25_000);
    expect(messages).toEqual(["The vault is at work.", "The vault is at work."]);
    waiter.waiting({ ...wait, link });
    expect(messages.at(-1)).toContain("Approve or deny at");
  });

  it("falls silent when it is over", () => {
    const { clock, messages, waiter, done, wait, link } = start();
    waiter.waiting({ ...wait, link });
    done({ settled: true });
    clock.advance(60_000);
    expect(messages).toHaveLength(1);
  });

  it("learns from a time-out how long this client waits, and nothing from a user who stops", () => {
    for (const [reason, limit] of [
      ["Request timed out", 50_000],
      ["AbortError: user-cancel", undefined],
    ] as const) {
      const { clock, session, abort } = start();
      clock.advance(60_000);
      abort.abort(reason);
      expect(session.limitMs).toBe(limit);
    }
  });
});
