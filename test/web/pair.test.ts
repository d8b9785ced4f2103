import { afterEach, describe, expect, it } from "vitest";
import { type Changing, openPairing } from "../../src/approvers/pairing.ts";
import { openRemoval } from "../../src/approvers/removal.ts";
import { openApprovers } from "../../src/approvers/store.ts";
import { createWeb } from "../../src/web/server.ts";
import { type Authenticator, createAuthenticator, recordOf } from "../support/authenticator.ts";
import { FakeJournal } from "../support/house.ts";
import { loadPatched } from "../support/patched.ts";
import { fakeNotes } from "../support/provider-context.ts";
import { browserHeaders, type Reply, sealIn, send, startWeb, textOf } from "../support/web.ts";

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const DEVICE = `agent-vault-device=${"d".repeat(43)}`;

/** A page for a change of the approvers, where one of these passkeys is enrolled on this computer already. */
async function start(enrolled: number, create: typeof createWeb = createWeb) {
  const { web, front, clock, refused } = await startWeb(create);
  open.push(web.close);
  const origin = `http://localhost:${web.port}`;
  const notes = fakeNotes()("approvers");
  const journal = new FakeJournal();
  const options = { store: openApprovers({ notes, clock }), journal, clock };
  const phones = Array.from({ length: enrolled }, () => createAuthenticator({ origin }));
  for (const [at, phone] of phones.entries()) notes.put(phone.credentialId, recordOf(phone, `Phone ${at}`));

  const change = <T extends Changing>(changing: T): T => {
    front.pairing = changing.step;
    open.push(changing.close);
    return changing;
  };
  const post = (path: string, form: Record<string, string>): Promise<Reply> =>
    send(web.port, {
      method: "POST",
      path,
      headers: { ...browserHeaders(web.port), Cookie: DEVICE },
      body: new URLSearchParams(form).toString(),
    });
  /** Goes one step on, with what a passkey makes of it while its browser shows the page `at`. */
  const bring = async (
    { token }: Changing,
    { by, how, at = origin }: { by: Authenticator; how: "register" | "sign"; at?: string },
  ): Promise<Reply> => {
    const path = `/pair/${token}`;
    const seal = sealIn((await send(web.port, { path, headers: { Cookie: DEVICE } })).text);
    const { options: wanted } = JSON.parse((await post(`${path}/begin`, { seal })).text) as {
      options: { challenge: string; rpId: string };
    };
    by.origin = at;
    const signed = JSON.stringify({ response: by[how](wanted) });
    by.origin = origin;
    return post(path, { seal, signed });
  };
  const look = ({ token, step }: Changing) => step(token, { do: "look", device: DEVICE.split("=")[1] ?? "" });
  return {
    ...options,
    phones,
    look,
    refused,
    bring,
    pair: () => change(openPairing("New phone", options)),
    remove: (at: number) => {
      const approver = options.store.all().find(({ id }) => id === phones[at]?.credentialId);
      if (!approver) throw new Error("nobody is called that");
      return change(openRemoval(approver, { ...options, lastOne: "That is the last one." }));
    },
    elsewhere: [`http://localhost:${web.port === 65_535 ? 1 : web.port + 1}`, "http://localhost", "https://localhost"],
    origin,
  };
}

/** Who is removed by what Phone 0 signed while its browser showed a page on another port. */
async function removedElsewhere(create?: typeof createWeb): Promise<number> {
  const { phones, remove, bring, elsewhere, store } = await start(2, create);
  const [[by], [at]] = [phones, elsewhere];
  if (!by || at === undefined) throw new Error("there are two");
  await bring(remove(1), { by, how: "sign", at });
  return 2 - store.all().length;
}

describe("what is signed for a change of who may approve", () => {
  it("counts for a removal only on this very page: another port of this computer is anybody's", async () => {
    const { phones, remove, bring, elsewhere, store } = await start(2);
    const [by] = phones;
    if (!by) throw new Error("there are two");
    const removal = remove(1);
    for (const at of elsewhere) {
      const { status, text } = await bring(removal, { by, how: "sign", at });
      expect([at, status, textOf(text)]).toEqual([at, 403, expect.stringContaining("It was signed on another page")]);
    }
    expect(store.all()).toHaveLength(2);
    expect((await bring(removal, { by, how: "sign" })).status).toBe(303);
    expect(store.all().map(({ id }) => id)).toEqual([by.credentialId]);
  });

  it("counts for one more only on this very page, its new passkey included", async () => {
    const { phones, pair, bring, elsewhere, origin, look } = await start(1);
    const [by] = phones;
    if (!by) throw new Error("there is one");
    const pairing = pair();
    const fresh = createAuthenticator({ origin });
    for (const at of elsewhere) await bring(pairing, { by: fresh, how: "register", at });
    expect((await look(pairing))?.stage).toBe("ready");
    expect((await bring(pairing, { by: fresh, how: "register" })).status).toBe(303);
    for (const at of elsewhere) await bring(pairing, { by, how: "sign", at });
    expect(pairing.view().stage).toBe("confirm");
    expect((await bring(pairing, { by, how: "sign" })).status).toBe(303);
    expect(pairing.view().stage).toBe("compare");
  });

  it("leaves a word when it did not count, and none when it did", async () => {
    const { phones, pair, remove, bring, elsewhere, refused, origin } = await start(2);
    const [[by, other], [at]] = [phones, elsewhere];
    if (!by || !other || at === undefined) throw new Error("there are two");
    const removal = remove(1);
    await bring(removal, { by, how: "sign", at });
    await bring(removal, { by: other, how: "sign" });
    await bring(removal, { by, how: "sign" });
    const pairing = pair();
    await bring(pairing, { by: createAuthenticator({ origin, userVerified: false }), how: "register" });
    await bring(pairing, { by: createAuthenticator({ origin }), how: "register" });
    const what = "a signature or passkey for a change of the approvers";
    expect(refused).toEqual([`${what}, of another page`, what, what]);
  });

  it("would count on any port were it not looked at which page it was", async () => {
    expect(await removedElsewhere()).toBe(0);
    const twin = (await loadPatched("src/web/server.ts", [
      { file: "src/web/pair.ts", from: 'if (before && pageOf(signed["response"]) !== origin) {', to: "if (!before) {" },
    ])) as { createWeb: typeof createWeb };
    expect(await removedElsewhere(twin.createWeb)).toBe(1);
  });
});
