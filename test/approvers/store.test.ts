import { describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import { challengeOf, type Decision, FRESH_MS, type Signed } from "../../src/core/proof.ts";
import { openApprovers } from "../../src/approvers/store.ts";
import { createAuthenticator, enrolled, recordOf } from "../support/authenticator.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { loadPatched, type Plant } from "../support/patched.ts";
import { fakeNotes } from "../support/provider-context.ts";

const PAGE = "https://desk.example.org";
const clock = new FakeClock();
const decision = (own: Partial<Decision> = {}): Decision => ({
  v: 1,
  decision: "approve",
  at: clock.now(),
  hashes: [digest("request-1")],
  ...own,
});

/** Something of the form of a digest. */
function digest(of: string): string {
  return of.padEnd(43, "x").slice(0, 43);
}

/** How a promise ended: "good", or the code and the message of what it rejected with. */
async function endOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "good",
    (error: unknown) => (error instanceof VaultError ? `${error.code}: ${error.message}` : String(error)),
  );
}

/** A world with one approver. */
function world(options: Partial<Parameters<typeof createAuthenticator>[0]> = {}) {
  const phone = createAuthenticator({ origin: PAGE, ...options });
  const { notes, record } = enrolled(phone, "Maria's phone", { clock });
  return { phone, notes, record, approvers: openApprovers({ notes, clock }) };
}

type World = ReturnType<typeof world>;

const ANY_CHALLENGE: Plant = {
  file: "src/approvers/assertion.ts",
  from: "expectedChallenge: challengeOf(decision)",
  to: "expectedChallenge: () => true",
};
const NEVER_OVER: Plant = { file: "src/approvers/store.ts", from: "if (!isFresh(", to: "if (false && !isFresh(" };
const ANY_KEY: Plant = { file: "src/approvers/assertion.ts", from: "!verified.verified ||", to: "" };

/** One way to be somebody else, and what it does. Resolves to what is then shown as a signed decision. */
const FORGERIES: Record<string, { forge: (at: World) => Signed | Promise<Signed>; plants?: readonly Plant[] }> = {
  "a swapped request": {
    forge: ({ phone }) => ({ ...phone.signed(decision()), decision: decision({ hashes: [digest("request-2")] }) }),
    plants: [ANY_CHALLENGE],
  },
  "a list with one more request": {
    forge: ({ phone }) => {
      const signed = phone.signed(decision());
      return { ...signed, decision: decision({ hashes: [...signed.decision.hashes, digest("request-2")] }) };
    },
    plants: [ANY_CHALLENGE],
  },
  "a flipped purpose": {
    forge: ({ phone }) => ({
      ...phone.signed(decision({ decision: "sign-in" })),
      decision: decision({ decision: "remove-approver" }),
    }),
    plants: [ANY_CHALLENGE],
  },
  "an older signature with a newer time": {
    forge: ({ phone }) => ({ ...phone.signed(decision({ at: clock.now() - 2 * FRESH_MS })), decision: decision() }),
    plants: [ANY_CHALLENGE],
  },
  "an expired one": {
    forge: ({ phone }) => phone.signed(decision({ at: clock.now() - FRESH_MS - 1 })),
    plants: [NEVER_OVER],
  },
  "one from the future": {
    forge: ({ phone }) => phone.signed(decision({ at: clock.now() + 60_000 })),
    plants: [NEVER_OVER],
  },
  "an unknown key": { forge: () => createAuthenticator({ origin: PAGE }).signed(decision()) },
  "an unknown key under a known id": {
    forge: ({ phone }) => {
      const stranger = createAuthenticator({ origin: PAGE }).signed(decision());
      return { ...stranger, approver: phone.credentialId };
    },
  },
  "an unknown key that says it is the known one": {
    forge: ({ phone }) => {
      const { credentialId: id } = phone;
      const { response, ...rest } = createAuthenticator({ origin: PAGE }).signed(decision());
      return { ...rest, approver: id, response: { ...(response as object), id, rawId: id } };
    },
    plants: [ANY_KEY],
  },
  "a removed key": {
    forge: ({ phone, approvers }) => {
      approvers.remove(phone.credentialId);
      return phone.signed(decision());
    },
  },
  "a key swapped in the store": {
    forge: ({ phone, notes }) => {
      notes.put(phone.credentialId, recordOf(createAuthenticator({ origin: PAGE })));
      return phone.signed(decision());
    },
    plants: [ANY_KEY],
  },
  "a phone nobody unlocked": {
    forge: ({ phone }) => {
      phone.userVerified = false;
      return phone.signed(decision());
    },
    plants: [
      {
        file: "src/approvers/assertion.ts",
        from: "requireUserVerification: true",
        to: "requireUserVerification: false",
      },
      { file: "src/approvers/assertion.ts", from: "|| !verified.authenticationInfo.userVerified", to: "" },
    ],
  },
  "another page": {
    forge: ({ phone }) => {
      phone.origin = "https://desk.example.org.evil.example";
      const { response, ...rest } = phone.signed(decision());
      phone.origin = PAGE;
      return { ...rest, response };
    },
  },
  "another port of the page's host": {
    forge: ({ phone }) => {
      phone.origin = `${PAGE}:8443`;
      return phone.signed(decision());
    },
    plants: [
      { file: "src/approvers/assertion.ts", from: "if (!signsOn({ origin: paired }, origin))", to: "if (false)" },
    ],
  },
  "a page inside another one": {
    forge: ({ phone }) => {
      const { response, ...rest } = phone.signed(decision());
      return { ...rest, response: framed(response) };
    },
  },
  "an answer that is none": {
    forge: ({ phone }) => ({ ...phone.signed(decision()), response: { id: "hunter2-4711" } }),
  },
  "a decision that is none": {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a forger sends has no type
    forge: ({ phone }) => ({ ...phone.signed(decision()), decision: { v: 2 } as unknown as Decision }),
  },
};

/** The same signature with what the browser says changed: the signature no longer fits, and need not be looked at. */
function framed(response: unknown): unknown {
  const { response: inner, ...rest } = response as { response: { clientDataJSON: string } };
  const said = JSON.parse(Buffer.from(inner.clientDataJSON, "base64url").toString()) as object;
  const clientDataJSON = Buffer.from(JSON.stringify({ ...said, crossOrigin: true })).toString("base64url");
  return { ...rest, response: { ...inner, clientDataJSON } };
}

describe("an approver's signature", () => {
  it("is good for exactly what was signed, and says whose it is", async () => {
    const { phone, approvers } = world();
    const signed = phone.signed(decision());
    expect(await approvers.accept(signed)).toMatchObject({
      id: phone.credentialId,
      name: "Maria's phone",
      origin: PAGE,
    });
    expect(await approvers.recheck(signed)).toMatchObject({ id: phone.credentialId });
  });

  it.each(Object.entries(FORGERIES))("is not accepted from %s", async (_, { forge }) => {
    const at = world();
    const forged = await forge(at);
    expect(await endOf(at.approvers.accept(forged))).toMatch(/^not_proven: the approval does not hold: /);
  });

  const looked = Object.entries(FORGERIES).filter(([name]) => !/expired|from the future/.test(name));
  it.each(looked)("is not good at its use either, from %s", async (_, { forge }) => {
    const at = world();
    const forged = await forge(at);
    expect(await endOf(at.approvers.recheck(forged))).toMatch(/^not_proven: the approval does not hold: /);
  });

  const planted = Object.entries(FORGERIES).flatMap(([name, { forge, plants }]) =>
    plants ? [{ name, forge, plants }] : [],
  );
  it.each(planted)("would be accepted from $name were the check left out", async ({ forge, plants }) => {
    const twin = (await loadPatched("src/approvers/store.ts", plants)) as { openApprovers: typeof openApprovers };
    const at = world();
    const signed = await forge(at);
    expect(await endOf(twin.openApprovers({ notes: at.notes, clock }).accept(signed))).toBe("good");
  });

  it("counts once, however often it is sent", async () => {
    const { phone, approvers } = world();
    const signed = phone.signed(decision());
    await approvers.accept(signed);
    expect(await endOf(approvers.accept(signed))).toContain("used already");
    const both = phone.signed(decision({ hashes: [digest("request-2")] }));
    const ends = await Promise.all([endOf(approvers.accept(both)), endOf(approvers.accept(both))]);
    expect(ends.filter((end) => end === "good")).toHaveLength(1);
  });

  it("would count twice were it forgotten what was used", async () => {
    const twin = (await loadPatched("src/approvers/store.ts", [
      { file: "src/approvers/spent.ts", from: "use.count += 1;", to: "" },
    ])) as { openApprovers: typeof openApprovers };
    const { phone, notes } = world();
    const approvers = twin.openApprovers({ notes, clock });
    const signed = phone.signed(decision());
    await approvers.accept(signed);
    expect(await endOf(approvers.accept(signed))).toBe("good");
  });

  it("counts once for each of the requests it was made over", async () => {
    const { phone, approvers } = world();
    const signed = phone.signed(decision({ hashes: [digest("request-1"), digest("request-2")] }));
    await approvers.accept(signed);
    await approvers.accept(signed);
    expect(await endOf(approvers.accept(signed))).toContain("used already");
    const signIn = phone.signed(decision({ decision: "sign-in", hashes: [digest("page"), digest("nonce")] }));
    await approvers.accept(signIn);
    expect(await endOf(approvers.accept(signIn))).toContain("used already");
  });

  it("is good on this computer at whatever port the page has, and there only", async () => {
    const { phone, approvers } = world({ origin: "http://localhost:9999" });
    phone.origin = "http://localhost:41234";
    expect(await endOf(approvers.accept(phone.signed(decision())))).toBe("good");
    for (const origin of ["https://localhost", "http://localhost.evil.example", "http://localhost:80@evil.example"]) {
      phone.origin = origin;
      const forged = phone.sign({ challenge: challengeOf(decision()), rpId: "localhost" });
      const signed = { approver: phone.credentialId, decision: decision(), response: forged };
      expect(await endOf(approvers.accept(signed))).toContain("on another page");
    }
  });
});

describe("a passkey that counts its signatures", () => {
  it("is kept at its latest number, and a copy that lags behind is refused", async () => {
    const { phone, approvers, notes } = world({ counter: 7 });
    await approvers.accept(phone.signed(decision()));
    expect(notes.get(phone.credentialId)).toMatchObject({ counter: 8 });
    phone.counter = 6;
    const copied = phone.signed(decision({ hashes: [digest("request-2")] }));
    expect(await endOf(approvers.accept(copied))).toContain("not_proven");
  });

  it("would be taken from a copy were the number not looked at", async () => {
    const twin = (await loadPatched("src/approvers/store.ts", [
      { file: "src/approvers/assertion.ts", from: "counter: counted }", to: "counter: 0 }" },
    ])) as { openApprovers: typeof openApprovers };
    const { phone, notes } = world({ counter: 7 });
    phone.counter = 3;
    expect(await endOf(twin.openApprovers({ notes, clock }).accept(phone.signed(decision())))).toBe("good");
  });

  it("may sign once for two processes, which both look at the number", async () => {
    const { phone, notes } = world({ counter: 7 });
    const signed = phone.signed(decision({ hashes: [digest("request-1"), digest("request-2")] }));
    const processes = [openApprovers({ notes, clock }), openApprovers({ notes, clock })];
    expect(await Promise.all(processes.map((process) => endOf(process.accept(signed))))).toEqual(["good", "good"]);
    expect(notes.get(phone.credentialId)).toMatchObject({ counter: 8 });
  });

  it("is looked at again without regard to the number", async () => {
    const { phone, approvers } = world({ counter: 7 });
    const first = phone.signed(decision());
    await approvers.accept(first);
    await approvers.accept(phone.signed(decision({ hashes: [digest("request-2")] })));
    expect(await endOf(approvers.recheck(first))).toBe("good");
  });
});

describe("the store of the approvers", () => {
  it("keeps who was added, for every process, until they are removed", () => {
    const notes = fakeNotes()("approvers");
    const [one, other] = [openApprovers({ notes, clock }), openApprovers({ notes, clock })];
    const { phone } = world();
    const maria = { id: phone.credentialId, ...recordOf(phone) } as unknown as Parameters<typeof one.add>[0];
    expect(other.all()).toEqual([]);
    expect(one.add(maria)).toBe(true);
    expect(one.add({ ...maria, name: "somebody else" })).toBe(false);
    expect(other.all()).toMatchObject([{ id: phone.credentialId, name: "Maria's phone", publicKey: phone.publicKey }]);
    expect(other.remove(phone.credentialId)).toBe(true);
    expect(one.remove(phone.credentialId)).toBe(false);
    expect(one.all()).toEqual([]);
  });

  it.each([
    ["nothing known", { hello: "world" }],
    ["a newer version", { v: 2 }],
    ["one member more", { mayApproveAlone: true }],
    ["a key that is none", { publicKey: "!" }],
    ["a counter below nothing", { counter: -1 }],
    ["no text", null],
  ])("says that it does not know, and never nobody, of a record with %s", async (_, change) => {
    const { phone, notes, record, approvers } = world();
    notes.put(phone.credentialId, change && { ...record, ...change });
    expect(() => approvers.all()).toThrow(expect.objectContaining({ code: "approvers_unavailable" }));
    const end = await endOf(approvers.accept(phone.signed(decision())));
    expect(end).toMatch(/^approvers_unavailable: /);
  });

  it("says that it does not know while the notes cannot be read, with a hint of its own", () => {
    const away = (): never => {
      throw new VaultError("provider_unavailable", "the notes file is locked", { hint: "try again" });
    };
    const notes = { ...fakeNotes()("approvers"), all: away };
    expect(() => openApprovers({ notes, clock }).all()).toThrow(
      expect.objectContaining({
        code: "approvers_unavailable",
        message: "who may approve is not known: the notes file is locked",
        hint: expect.stringContaining("agent-vault approvers"),
      }),
    );
  });

  it("tells of others at the next look, and of nothing at the first", () => {
    const { phone, notes } = world();
    const told: string[][] = [];
    const approvers = openApprovers({ notes, clock, changed: (now) => told.push(now.map(({ name }) => name)) });
    approvers.all();
    approvers.all();
    expect(told).toEqual([]);
    const other = createAuthenticator({ origin: PAGE });
    notes.put(other.credentialId, recordOf(other, "Tablet"));
    approvers.all();
    approvers.remove(phone.credentialId);
    approvers.all();
    expect(told).toEqual([["Maria's phone", "Tablet"], ["Tablet"]]);
  });
});
