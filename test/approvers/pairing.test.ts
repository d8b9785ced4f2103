import { describe, expect, it } from "vitest";
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/server";
import { oddities } from "../../src/approvers/changes.ts";
import { OPEN_MS, openPairing, type Pairing } from "../../src/approvers/pairing.ts";
import { openRemoval } from "../../src/approvers/removal.ts";
import { openApprovers } from "../../src/approvers/store.ts";
import { VaultError } from "../../src/core/errors.ts";
import type { PairingView } from "../../src/core/pairing.ts";
import { type Authenticator, createAuthenticator, enrolled, recordOf } from "../support/authenticator.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { FakeJournal, settle } from "../support/house.ts";
import { loadPatched, type Plant } from "../support/patched.ts";
import { fakeNotes } from "../support/provider-context.ts";

const PAGE = "https://desk.example.org";

function world() {
  const clock = new FakeClock();
  const journal = new FakeJournal();
  const notes = fakeNotes()("approvers");
  const store = openApprovers({ notes, clock });
  const options = { store, journal, clock };
  return { ...options, notes, options, pair: (name = "Maria's phone") => openPairing(name, options) };
}

/** A browser with a device of its own and perhaps a passkey in it. */
function browser(
  pairing: Pick<Pairing, "token" | "step">,
  phone = createAuthenticator({ origin: PAGE }),
  device = `device-${Math.random()}`,
) {
  const step = async (
    more: { do: "look" } | { do: "begin" } | { do: "finish"; response: unknown },
  ): Promise<PairingView> => {
    const { origin } = phone;
    const view = await pairing.step(
      pairing.token,
      more.do === "look" ? { ...more, device } : { ...more, device, origin },
    );
    if (!view) throw new Error("no such page");
    return view;
  };
  return {
    phone,
    device,
    look: () => step({ do: "look" }),
    begin: () => step({ do: "begin" }),
    finish: (response: unknown) => step({ do: "finish", response }),
    /** Creates a passkey, as the page does it. */
    register: async () => {
      const { options } = await step({ do: "begin" });
      if (!options) return step({ do: "look" });
      return step({ do: "finish", response: phone.register(options as PublicKeyCredentialCreationOptionsJSON) });
    },
    /** Signs with a passkey that is there already. */
    sign: async (by: Authenticator = phone) => {
      const { options } = await step({ do: "begin" });
      if (!options) throw new Error("nothing to sign");
      return step({ do: "finish", response: by.sign(options as PublicKeyCredentialRequestOptionsJSON) });
    },
  };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(String, (error: unknown) => (error instanceof VaultError ? error.code : String(error)));
}

const other = (code: string | undefined): string => String((Number(code) + 1) % 1_000_000).padStart(6, "0");

describe("the first approver", () => {
  it("is enrolled by a passkey and the code that the phone shows, typed at the terminal", async () => {
    const { pair, store, journal } = world();
    const pairing = pair();
    const maria = browser(pairing);
    expect(await maria.look()).toMatchObject({ kind: "add", name: "Maria's phone", stage: "ready" });
    const { options } = await maria.begin();
    expect(options).toMatchObject({
      rp: { id: "desk.example.org" },
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      pubKeyCredParams: [{ alg: -7 }, { alg: -8 }, { alg: -257 }].map((each) => ({ ...each, type: "public-key" })),
    });
    const shown = await maria.register();
    expect(shown).toMatchObject({ stage: "compare", code: expect.stringMatching(/^\d{6}$/) });
    expect(store.all()).toEqual([]);
    const { code = "" } = shown;
    expect(await pairing.confirm(`${code.slice(0, 3)} ${code.slice(3)}\n`)).toBe(true);
    expect(store.all()).toMatchObject([
      { id: maria.phone.credentialId, name: "Maria's phone", origin: PAGE, rpId: "desk.example.org" },
    ]);
    expect(journal.events).toMatchObject([
      {
        kind: "approver_added",
        approver: `Maria's phone (${maria.phone.credentialId})`,
        statement: expect.any(String),
      },
    ]);
    expect(await maria.look()).toMatchObject({ stage: "done" });
    expect(JSON.stringify([...world().notes.all(), journal.events])).not.toContain(code);
  });

  it("is not enrolled by any other code, and the third one ends it", async () => {
    const { pair, store, journal } = world();
    const pairing = pair();
    const maria = browser(pairing);
    const { code } = await maria.register();
    for (let i = 0; i < 3; i++) expect(await pairing.confirm(other(code))).toBe(false);
    expect(await pairing.confirm(code ?? "")).toBe(false);
    expect(await maria.look()).toMatchObject({ stage: "failed" });
    expect(store.all()).toEqual([]);
    const line = { kind: "refused", code: "not_proven", detail: expect.stringContaining("another code was typed") };
    expect(journal.events).toMatchObject([line, line, line]);
    expect(JSON.stringify(journal.events)).not.toContain(other(code));
  });

  it("would be enrolled by any code were they not compared", async () => {
    const twin = (await loadPatched("src/approvers/pairing.ts", [
      { file: "src/approvers/pairing.ts", from: 'if (typed.replace(/[\\s-]/g, "") !== code) {', to: "if (false) {" },
    ])) as { openPairing: typeof openPairing };
    const { options, store } = world();
    const pairing = twin.openPairing("Maria's phone", options);
    const { code } = await browser(pairing).register();
    expect(await pairing.confirm(other(code))).toBe(true);
    expect(store.all()).toHaveLength(1);
  });

  it("is not enrolled after five minutes", async () => {
    const { pair, store, clock } = world();
    const pairing = pair();
    const maria = browser(pairing);
    const { code = "" } = await maria.register();
    const over = pairing.after("compare");
    clock.advance(OPEN_MS);
    expect(await over).toBe("over");
    expect(await pairing.confirm(code)).toBe(false);
    expect(await maria.look()).toMatchObject({ stage: "over" });
    expect(store.all()).toEqual([]);
  });

  it("is not enrolled when the terminal has ended it", async () => {
    const { pair, store } = world();
    const pairing = pair();
    const maria = browser(pairing);
    const { code = "" } = await maria.register();
    pairing.close();
    expect(await pairing.confirm(code)).toBe(false);
    expect([await maria.look(), store.all()]).toMatchObject([{ stage: "failed" }, []]);
  });

  it("is not enrolled while the log cannot be written", async () => {
    const { pair, store, journal } = world();
    const pairing = pair();
    const { code = "" } = await browser(pairing).register();
    journal.away = true;
    expect(await codeOf(pairing.confirm(code))).toBe("audit_unavailable");
    expect(store.all()).toEqual([]);
  });

  it("is the only first one: whoever comes second needs a signature", async () => {
    const { pair, store } = world();
    const [one, two] = [pair("Maria's phone"), pair("a stranger's phone")];
    const [mine, theirs] = [await browser(one).register(), await browser(two).register()];
    expect(await one.confirm(mine.code ?? "")).toBe(true);
    expect(await codeOf(two.confirm(theirs.code ?? ""))).toBe("conflict");
    expect(store.all().map(({ name }) => name)).toEqual(["Maria's phone"]);
  });
});

describe("the one device", () => {
  it("is the first that begins: another one with the link gets nothing, and never sees the code", async () => {
    const pairing = world().pair();
    const [maria, stranger] = [browser(pairing), browser(pairing)];
    await maria.begin();
    expect(await stranger.begin()).toMatchObject({ stage: "failed", text: expect.stringContaining("Another device") });
    expect((await stranger.begin()).options).toBeUndefined();
    const { code = "" } = await maria.register();
    const seen = [await stranger.look(), await stranger.begin(), await pairing.step(pairing.token, { do: "look" })];
    expect(JSON.stringify(seen)).not.toContain(code);
    expect(await maria.look()).toMatchObject({ code });
  });

  it("may begin again, and only its latest passkey counts", async () => {
    const { pair, store } = world();
    const pairing = pair();
    const maria = browser(pairing);
    const { options: first } = await maria.begin();
    const { options: second } = await maria.begin();
    const stale = await maria.finish(maria.phone.register(first as PublicKeyCredentialCreationOptionsJSON));
    expect(stale).toMatchObject({ stage: "ready", text: expect.stringContaining("no new passkey") });
    expect(second).toBeDefined();
    const { code = "" } = await maria.register();
    expect(await pairing.confirm(code)).toBe(true);
    expect(store.all()).toHaveLength(1);
  });

  const OTHER_CODE: readonly Plant[] = [
    {
      file: "src/approvers/pairing.ts",
      from: "isHolder ? { code: made.code } : { text: ELSEWHERE }",
      to: "{ code: made.code }",
    },
  ];
  it("would share its code with every other one were it not looked at whose it is", async () => {
    const twin = (await loadPatched("src/approvers/pairing.ts", OTHER_CODE)) as { openPairing: typeof openPairing };
    const pairing = twin.openPairing("Maria's phone", world().options);
    const { code = "" } = await browser(pairing).register();
    expect(JSON.stringify(await browser(pairing).look())).toContain(code);
  });

  it.each([
    ["nobody unlocked it", { userVerified: false }],
    ["its passkey is for another page", { origin: "https://evil.example" }],
  ])("is not paired when %s", async (_, change) => {
    const pairing = world().pair();
    const maria = browser(pairing);
    const { options } = await maria.begin();
    Object.assign(maria.phone, change);
    const response = maria.phone.register(options as PublicKeyCredentialCreationOptionsJSON);
    maria.phone.origin = PAGE;
    expect(await maria.finish(response)).toMatchObject({
      stage: "ready",
      text: expect.stringContaining("no new passkey"),
    });
  });

  it("is told where no passkey can be made", async () => {
    for (const origin of [
      "http://127.0.0.1:9999",
      "http://[::1]:9999",
      "https://192.0.2.7",
      "http://desk.example.org",
    ]) {
      const { text = "", options } = await browser(world().pair(), createAuthenticator({ origin })).begin();
      expect([origin, options, text.includes("localhost")]).toEqual([origin, undefined, true]);
    }
  });

  it("is not looked at under another token", async () => {
    const pairing = world().pair();
    expect(await pairing.step("another", { do: "look" })).toBeUndefined();
    expect(await pairing.step("", { do: "begin", device: "x", origin: PAGE })).toBeUndefined();
  });
});

/** Maria is enrolled; somebody is being added. */
async function adding() {
  const at = world();
  const maria = createAuthenticator({ origin: PAGE });
  enrolled(maria, "Maria's phone", at);
  const pairing = at.pair("Tablet");
  const tablet = browser(pairing);
  const view = await tablet.register();
  return { ...at, maria, pairing, tablet, view };
}

describe("one more approver", () => {
  it("needs the signature of one who is enrolled, and then the code", async () => {
    const { maria, pairing, tablet, view, store, journal } = await adding();
    expect(view).toMatchObject({ stage: "confirm", isOwn: true, text: "Maria's phone has to agree." });
    expect(view.code).toBeUndefined();
    const signing = browser(pairing, maria);
    expect(await signing.look()).toMatchObject({ stage: "confirm", text: "Maria's phone can sign this." });
    expect(await signing.look()).not.toHaveProperty("isOwn");
    expect(await signing.sign()).toMatchObject({ stage: "compare" });
    expect((await signing.look()).code).toBeUndefined();
    const { code = "" } = await tablet.look();
    expect(await pairing.confirm(code)).toBe(true);
    expect(pairing.signer()).toMatchObject({ name: "Maria's phone" });
    expect(store.all().map(({ name }) => name)).toEqual(["Maria's phone", "Tablet"]);
    expect(journal.events).toMatchObject([
      { kind: "approver_added", proof: "passkey", detail: expect.stringContaining("signed by Maria's phone") },
    ]);
  });

  it("signs for itself in vain", async () => {
    const { pairing, tablet, store } = await adding();
    const { options } = await tablet.begin();
    const view = await tablet.finish(tablet.phone.sign(options as PublicKeyCredentialRequestOptionsJSON));
    expect(view).toMatchObject({ stage: "confirm", text: expect.stringContaining("another approver") });
    expect(await pairing.confirm("000000")).toBe(false);
    expect(store.all()).toHaveLength(1);
  });

  it("is not signed for by what was signed for another one", async () => {
    const first = await adding();
    const { options } = await browser(first.pairing, first.maria).begin();
    const response = first.maria.sign(options as PublicKeyCredentialRequestOptionsJSON);
    const second = openPairing("Tablet", first.options);
    await browser(second, first.tablet.phone).register();
    expect(await browser(second, first.maria).finish(response)).toMatchObject({
      stage: "confirm",
      text: expect.stringContaining("not this change"),
    });
  });

  it("is not signed for by a stranger who says they are Maria", async () => {
    const { pairing, maria } = await adding();
    const stranger = createAuthenticator({ origin: PAGE });
    const { options } = await browser(pairing, stranger).begin();
    const { credentialId: id } = maria;
    const forged = { ...stranger.sign(options as PublicKeyCredentialRequestOptionsJSON), id, rawId: id };
    expect(await browser(pairing).finish(forged)).toMatchObject({
      stage: "confirm",
      text: expect.stringContaining("not signed"),
    });
  });

  it("does not come to count when who signed for it was removed meanwhile", async () => {
    const { maria, pairing, tablet, store } = await adding();
    await browser(pairing, maria).sign();
    store.remove(maria.credentialId);
    const { code = "" } = await tablet.look();
    expect(await codeOf(pairing.confirm(code))).toBe("not_proven");
    expect(store.all()).toEqual([]);
  });

  it("would need no signature were the others not looked for", async () => {
    const twin = (await loadPatched("src/approvers/pairing.ts", [
      {
        file: "src/approvers/pairing.ts",
        from: "const isFirst = store.all().length === 0;",
        to: "const isFirst = true;",
      },
      { file: "src/approvers/pairing.ts", from: "else if (store.all().length > 0) throw meanwhile();", to: "" },
    ])) as { openPairing: typeof openPairing };
    const at = world();
    enrolled(createAuthenticator({ origin: PAGE }), "Maria's phone", at);
    const pairing = twin.openPairing("a stranger", at.options);
    const { code = "" } = await browser(pairing).register();
    expect(await pairing.confirm(code)).toBe(true);
  });

  it("says where to sign when nobody can on this page", async () => {
    const at = world();
    enrolled(createAuthenticator({ origin: "http://localhost:9999" }), "Maria's laptop", at);
    const pairing = at.pair("Phone");
    const phone = browser(pairing);
    await phone.register();
    expect(await phone.begin()).toMatchObject({
      stage: "confirm",
      text: expect.stringContaining("http://localhost:9999"),
    });
  });
});

/** Who is enrolled, and the removal of the first of them. */
function removing(names: readonly string[]) {
  const at = world();
  const phones = names.map((name) => {
    const phone = createAuthenticator({ origin: PAGE });
    enrolled(phone, name, at);
    return phone;
  });
  const target = at.store.all().find(({ id }) => id === phones[0]?.credentialId);
  if (!target) throw new Error("nobody to remove");
  return {
    ...at,
    phones,
    removal: openRemoval(target, { ...at.options, lastOne: "Whoever has the link can approve then." }),
  };
}

describe("the removal of an approver", () => {
  it("is signed by one who stays, and by nobody else", async () => {
    const { phones, removal, store, journal } = removing(["Maria's phone", "Tablet"]);
    const [maria, tablet] = phones as [Authenticator, Authenticator];
    const { options } = await browser(removal, maria).begin();
    expect(options).toMatchObject({ allowCredentials: [{ id: tablet.credentialId }] });
    expect(await browser(removal, maria).sign()).toMatchObject({
      stage: "confirm",
      text: expect.stringContaining("another approver"),
    });
    expect(store.all()).toHaveLength(2);
    expect(await browser(removal, tablet).sign()).toMatchObject({
      kind: "remove",
      name: "Maria's phone",
      stage: "done",
    });
    expect(store.all().map(({ name }) => name)).toEqual(["Tablet"]);
    expect(removal.signer()).toMatchObject({ name: "Tablet" });
    expect(journal.events).toMatchObject([
      {
        kind: "approver_removed",
        approver: `Maria's phone (${maria.credentialId})`,
        detail: expect.stringContaining("signed by Tablet"),
      },
    ]);
  });

  it("would be signed by whoever is removed were it not looked at who stays", async () => {
    const twin = (await loadPatched("src/approvers/removal.ts", [
      {
        file: "src/approvers/removal.ts",
        from: "return stay.length > 0 ? stay : store.all();",
        to: "return store.all();",
      },
      { file: "src/approvers/removal.ts", from: "(approver.id, signature.by.id)", to: "(approver.id)" },
    ])) as { openRemoval: typeof openRemoval };
    const { phones, store, options } = removing(["Maria's phone", "Tablet"]);
    const target = store.all().find(({ id }) => id === phones[0]?.credentialId);
    if (!target) throw new Error("nobody to remove");
    const removal = twin.openRemoval(target, { ...options, lastOne: "" });
    expect(await browser(removal, phones[0]).sign()).toMatchObject({ stage: "done" });
  });

  it("of the last one is signed by itself, and its page says what that means", async () => {
    const { phones, removal, store } = removing(["Maria's phone"]);
    expect(await browser(removal).look()).toMatchObject({
      text: expect.stringContaining("Whoever has the link can approve then."),
    });
    expect(await browser(removal, phones[0]).sign()).toMatchObject({ stage: "done" });
    expect(store.all()).toEqual([]);
  });

  it("does not happen while the log cannot be written", async () => {
    const { phones, removal, store, journal } = removing(["Maria's phone", "Tablet"]);
    journal.away = true;
    expect(await browser(removal, phones[1]).sign()).toMatchObject({ stage: "failed" });
    expect(store.all()).toHaveLength(2);
  });

  it("is over after five minutes", async () => {
    const { phones, removal, store, clock } = removing(["Maria's phone", "Tablet"]);
    const tablet = browser(removal, phones[1]);
    const { options } = await tablet.begin();
    clock.advance(OPEN_MS);
    const late = await tablet.finish(phones[1]?.sign(options as PublicKeyCredentialRequestOptionsJSON));
    expect([late.stage, store.all().length]).toEqual(["over", 2]);
  });

  it("is not signed for by a signature of two minutes ago", async () => {
    const { phones, removal, store, clock } = removing(["Maria's phone", "Tablet"]);
    const tablet = browser(removal, phones[1]);
    const { options } = await tablet.begin();
    clock.advance(121_000);
    const late = await tablet.finish(phones[1]?.sign(options as PublicKeyCredentialRequestOptionsJSON));
    expect([late.stage, late.text, store.all().length]).toEqual([
      "confirm",
      expect.stringContaining("too long ago"),
      2,
    ]);
  });
});

describe("what the log says of the approvers", () => {
  it("is what the store says, after every change by this program", async () => {
    const { pair, store, journal, options } = world();
    const pairing = pair();
    const maria = browser(pairing);
    await pairing.confirm((await maria.register()).code ?? "");
    expect(oddities(store.all(), journal.events.toReversed())).toEqual([]);
    const [approver] = store.all();
    if (!approver) throw new Error("nobody");
    const removal = openRemoval(approver, { ...options, lastOne: "" });
    await browser(removal, maria.phone).sign();
    await settle();
    expect(store.all()).toEqual([]);
    expect(oddities(store.all(), journal.events.toReversed())).toEqual([]);
  });

  it("gives away who came, who went and whose key was swapped past it", async () => {
    const { pair, store, journal, notes } = world();
    const pairing = pair();
    const maria = browser(pairing);
    await pairing.confirm((await maria.register()).code ?? "");
    const events = journal.events.toReversed();
    const stranger = createAuthenticator({ origin: PAGE });
    notes.put(stranger.credentialId, recordOf(stranger, "Printer"));
    expect(oddities(store.all(), events)).toMatchObject([{ text: expect.stringMatching(/^"Printer" may approve/) }]);
    notes.delete(stranger.credentialId);
    notes.put(maria.phone.credentialId, recordOf(stranger, "Maria's phone"));
    expect(oddities(store.all(), events)).toMatchObject([
      { text: expect.stringMatching(/^the key of "Maria's phone" is not/) },
    ]);
    notes.delete(maria.phone.credentialId);
    expect(oddities(store.all(), events)).toMatchObject([
      { text: expect.stringMatching(/^"Maria's phone" was paired and/) },
    ]);
  });
});
