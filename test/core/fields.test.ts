import { describe, expect, it } from "vitest";
import type { Handle } from "../../src/core/request.ts";
import { Secret } from "../../src/core/secret.ts";
import { type Call, codeOf, type House, settle, startHouse } from "../support/house.ts";
import { loadPatched } from "../support/patched.ts";
import { preparingsOf } from "../support/preparings.ts";

const MINUTE = 60_000;
const LOGIN = { "Login#username": "maria-0815", "Login#password": "hunter2-4711", "Login#otp": "canary-606060" };

function startFields(options: Parameters<typeof startHouse>[0] = {}, start = startHouse): House {
  const house = start({ secrets: { ...LOGIN, "Other#password": "canary-other-1" }, ...options });
  house.vault.hasFields();
  return house;
}

async function fieldsIn(call: Call<Secret>): Promise<unknown> {
  const reply = await call.reply;
  if (reply.is !== "done") return reply.is;
  return reply.results.map(({ name, field, result }) => [
    name,
    field,
    "code" in result ? result.code : result.reveal(),
  ]);
}

describe("fields of one secret", () => {
  it("are one item each: on the card, in the log and in the answer, in the order they were asked for", async () => {
    const house = startFields();
    const call = house.get("Login", { fields: ["password", "username"] });
    await settle();
    expect(house.card()).toMatchObject({
      items: [
        { name: "Login", field: "password" },
        { name: "Login", field: "username" },
      ],
      everyField: false,
    });
    await house.approve("once");
    expect(await fieldsIn(call)).toEqual([
      ["Login", "password", "hunter2-4711"],
      ["Login", "username", "maria-0815"],
    ]);
    expect(house.journal.events.at(-1)).toMatchObject({
      kind: "released",
      names: ["Login#password", "Login#username"],
      refs: ["id:Login#password", "id:Login#username"],
    });
  });

  it("every one of them is said to be every one, however the star was written", async () => {
    const house = startFields();
    const call = house.get("Login", { fields: ["*", "password"] });
    await settle();
    expect(house.card()).toMatchObject({ everyField: true });
    expect(house.card().items.map(({ field }) => field)).toEqual(["username", "password", "otp"]);
    const same = house.get("Login", { fields: ["*"] });
    await settle();
    expect(house.rings).toHaveLength(1);
    await house.approve("once");
    expect([await codeOf(call), await codeOf(same)]).toEqual(["done", "done"]);
  });

  it("are part of what makes a request the same, in whatever order and however often they are named", async () => {
    const house = startFields();
    void house.get("Login", { fields: ["username", "password"] });
    await settle();
    void house.get("Login", { fields: ["password", "username", "password"] });
    await settle();
    expect(house.rings).toHaveLength(1);
    expect(house.card().items).toHaveLength(2);
    for (const other of [{ fields: ["password"] }, { fields: ["*"] }, {}]) {
      void house.get("Login", other);
      await settle();
    }
    expect(house.rings).toHaveLength(4);
  });

  it("one of them stands for the secret where none is named, and says which", async () => {
    const house = startFields();
    const call = house.get("Login");
    await settle();
    expect(house.card().items).toEqual([{ name: "Login", field: "password", checked: true }]);
    await house.approve("once");
    expect(await fieldsIn(call)).toEqual([["Login", "password", "hunter2-4711"]]);
  });

  it("that is not there is said to be missing, and nobody is asked", async () => {
    const house = startFields();
    expect(await codeOf(house.get("Login", { fields: ["password", "pin"] }))).toBe("secret_not_found");
    expect(house.rings).toHaveLength(0);
  });

  it("are shown with the vault's own name of the secret where it was asked for by an id", async () => {
    const house = startFields();
    const { fields } = house.vault;
    house.vault.fields = async (name, wanted, signal) =>
      ((await fields?.("Login", wanted, signal)) ?? []).map((handle) => ({ ...handle, name, title: "Login \u202Eof" }));
    void house.get("4hx7", { fields: ["password"] });
    await settle();
    expect(house.card().items).toEqual([{ name: "4hx7", title: "Login ⟦U+202E⟧of", field: "password", checked: true }]);
  });
});

/** Approves the password for a while, asks for something else, and says how often a person was asked. */
async function asksAfterPassword(
  call: { name: string; fields?: readonly string[] },
  options: { ttlScope?: "secret" | "vault" } = {},
  start = startHouse,
): Promise<number> {
  const house = startFields({ rules: { ttlMs: MINUTE, ...options } }, start);
  const first = house.get("Login", { fields: ["password"] });
  await settle();
  await house.approve("window");
  await first.reply;
  void house.get(call.name, call.fields ? { fields: call.fields } : {});
  await settle();
  return house.rings.length;
}

const OTHERS = [
  ["another field of it", { name: "Login", fields: ["username"] }],
  ["the same field of another secret", { name: "Other", fields: ["password"] }],
  ["both together", { name: "Login", fields: ["password", "username"] }],
  ["every field", { name: "Login", fields: ["*"] }],
] as const;

describe("a window over one field", () => {
  it.each([
    ["the same field", { name: "Login", fields: ["password"] }],
    ["the secret, which means that field", { name: "Login" }],
  ] as const)("covers %s", async (_, call) => {
    expect(await asksAfterPassword(call)).toBe(1);
  });

  it.each(OTHERS)("does not open %s", async (_, call) => {
    expect(await asksAfterPassword(call)).toBe(2);
  });

  it("asks only for the fields that it does not cover", async () => {
    const house = startFields({ rules: { ttlMs: MINUTE } });
    const first = house.get("Login", { fields: ["password"] });
    await settle();
    await house.approve("window");
    await first.reply;
    void house.get("Login", { fields: ["*"] });
    await settle();
    expect(house.rings.at(-1), "fields of one secret are one secret").toMatchObject({ count: 1 });
    expect(house.card().items.map(({ field, openUntil }) => [field, openUntil !== undefined])).toEqual([
      ["username", false],
      ["password", true],
      ["otp", false],
    ]);
  });

  it.each(OTHERS)("of the whole vault covers %s", async (_, call) => {
    expect(await asksAfterPassword(call, { ttlScope: "vault" })).toBe(1);
  });

  it("would be seen to open another if windows were kept by name", async () => {
    const twin = (await loadPatched("test/support/house.ts", [
      {
        file: "src/core/grants.ts",
        from: "window && { ...window, refs: new Set(window.asked.map((item) => item.handle.ref)) }",
        to: "window && { ...window, refs: new Set(window.asked.map((item) => item.handle.name)) }",
      },
      { file: "src/core/grants.ts", from: "window.refs.has(item.handle.ref)", to: "window.refs.has(item.handle.name)" },
    ])) as { startHouse: typeof startHouse };
    const asked = await Promise.all(OTHERS.map(([, call]) => asksAfterPassword(call, {}, twin.startHouse)));
    expect(asked).toContain(1);
  });
});

describe("a denied field", () => {
  it.each([
    ["again", { fields: ["password"] }],
    ["with another", { fields: ["username", "password"] }],
    ["with every other", { fields: ["*"] }],
    ["by the name of the secret alone", {}],
  ])("is refused %s, without ringing", async (_, call) => {
    const house = startFields();
    void house.get("Login", { fields: ["password"] });
    await settle();
    await house.deny();
    expect(await codeOf(house.get("Login", call))).toBe("denied");
    expect(house.rings).toHaveLength(1);
  });

  it("asked for in the same words does not touch the vault again", async () => {
    const house = startFields();
    void house.get("Login", { fields: ["*"] });
    await settle();
    await house.deny();
    const { resolves } = house.vault;
    expect(await codeOf(house.get("Login", { fields: ["*"] }))).toBe("denied");
    expect(house.vault.resolves).toBe(resolves);
  });

  it("leaves the others to be asked for", async () => {
    const house = startFields();
    void house.get("Login", { fields: ["password"] });
    await settle();
    await house.deny();
    for (const call of [{ fields: ["username"] }, { fields: ["otp", "username"] }]) {
      void house.get("Login", call);
      await settle();
    }
    expect(house.rings).toHaveLength(3);
  });

  it("in the vault itself is not put before its people again, alone or with others, and the others are", async () => {
    const house = startFields();
    const preparings = preparingsOf(house.vault);
    const call = house.get("Login", { fields: ["password"] });
    await settle();
    await house.approve("once");
    await settle();
    const { VaultError } = await import("../../src/core/errors.ts");
    preparings[0]?.fail(new VaultError("upstream_denied", "the approvers turned this down"));
    expect(await codeOf(call)).toBe("upstream_denied");
    expect(await codeOf(house.get("Login", { fields: ["*"] }))).toBe("upstream_denied");
    expect(house.rings).toHaveLength(1);
    const other = house.get("Login", { fields: ["otp"] });
    await settle();
    await house.approve("once");
    await settle();
    preparings[1]?.ready();
    expect(await codeOf(other)).toBe("done");
  });
});

describe("fields that cannot be", () => {
  it("in a vault that has none are refused before anyone is asked", async () => {
    const house = startHouse();
    expect(await codeOf(house.get("DATABASE_URL", { fields: ["password"] }))).toBe("invalid_arguments");
    expect(house.rings).toHaveLength(0);
  });

  it("more than a hundred at once are too many, a hundred are not", async () => {
    const fieldsFor = (count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`Big#f${at}`, `canary-${at}-big`]));
    const house = startFields({ secrets: fieldsFor(101) });
    const error = await house.get("Big", { fields: ["*"] }).reply.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "invalid_arguments", message: expect.stringContaining("101") });
    expect(house.rings).toHaveLength(0);
    const fits = startFields({ secrets: fieldsFor(100) });
    void fits.get("Big", { fields: ["*"] });
    await settle();
    expect(fits.card().items).toHaveLength(100);
  });

  it("none at all in the secret is said; a request for nothing is not permitted by nothing", async () => {
    const house = startFields({ secrets: { Empty: "" } });
    expect(await codeOf(house.get("Empty", { fields: ["*"] }))).toBe("secret_not_found");
    expect(house.journal.kinds()).toEqual(["refused"]);
    const nothing = { ...emptyRequest(house), items: [] as { handle: Handle }[] };
    expect(house.grants.claim(nothing)).toBeUndefined();
  });

  it.each([
    ["of two secrets", ["Login", "Other"], ["password"]],
    ["of none", [], ["password"]],
    ["none of them named", ["Login"], []],
  ])("%s are a mistake of the caller: nothing is asked, nothing is read", async (_, names, fields) => {
    const house = startFields();
    expect(await codeOf(house.get(names, { fields }))).toBe("internal");
    expect([house.rings.length, house.vault.reads]).toEqual([0, 0]);
  });
});

function emptyRequest(house: House): Parameters<House["grants"]["claim"]>[0] {
  const requester = { claims: { client: "test" }, facts: { user: "maria", host: "devbox", folder: "/" } };
  const about = { session: "session-1", vault: "dev", provider: "fake", action: "read" as const, reason: "why" };
  return { id: `nothing-${house.tokens.length}`, key: "nothing", items: [], requester, ...about };
}
