import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VaultError } from "../../src/core/errors.ts";
import { challengeOf, type Decision } from "../../src/core/proof.ts";
import { createWeb } from "../../src/web/server.ts";
import { type Authenticator, createAuthenticator, enrolled } from "../support/authenticator.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { browserHeaders, formBody, type Field, sealIn, send, startWeb, textOf, tickedIn } from "../support/web.ts";

const OFFER = { windowMs: 900_000, scope: "secret", proof: "passkey" } as const;
interface Signing {
  readonly options: { readonly challenge: string; readonly rpId: string; readonly allowCredentials: { id: string }[] };
  readonly decision: Decision;
  readonly say?: string;
  readonly to?: string;
}

describe("what is to be signed", () => {
  const clock = new FakeClock();
  const phone: Authenticator = createAuthenticator({ origin: "http://localhost" });
  const { approvers } = enrolled(phone, "Maria's phone", { clock });
  let isAway = false;
  let started: Awaited<ReturnType<typeof startWeb>>;
  beforeAll(async () => {
    const all: typeof approvers.all = () => {
      if (isAway) throw new VaultError("approvers_unavailable", "who may approve is not known");
      return approvers.all();
    };
    started = await startWeb(createWeb, { approvers: { ...approvers, all }, clock });
    phone.origin = `http://localhost:${started.web.port}`;
  });
  afterAll(() => started.web.close());

  const sign = async (token: string, form: Record<string, Field> = {}, headers = {}) => {
    const { text } = await started.show(token);
    const body = formBody({ seal: sealIn(text), verdict: "approve", choice: "window", item: tickedIn(text), ...form });
    const ask = {
      method: "POST",
      path: `/approve/${token}/sign`,
      headers: { ...browserHeaders(started.web.port), ...headers },
    };
    const reply = await send(started.web.port, { ...ask, body });
    return { ...reply, json: JSON.parse(reply.text) as Signing };
  };

  it("is the decision of the process that asks, for the passkeys that can sign on this page", async () => {
    const { status, json } = await sign(started.front.add({ offer: OFFER }));
    expect(status).toBe(200);
    expect(json.decision).toMatchObject({ v: 1, decision: "approve", at: clock.now() });
    expect(json.options).toEqual({
      challenge: challengeOf(json.decision),
      rpId: "localhost",
      allowCredentials: [{ id: phone.credentialId, type: "public-key" }],
      userVerification: "required",
      timeout: 110_000,
    });
  });

  it("is another one for every choice", async () => {
    const token = started.front.add({ offer: OFFER });
    const forms: Record<string, Field>[] = [
      {},
      { choice: "once" },
      { choice: "300000" },
      { item: ["0"] },
      { item: ["1"] },
    ];
    const challenges = await Promise.all(forms.map(async (form) => (await sign(token, form)).json.options.challenge));
    expect(new Set(challenges).size).toBe(forms.length);
  });

  it("decides nothing by itself, and the same choice with the signature does", async () => {
    const token = started.front.add({ offer: OFFER });
    const { json } = await sign(token, { item: ["0"] });
    expect(started.front.cardAt(token)?.standing.is).toBe("waiting");
    const signed = JSON.stringify({ decision: json.decision, response: phone.sign(json.options) });
    expect((await started.tap(token, { verdict: "approve", choice: "window", item: ["0"], signed })).status).toBe(303);
    expect(started.front.cardAt(token)?.standing).toMatchObject({ is: "approved", by: "Maria's phone", leftOut: [1] });
  });

  it("counts only signed on this very page: another port of this computer is anybody's", async () => {
    const token = started.front.add({ offer: OFFER });
    const { json } = await sign(token);
    const signedOn = (origin: string): string => {
      const here = phone.origin;
      phone.origin = origin;
      const signed = JSON.stringify({ decision: json.decision, response: phone.sign(json.options) });
      phone.origin = here;
      return signed;
    };
    const yes = { verdict: "approve", choice: "window", item: ["0", "1"] };
    for (const page of [`http://localhost:${started.web.port + 1}`, "http://localhost", "https://localhost"]) {
      const { status, text } = await started.tap(token, { ...yes, signed: signedOn(page) });
      expect([page, status]).toEqual([page, 403]);
      expect(textOf(text)).toContain("signed on another page");
      expect(started.front.cardAt(token)?.standing.is).toBe("waiting");
    }
    expect(started.refused).toEqual(Array.from({ length: 3 }, () => "a yes that was signed on another page"));
    expect((await started.tap(token, { ...yes, signed: signedOn(phone.origin) })).status).toBe(303);
  });

  it("is not what another choice is approved with", async () => {
    const token = started.front.add({ offer: OFFER });
    const { json } = await sign(token, { item: ["0"], choice: "once" });
    const signed = JSON.stringify({ decision: json.decision, response: phone.sign(json.options) });
    for (const form of [
      { item: ["0", "1"], choice: "once" },
      { item: ["0"], choice: "window" },
    ]) {
      const { status, text } = await started.tap(token, { verdict: "approve", ...form, signed });
      expect([status, textOf(text)]).toEqual([
        403,
        expect.stringContaining("Nothing was released. The request still waits."),
      ]);
    }
    expect(started.front.cardAt(token)?.standing.is).toBe("waiting");
  });

  it.each([
    ["nothing", undefined],
    ["no JSON", "hunter2-4711"],
    ["something else", JSON.stringify({ decision: { v: 2 }, response: { id: "x" } })],
    ["more than a signature", JSON.stringify({ decision: {}, response: {}, proof: "link" })],
  ])("is not approved with %s", async (_what, signed) => {
    const token = started.front.add({ offer: OFFER });
    const form = { verdict: "approve", choice: "window", ...(signed !== undefined && { signed }) };
    expect([400, 403]).toContain((await started.tap(token, form)).status);
    expect(started.front.cardAt(token)?.standing.is).toBe("waiting");
  });

  it("is refused, and no fault, where the passkey's id is longer than any that is kept", async () => {
    const token = started.front.add({ offer: OFFER });
    const decision = { v: 1, decision: "approve", at: clock.now(), hashes: ["h".repeat(43)] };
    for (const length of [1_024, 1_025, 1_400]) {
      const signed = JSON.stringify({ decision, response: { id: "a".repeat(length) } });
      const { status } = await started.tap(token, { verdict: "approve", choice: "window", signed });
      expect([length, status]).toEqual([length, length > 1_024 ? 400 : 403]);
    }
    expect(started.faults).toEqual([]);
  });

  it("is nothing once what approving opens has changed: the page is to be looked at again", async () => {
    const token = started.front.add({ offer: OFFER });
    const { text } = await started.show(token);
    started.front.change(token, { revision: 2 });
    const body = formBody({ seal: sealIn(text), verdict: "approve", choice: "window", item: tickedIn(text) });
    const reply = await send(started.web.port, {
      method: "POST",
      path: `/approve/${token}/sign`,
      headers: browserHeaders(started.web.port),
      body,
    });
    expect([reply.status, JSON.parse(reply.text)]).toMatchObject([409, { to: `/approve/${token}?changed` }]);
  });

  it("is nothing where the link is enough, and where no passkey can sign", async () => {
    expect((await sign(started.front.add())).status).toBe(409);
    const token = started.front.add({ offer: OFFER });
    const here = { Host: `127.0.0.1:${started.web.port}`, Origin: `http://127.0.0.1:${started.web.port}` };
    expect((await sign(token, {}, here)).json).toMatchObject({ to: `/approve/${token}` });
  });

  it("is nothing while it is not known who may approve, and the page says so", async () => {
    const token = started.front.add({ offer: OFFER });
    const { text } = await started.show(token);
    isAway = true;
    const body = formBody({ seal: sealIn(text), verdict: "approve", choice: "window", item: tickedIn(text) });
    const ask = { method: "POST", path: `/approve/${token}/sign`, headers: browserHeaders(started.web.port), body };
    const reply = await send(started.web.port, ask);
    const page = textOf((await started.show(token)).text);
    isAway = false;
    expect(reply.status).toBe(503);
    expect(page).toContain("Whose passkeys count cannot be read on devbox just now, so this cannot be approved. Deny");
  });

  it("is asked for by POST alone", async () => {
    const { status, headers } = await started.get(`/approve/${started.front.add({ offer: OFFER })}/sign`);
    expect([status, headers["allow"]]).toEqual([405, "POST"]);
  });
});

describe("the seal of a form", () => {
  const start = (formKey?: string) =>
    startWeb((options) => createWeb(formKey === undefined ? options : { ...options, formKey }));

  it("is taken by whoever took over the page with its key, and by nobody else", async () => {
    const key = Buffer.alloc(32, 7).toString("base64url");
    const [first, heir, other] = [await start(key), await start(key), await start()];
    const token = first.front.add();
    const seal = sealIn((await first.show(token)).text);
    const body = { seal, verdict: "deny" };
    for (const { front } of [heir, other]) Object.assign(front, { card: first.front.card, answer: first.front.answer });
    expect((await other.post(token, body)).status).toBe(403);
    expect((await heir.post(token, body)).status).toBe(303);
    expect(first.front.cardAt(token)?.standing.is).toBe("denied");
    await Promise.all([first, heir, other].map(({ web }) => web.close()));
  });

  it("takes no key that could be guessed", async () => {
    await expect(start("c2hvcnQ")).rejects.toThrow("a key of 5 bytes is too short for a seal");
  });
});
