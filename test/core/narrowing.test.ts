import { describe, expect, it, vi } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import { codeOf, type FakeJournal, settle, valuesOf } from "../support/house.ts";
import { loadPatched } from "../support/patched.ts";
import { preparingsOf } from "../support/preparings.ts";
import * as real from "../support/signing.ts";

const { startSigningHouse } = real;
const SECRETS = {
  DATABASE_URL: "postgres://hunter2-4711",
  STRIPE_KEY: "sk_live_canary_0815",
  SMTP: "smtp-canary-0816",
};
const BOTH = ["DATABASE_URL", "STRIPE_KEY"];

async function asking(names: string | string[] = BOTH, options: Parameters<typeof startSigningHouse>[0] = {}) {
  const house = startSigningHouse({ secrets: SECRETS, ...options });
  const call = house.get(names);
  await settle();
  return { ...house, call };
}

describe("a secret that is unticked", () => {
  it("is refused in the call that waits, and the rest is read", async () => {
    const house = await asking();
    expect(await house.sign({ items: [0] })).toBe("taken");
    expect(await valuesOf(house.call)).toEqual({ DATABASE_URL: SECRETS.DATABASE_URL, STRIPE_KEY: "denied" });
    expect(house.card().standing).toMatchObject({ is: "approved", leftOut: [1] });
    expect(read(house)).toEqual(["id:DATABASE_URL"]);
  });

  it("is refused later too, alone and in a batch, while the rest stays open", async () => {
    const house = await asking();
    await house.sign({ items: [0] });
    await house.call.reply;
    expect(await codeOf(house.get("STRIPE_KEY"))).toBe("denied");
    expect(await codeOf(house.get(BOTH))).toBe("denied");
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
    expect(house.rings).toHaveLength(1);
    const lines = house.journal.events.filter(({ kind }) => kind === "denied");
    expect(lines).toEqual([expect.objectContaining({ names: ["STRIPE_KEY"], proof: "passkey" })]);
    expect(house.journal.events.find(({ kind }) => kind === "approved")?.names).toEqual(["DATABASE_URL"]);
  });

  it("is in the log as left out by whoever signed for the rest, or by the link where that was enough", async () => {
    const signed = await asking();
    await signed.sign({ items: [0] });
    const [yes, no] = ["approved", "denied"].map((is) => signed.journal.events.find(({ kind }) => kind === is));
    expect(yes?.approver).toBe(`Maria's phone (${signed.phone.credentialId})`);
    expect(no).toMatchObject({ proof: "passkey", approver: yes?.approver, statement: yes?.statement });
    const bare = await asking(BOTH, { isEnrolled: false });
    await bare.send("link", { items: [0] });
    const left = bare.journal.events.find(({ kind }) => kind === "denied");
    expect(left).toMatchObject({ names: ["STRIPE_KEY"], proof: "link" });
    expect(left).not.toHaveProperty("approver");
  });

  it("stays out of what the same call comes for later, when nobody waited at the moment of the answer", async () => {
    const house = await asking();
    house.call.cancel();
    await house.sign({ items: [1], choice: "once" });
    house.clock.advance(1_000);
    expect(await valuesOf(house.get(BOTH))).toEqual({ DATABASE_URL: "denied", STRIPE_KEY: SECRETS.STRIPE_KEY });
    expect(read(house)).toEqual(["id:STRIPE_KEY"]);
    expect(await codeOf(house.get(BOTH)), "just once is used up").toBe("denied");
  });

  it("does not stand in the way of a field that stays ticked beside it", async () => {
    const house = startSigningHouse({ secrets: { "shop#user": "maria-4711", "shop#password": "hunter2-4711" } });
    house.vault.hasFields();
    const call = house.get("shop", { fields: ["user", "password"] });
    await settle();
    await house.sign({ items: [0] });
    await call.reply;
    expect(await codeOf(house.get("shop", { fields: ["user"] }))).toBe("done");
    expect(await codeOf(house.get("shop", { fields: ["password"] }))).toBe("denied");
    expect(await codeOf(house.get("shop"))).toBe("denied");
  });

  it("is not put before the vault's own people, nor read when they have agreed to the rest", async () => {
    const house = await asking();
    const prepared = new Set<string>();
    house.vault.prepare = (handles) => {
      for (const { ref } of handles) prepared.add(ref);
      return Promise.resolve(handles.map(() => "ready"));
    };
    const also = house.get(BOTH);
    await settle();
    await house.sign({ items: [0] });
    const expected = { DATABASE_URL: SECRETS.DATABASE_URL, STRIPE_KEY: "denied" };
    expect(await valuesOf(house.call)).toEqual(expected);
    expect(await valuesOf(also)).toEqual(expected);
    expect([...prepared], "nor did its people hear of it").toEqual(["id:DATABASE_URL"]);
    expect(read(house)).not.toContain("id:STRIPE_KEY");
  });

  it("stays out when the vault's people are asked only after the first reading", async () => {
    const house = await asking();
    const making = preparingsOf(house.vault);
    let needed = true;
    house.vault.blocks = (ref) =>
      needed && ref === "id:DATABASE_URL" ? new VaultError("upstream_required", "its people are needed") : undefined;
    await house.sign({ items: [0] });
    await until(() => expect(making).toHaveLength(1));
    making[0]?.ready();
    await until(() => expect(making).toHaveLength(2));
    needed = false;
    making[1]?.ready();
    expect(await valuesOf(house.call)).toEqual({ DATABASE_URL: SECRETS.DATABASE_URL, STRIPE_KEY: "denied" });
    expect(making.flatMap(({ refs }) => refs)).not.toContain("id:STRIPE_KEY");
  });

  it("is out under each of its names", async () => {
    const house = startSigningHouse({ secrets: SECRETS });
    const { resolve } = house.vault;
    Object.assign(house.vault, {
      resolve: async (...asked: Parameters<typeof resolve>) =>
        (await resolve(...asked)).map((each) => (each instanceof VaultError ? each : { ...each, ref: "id:the-one" })),
    });
    void house.get(BOTH);
    await settle();
    expect(await house.send(house.phone.signed(house.decision()), { items: [0] }), "nothing is left").toBe("not taken");
  });

  it("narrows a window over the whole vault to the secrets that stay ticked", async () => {
    const house = await asking(BOTH, { rules: { ttlMs: 600_000, ttlScope: "vault" } });
    await house.sign({ items: [0] });
    await house.call.reply;
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
    const other = house.get("SMTP", { holdMs: 1_000 });
    await settle();
    expect(house.rings, "a person is asked for the third").toHaveLength(2);
    house.clock.advance(1_000);
    expect(await codeOf(other)).toBe("pending");
    expect(house.journal.events.find(({ kind }) => kind === "approved")?.scope).toBe("secret");
  });

  it("leaves the window over the whole vault where none is", async () => {
    const house = await asking(BOTH, { rules: { ttlMs: 600_000, ttlScope: "vault" } });
    await house.sign({ items: [0, 1] });
    await house.call.reply;
    expect(await codeOf(house.get("SMTP"))).toBe("done");
  });
});

describe("a window that is shortened", () => {
  it("ends when the person said", async () => {
    const house = await asking("DATABASE_URL");
    await house.sign({ windowMs: 60_000 });
    await house.call.reply;
    house.clock.advance(59_999);
    expect(await codeOf(house.get("DATABASE_URL"))).toBe("done");
    house.clock.advance(1);
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(2);
    expect(house.card(0).standing).toMatchObject({ is: "approved", ended: "over" });
  });

  it.each([0, -1, 0.5, 600_001, Number.NaN, Number.POSITIVE_INFINITY])(
    "is not taken as %s ms, by a signature or without",
    async (windowMs) => {
      const house = await asking("DATABASE_URL");
      expect(() => house.decision({ windowMs })).toThrow("nothing to sign");
      const signed = house.phone.signed(house.decision());
      expect(await house.send(signed, { windowMs })).toBe("not taken");
      const bare = await asking("DATABASE_URL", { isEnrolled: false });
      expect(await bare.send("link", { windowMs })).toBe("not taken");
    },
  );

  it("is no window at all with just once, for a write, and where none is offered", async () => {
    const house = await asking("DATABASE_URL");
    expect(() => house.decision({ choice: "once", windowMs: 60_000 })).toThrow("nothing to sign");
    void house.set({ STRIPE_KEY: "sk_live_canary_0817" });
    await settle();
    expect(() => house.decision({ windowMs: 60_000 })).toThrow("nothing to sign");
    const never = await asking("DATABASE_URL", { rules: { ttlMs: 0 } });
    expect(() => never.decision({ windowMs: 60_000 })).toThrow("nothing to sign");
  });
});

describe("what may be ticked", () => {
  it.each([[[]], [[2]], [[-1]], [[0.5]], [[0, 9]]])("is of the card: %j is not taken", async (items) => {
    const house = await asking();
    expect(() => house.decision({ items })).toThrow("nothing to sign");
  });

  it("is what was asked for: what is open already stays open as long as before", async () => {
    const house = await asking("DATABASE_URL");
    await house.sign({ windowMs: 60_000 });
    await house.call.reply;
    const batch = house.get(BOTH);
    await settle();
    await house.sign({ items: [1] });
    expect(await valuesOf(batch)).toEqual({ DATABASE_URL: SECRETS.DATABASE_URL, STRIPE_KEY: SECRETS.STRIPE_KEY });
    house.clock.advance(60_000);
    expect(await codeOf(house.get("STRIPE_KEY"))).toBe("done");
    void house.get("DATABASE_URL");
    await settle();
    expect(house.rings).toHaveLength(3);
  });
});

/** What was recorded as being read. */
function read({ journal }: { journal: FakeJournal }): readonly string[] {
  return journal.events.flatMap(({ kind, refs = [] }) => (kind === "releasing" ? refs : []));
}

/** A real signature is looked at in threads of its own: turns of the event loop do not count there. */
function until(check: () => void): Promise<void> {
  return vi.waitFor(check, { interval: 2, timeout: 10_000 });
}

/** Whether a window that was opened wider than was signed serves anything by it. */
async function widens({ startSigningHouse: start }: typeof real): Promise<boolean> {
  const house = start({ secrets: SECRETS });
  const call = house.get("DATABASE_URL");
  await settle();
  await house.sign({ windowMs: 60_000 });
  await call.reply;
  house.clock.advance(120_000);
  return (await codeOf(house.get("STRIPE_KEY", { holdMs: 0 }))) === "done";
}

describe("a window that somebody made wider than what was signed", () => {
  const wider = { file: "src/core/approvals.ts", from: "window: { scope, span, asked: items }", to: "" };
  const wide = {
    ...wider,
    to: 'window: { scope: "vault" as const, span: new Span(this.#o.clock, 600_000), asked: items }',
  };

  it("serves nothing: its proof is looked at again at each use", async () => {
    const twin = (await loadPatched("test/support/signing.ts", [wide])) as typeof real;
    expect(await widens(twin)).toBe(false);
  });

  it("would be seen to serve if the proof were looked at no more", async () => {
    const blind = [
      { file: "src/core/vouch.ts", from: "if (permitting.length === 0) throw", to: "if (Boolean(0)) throw" },
      { file: "src/core/vouch.ts", from: 'if (basis === "window" && !permitting', to: "if (Boolean(0) && !permitting" },
    ];
    const twin = (await loadPatched("test/support/signing.ts", [wide, ...blind])) as typeof real;
    expect(await widens(twin)).toBe(true);
  });
});
