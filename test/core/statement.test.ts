import { describe, expect, it } from "vitest";
import type { AccessRequest, Item } from "../../src/core/request.ts";
import { type Chosen, hashOf, permits, type Statement, statementOf } from "../../src/core/statement.ts";
import { twinOf } from "../../src/core/choice.ts";
import type { Offer } from "../../src/core/policy.ts";
import { WHO } from "../support/house.ts";

const item = (name: string): Item => ({ handle: { name, ref: `id:${name}`, checked: true } });
const written = (name: string, commitment: string, effect: "create" | "replace" = "replace"): Item => {
  const handle = { name, ref: `id:${name}`, checked: true };
  return { handle, write: { plan: { ...handle, effect }, commitment, preview: { length: 20 } } };
};
const [one, two, three] = [item("DATABASE_URL"), item("STRIPE_KEY"), item("SMTP_PASSWORD")];

function request(own: Partial<AccessRequest> = {}): AccessRequest {
  return {
    id: "r-1",
    key: "key",
    session: "session-1",
    vault: "dev",
    provider: "fake",
    action: "read",
    items: [one, two],
    reason: "run migration 0042",
    requester: WHO,
    ...own,
  };
}

function statement(own: Partial<Chosen> = {}, of: Partial<AccessRequest> = {}): Statement {
  const chosen: Chosen = { items: [one], open: [two], scope: "secret", windowMs: 60_000, ...own };
  return statementOf(request(of), chosen, { nonce: "n", expiresAt: 1_000, configuration: "c" });
}

describe("what is signed", () => {
  it("changes with everything that an approval says, and with nothing else", () => {
    const hash = hashOf(statement());
    expect(hashOf(statement())).toBe(hash);
    const { claims, facts } = WHO;
    const others: Statement[] = [
      statement({ items: [two], open: [] }),
      statement({ items: [one, two], open: [] }),
      statement({ open: [] }),
      statement({ scope: "vault" }),
      statement({ windowMs: 60_001 }),
      statement({ windowMs: 0 }),
      statement({}, { id: "r-2" }),
      statement({}, { session: "session-2" }),
      statement({}, { vault: "prod" }),
      statement({}, { provider: "env" }),
      statement({}, { action: "write" }),
      statement({}, { reason: "run migration 0043" }),
      statement({}, { requester: { claims: { ...claims, client: "other" }, facts } }),
      statement({}, { requester: { claims: { ...claims, roots: ["file:///srv"] }, facts } }),
      statement({}, { requester: { claims, facts: { ...facts, user: "root" } } }),
      statement({ items: [{ handle: { ...one.handle, ref: "id:other" } }] }),
      statement({ items: [{ handle: { ...one.handle, title: "Database" } }] }),
      statement({ items: [{ handle: { ...one.handle, field: "password" } }] }),
      statement({ items: [{ handle: { ...one.handle, version: "2" } }] }),
      statement({ items: [written("DATABASE_URL", "c-1")] }),
      statement({ items: [written("DATABASE_URL", "c-2")] }),
      statement({ items: [written("DATABASE_URL", "c-1", "create")] }),
      { ...statement(), nonce: "m" },
      { ...statement(), expiresAt: 1_001 },
      { ...statement(), configuration: "d" },
      { ...statement(), uses: 1 },
    ];
    const hashes = [hash, ...others.map(hashOf)];
    expect(new Set(hashes).size).toBe(hashes.length);
    // What claims a thing and what was seen of it stay apart, whatever they are called.
    const claimed = statement(
      {},
      { requester: { claims: { client: "c", folder: "/srv" }, facts: { user: "m", host: "h" } } },
    );
    const seen = statement(
      {},
      { requester: { claims: { client: "c" }, facts: { user: "m", host: "h", folder: "/srv" } } },
    );
    expect(hashOf(claimed)).not.toBe(hashOf(seen));
  });
});

describe("what an approval permits", () => {
  it("is what was asked for and what was open beside it, this once; under its window only what was asked for", () => {
    const said = statement();
    expect([one, two, three].map((each) => permits(said, request(), each, "asked"))).toEqual([true, true, false]);
    expect([one, two, three].map((each) => permits(said, request(), each, "window"))).toEqual([true, false, false]);
  });

  it("is everything of the vault only with a window over the vault, and only for reading", () => {
    const whole = statement({ scope: "vault" });
    expect(permits(whole, request(), three, "window")).toBe(true);
    expect(permits(statement({ scope: "vault", windowMs: 0 }), request(), three, "asked")).toBe(false);
    const writing = statement({ scope: "vault", items: [written("A", "c-1")] }, { action: "write" });
    expect(permits(writing, request({ action: "write" }), written("B", "c-1"), "asked")).toBe(false);
  });

  it("is nothing in another session or vault, for another action or kind of vault, nor by a window that is none", () => {
    const said = statement();
    for (const other of [
      { session: "session-2" },
      { vault: "prod" },
      { provider: "env" },
      { action: "write" } as const,
    ]) {
      expect(permits(said, request(other), one, "asked")).toBe(false);
    }
    expect(permits(statement({ windowMs: 0 }), request(), one, "window")).toBe(false);
  });

  it("is the one value of a write, saved the one way", () => {
    const said = statement({ items: [written("A", "c-1")], open: [], windowMs: 0 }, { action: "write" });
    const writing = request({ action: "write" });
    expect(permits(said, writing, written("A", "c-1"), "asked")).toBe(true);
    expect(permits(said, writing, written("A", "c-2"), "asked")).toBe(false);
    expect(permits(said, writing, written("A", "c-1", "create"), "asked")).toBe(false);
    expect(permits(said, writing, item("A"), "asked")).toBe(false);
  });

  it("is, for the one use that was asked for, exactly what was shown; under a window it is the secret", () => {
    const said = statement();
    const now = (own: object): Item => ({ handle: { ...one.handle, ...own } });
    for (const other of [
      now({ version: "4" }),
      now({ title: "Staging" }),
      now({ name: "X" }),
      now({ field: "user" }),
    ]) {
      expect(permits(said, request(), other, "asked")).toBe(false);
      expect(permits(said, request(), other, "window")).toBe(true);
    }
  });
});

describe("requests that can share an answer", () => {
  const offer: Offer = { windowMs: 60_000, scope: "secret", proof: "passkey" };
  const twin = (own: Partial<AccessRequest> = {}, asked?: readonly Item[], of: Offer = offer): string | undefined => {
    const each = request(own);
    return twinOf({ request: each, offer: of, asked: asked ?? each.items }, "configuration");
  };

  it("are those for the same secrets by the same names, of whatever session and for whatever reason", () => {
    expect(twin()).toBeDefined();
    expect(twin({ session: "session-2", id: "r-2", reason: "deploy" })).toBe(twin());
  });

  it("are not those in another order: an answer speaks of secrets by position", () => {
    expect(twin({ items: [two, one] })).not.toBe(twin());
  });

  it("are not those shown otherwise, offered otherwise, or covered in part", () => {
    const others = [
      twin({ items: [one, { handle: { ...two.handle, name: "harmless" } }] }),
      twin({ items: [one, { handle: { ...two.handle, title: "Stripe" } }] }),
      twin({ items: [one, { handle: { ...two.handle, checked: false } }] }),
      twin({ fields: ["*"] }),
      twin({ vault: "prod" }),
      twin({}, undefined, { ...offer, windowMs: 1 }),
      twin({}, undefined, { ...offer, scope: "vault" }),
      twin({}, undefined, { windowMs: 60_000, scope: "secret" }),
    ];
    expect(new Set([twin(), ...others]).size).toBe(others.length + 1);
    expect(twin({}, [one])).toBeUndefined();
    expect(twin({ action: "write", items: [written("A", "c-1")] })).toBeUndefined();
  });
});
