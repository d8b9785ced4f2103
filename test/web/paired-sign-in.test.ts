import { afterEach, describe, expect, it } from "vitest";
import { openApprovers } from "../../src/approvers/store.ts";
import type { PairingView } from "../../src/core/pairing.ts";
import { createSignIns } from "../../src/web/sign-ins.ts";
import { createAuthenticator, recordOf } from "../support/authenticator.ts";
import { cookieOf, startInbox, WITH_KEY } from "../support/inbox.ts";
import { sealIn } from "../support/web.ts";

type Started = Awaited<ReturnType<typeof startInbox>>;

const open: Started[] = [];
afterEach(async () => {
  for (const { web } of open.splice(0)) await web.close();
});

async function start(options: Parameters<typeof startInbox>[0] = {}): Promise<Started> {
  const started = await startInbox(options);
  open.push(started);
  return started;
}

const isInbox = (text: string): boolean => text.includes("Sign out");

describe("a phone that is just being paired", () => {
  const paired = async () => {
    const started = await start();
    const { notes, clock, origin } = started;
    const approvers = openApprovers({ notes: notes("approvers"), clock });
    const signIns = createSignIns({ notes: notes("inbox"), approvers, clock });
    const phone = createAuthenticator({ origin });
    const cookie = (): string =>
      (signIns.expect(phone.credentialId, { headers: WITH_KEY }, origin) ?? "").split(";")[0] ?? "";
    const enrol = (): void => notes("approvers").put(phone.credentialId, recordOf(phone, "New phone"));
    const isIn = async (given: string): Promise<boolean> => isInbox((await started.get("/inbox", given)).text);
    return { ...started, phone, cookie, enrol, isIn };
  };

  it("is signed in as soon as its passkey counts, and not before", async () => {
    const { cookie, enrol, isIn, signIn } = await paired();
    const given = cookie();
    expect(given).not.toBe("");
    expect(await isIn(given)).toBe(false);
    // Others who sign in meanwhile do not sweep it away.
    await signIn();
    enrol();
    expect(await isIn(given)).toBe(true);
  });

  it("is given that sign-in by the page on which it made its passkey, and by no other step there", async () => {
    const { front, get, post, enrol, isIn, phone } = await paired();
    let stage: PairingView["stage"] = "confirm";
    front.pairing = (_token, step) => {
      if (step.do === "finish" && stage === "ready") stage = "compare";
      return Promise.resolve({ kind: "add", name: "New phone", stage, expiresAt: Date.UTC(2100, 1) });
    };
    const path = "/pair/hunter2-4711-pairing-link";
    const finish = async (): Promise<string> => {
      const seal = sealIn((await get(path)).text);
      const signed = JSON.stringify({ response: phone.register({ challenge: "c" }) });
      return cookieOf(await post(path, { seal, signed }, { Cookie: `agent-vault-device=${"d".repeat(43)}` }));
    };
    expect(await finish()).toBe("");
    stage = "ready";
    const cookie = await finish();
    expect(await isIn(cookie)).toBe(false);
    enrol();
    expect(await isIn(cookie)).toBe(true);
    stage = "compare";
    expect(await finish()).toBe("");
  });

  it("gets no sign-in of somebody who is enrolled already", async () => {
    const { cookie, enrol } = await paired();
    enrol();
    expect(cookie()).toBe("");
  });

  it("that never was enrolled is forgotten", async () => {
    const { cookie, notes, signIn, clock } = await paired();
    cookie();
    clock.advance(11 * 60_000);
    await signIn();
    expect([...notes("inbox").all().keys()].filter((key) => !key.startsWith("nonce"))).toHaveLength(1);
  });
});
