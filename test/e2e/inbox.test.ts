import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { readEvents } from "../../src/audit/read.ts";
import { openNotes } from "../../src/state/notes.ts";
import { statusOf, type World } from "../support/agent.ts";
import { createAuthenticator, recordOf, type Authenticator } from "../support/authenticator.ts";
import { agentIn, begin } from "../support/begin.ts";
import { approve, readPage } from "../support/person.ts";

/** A phone whose passkey is enrolled in a world, as pairing leaves it. */
function enrolledIn(made: World, origin: string): Authenticator {
  const phone = createAuthenticator({ origin });
  const notes = openNotes(dirname(made.database));
  notes.of("approvers").put(phone.credentialId, recordOf(phone));
  notes.close();
  return phone;
}

/** What the pages of this browser keep for themselves. */
const PAGE_KEY = "k".repeat(43);

async function post(url: string, form: Record<string, string>, cookie = ""): Promise<Response> {
  const headers = { origin: new URL(url).origin, "sec-fetch-site": "same-origin", cookie };
  return fetch(url, {
    method: "POST",
    redirect: "manual",
    headers,
    body: new URLSearchParams({ key: PAGE_KEY, ...form }),
  });
}

const sealIn = (page: string): string => /name="seal" value="([^"]+)"/.exec(page)?.[1] ?? "";

async function send(origin: string, phone: Authenticator): Promise<Response> {
  const seal = sealIn(await readPage(`${origin}/inbox`));
  const { decision, options } = (await (await post(`${origin}/inbox/challenge`, { seal })).json()) as {
    decision: object;
    options: { challenge: string; rpId: string };
  };
  const signed = JSON.stringify({ decision, response: phone.sign(options) });
  return post(`${origin}/inbox`, { seal, do: "sign-in", signed });
}

const trySignIn = async (origin: string, phone: Authenticator): Promise<number> => (await send(origin, phone)).status;

async function signIn(origin: string, phone: Authenticator): Promise<string> {
  const reply = await send(origin, phone);
  expect(reply.status).toBe(303);
  return reply.headers.get("set-cookie")?.split(";")[0] ?? "";
}

const inbox = async (origin: string, cookie: string): Promise<string> =>
  (await fetch(`${origin}/inbox`, { headers: { cookie, "agent-vault-page": PAGE_KEY } })).text();

describe("the inbox of several sessions", () => {
  it("shows what each of them waits for, and stays signed in when its host is killed", async () => {
    const { world: made, agent: one } = await begin({ vault: { ttl: 15 } }, { name: "client-one" });
    const two = await agentIn(made, { name: "client-two" });
    one.get("DATABASE_URL").catch(() => undefined);
    const { origin } = new URL(await one.link());
    two.get("STRIPE_KEY").catch(() => undefined);
    await two.link();
    const phone = enrolledIn(made, origin);

    const cookie = await signIn(origin, phone);
    const text = await inbox(origin, cookie);
    expect(text).toContain("2 requests waiting");
    for (const each of ["client-one", "client-two", "DATABASE_URL", "STRIPE_KEY"]) expect(text).toContain(each);
    expect(text).toContain("Asked to read");
    expect(text).not.toMatch(/hunter2-4711|sk_live_canary_0815/);
    expect(await readPage(`${origin}/inbox`)).not.toMatch(/client-|DATABASE_URL|STRIPE_KEY|waiting/);

    process.kill(one.pid, "SIGKILL");
    const after = async (): Promise<string> => inbox(origin, cookie).catch(() => "");
    await expect.poll(after, { timeout: 20_000 }).toContain("1 request waiting");
    expect(await after()).toContain("STRIPE_KEY");
  });

  it("has one line in the log for all that tried to sign in and did not", async () => {
    const { world: made, agent } = await begin({ vault: { ttl: 15 } });
    agent.get("DATABASE_URL").catch(() => undefined);
    const { origin } = new URL(await agent.link());
    enrolledIn(made, origin);
    for (let n = 0; n < 4; n++) expect(await trySignIn(origin, createAuthenticator({ origin }))).toBe(403);
    await agent.close();
    const lines = readEvents({ file: made.database, filters: { kind: "refused", limit: 10 } });
    expect(lines.map(({ code, detail, count }) => [code, detail, count])).toEqual([
      ["not_proven", "a sign-in to the inbox", 3],
      ["not_proven", "a sign-in to the inbox", undefined],
    ]);
  });

  it("revokes a window without a signature, in whichever session it is", async () => {
    const { world: made, agent: one } = await begin({ vault: { ttl: 15, require: "link" } }, { name: "client-one" });
    const two = await agentIn(made, { name: "client-two" });
    const asked = one.get("DATABASE_URL");
    const first = await one.link();
    const { origin, pathname } = new URL(first);
    await approve(first, "window");
    expect(statusOf(await asked)).toBe("ok");
    const other = two.get("STRIPE_KEY");
    await approve(await two.link(), "window");
    expect(statusOf(await other)).toBe("ok");
    const cookie = await signIn(origin, enrolledIn(made, origin));
    const text = await inbox(origin, cookie);
    const approvals = [...text.matchAll(/name="approval" value="([^"]+)"/g)].map(([, id = ""]) => id);
    expect(approvals).toHaveLength(2);
    await post(`${origin}/inbox`, { seal: sealIn(text), do: "revoke-all" }, cookie);
    expect(await inbox(origin, cookie)).toContain("Nothing is open");
    expect(await readPage(`${origin}${pathname}`)).toContain("Revoked");
    two.get("STRIPE_KEY").catch(() => undefined);
    expect(await two.link()).not.toBe("");
  });
});
