// The real program with a 12Port vault: a person approves on our page, then the vault's own people do in theirs.
import { afterEach, expect, it } from "vitest";
import { type Agent, eventsOf, statusOf, textOf, type World } from "../support/agent.ts";
import { agentIn, world } from "../support/begin.ts";
import { type FakeTwelvePort, startFakeTwelvePort } from "../support/fake-twelveport.ts";
import { approve, decide, readPage } from "../support/person.ts";

const PASSWORD = "hunter2-4711";
const WAITING = "waiting for 12Port's approvers: db-prod, request 4711";
/** The same as the page writes it. */
const WAITING_HTML = WAITING.replace("'", "&#39;");
const servers: FakeTwelvePort[] = [];

afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

/** A 12Port with one asset that its people have to agree to, and a project that uses it. */
async function company(waitSeconds: number): Promise<{ fake: FakeTwelvePort; made: World }> {
  const fake = await startFakeTwelvePort();
  servers.push(fake);
  fake.add({ name: "db-prod", password: PASSWORD, way: "approvers" });
  const dev = { type: "12port", ...fake.options, token: "env:TWELVEPORT_TOKEN", pollSeconds: 5, ttl: 10 };
  const made = world({ config: { vaults: { dev }, approval: { waitSeconds } } });
  return { fake, made };
}

function agentOf(fake: FakeTwelvePort, made: World): Promise<Agent> {
  return agentIn(made, { env: { TWELVEPORT_TOKEN: fake.token } });
}

/** Reads the page until it shows that text. */
async function shown(link: string, text: string): Promise<string> {
  for (;;) {
    const page = await readPage(link);
    if (page.includes(text)) return page;
    await new Promise((turn) => setTimeout(turn, 50));
  }
}

/** A call that the person has approved, and that now waits for 12Port's own people. */
async function waiting() {
  const { fake, made } = await company(60);
  const agent = await agentOf(fake, made);
  const call = agent.get("db-prod");
  const link = await agent.link();
  await approve(link);
  await shown(link, WAITING_HTML);
  return { fake, made, agent, call, link };
}

function reads({ reads, assets }: FakeTwelvePort): number | undefined {
  return reads.get(assets[0]?.id ?? "");
}

it("hands the value to the very call that waited for both", async () => {
  const { fake, made } = await company(60);
  const agent = await agentOf(fake, made);
  expect(textOf(await agent.call("list_secrets", {}))).toContain("db-prod");
  const call = agent.get("db-prod");
  const link = await agent.link();
  expect(fake.requests).toHaveLength(0);
  await approve(link);
  await shown(link, WAITING_HTML);
  expect(fake.requests).toHaveLength(1);
  expect(fake.requests[0]?.body["message"]).toContain("run migration 0042");
  fake.approve("db-prod");
  const result = await call;
  expect([statusOf(result), textOf(result)]).toEqual(["ok", PASSWORD]);
  expect(reads(fake)).toBe(2);
  // Inside the window neither of them is asked again.
  expect(textOf(await agent.get("db-prod"))).toBe(PASSWORD);
  expect(fake.requests).toHaveLength(1);
  expect(eventsOf(made).map(({ kind }) => kind)).toContain("upstream_waiting");
  // The process goes, and with it what it had been given upstream.
  await agent.close();
  expect(fake.completed).toEqual([fake.requests[0]?.workflow]);
  const said = JSON.stringify(eventsOf(made)) + agent.stderr();
  expect(said).not.toContain(fake.token);
  expect(said).not.toContain(PASSWORD);
});

it("tells a call that cannot wait who is waited for, and serves the next identical one", async () => {
  const { fake, made } = await company(2);
  const agent = await agentOf(fake, made);
  const call = agent.get("db-prod");
  await approve(await agent.link());
  const first = await call;
  expect([statusOf(first), textOf(first)]).toEqual(["pending", expect.stringContaining(WAITING)]);
  fake.approve("db-prod");
  let result = first;
  while (statusOf(result) === "pending") result = await agent.get("db-prod");
  expect([statusOf(result), textOf(result)]).toEqual(["ok", PASSWORD]);
  expect(fake.requests).toHaveLength(1);
  expect(reads(fake)).toBe(2);
});

it("asks the person again after a restart, and 12Port's people not", async () => {
  const { fake, made } = await company(60);
  const first = await agentOf(fake, made);
  const lost = first.get("db-prod").catch(() => undefined);
  const link = await first.link();
  await approve(link);
  await shown(link, WAITING_HTML);
  await first.close();
  await lost;
  fake.approve("db-prod");
  const second = await agentOf(fake, made);
  const call = second.get("db-prod");
  const before = fake.calls.requestStatus;
  const again = await second.link();
  expect(again).not.toBe(link);
  expect(fake.calls.requestStatus).toBe(before);
  await approve(again);
  expect(textOf(await call)).toBe(PASSWORD);
  expect(fake.requests).toHaveLength(1);
  expect(reads(fake)).toBe(2);
});

it("stops waiting when the person takes it back, and leaves the request to the next approval", async () => {
  const { fake, agent, call, link } = await waiting();
  await decide(link, { verdict: "revoke" });
  expect(statusOf(await call)).toBe("revoked");
  expect([reads(fake), fake.completed]).toEqual([1, []]);
  fake.approve("db-prod");
  const again = agent.get("db-prod");
  await approve(await agent.link());
  expect(textOf(await again)).toBe(PASSWORD);
  expect(fake.requests).toHaveLength(1);
  expect(reads(fake)).toBe(2);
});

it("says that they turned it down, and asks nobody again", async () => {
  const { fake, made, agent, call } = await waiting();
  fake.reject("db-prod");
  const result = await call;
  expect(statusOf(result)).toBe("upstream_denied");
  const said = 'the approvers of 12Port turned down access to asset "db-prod" (request 4711)';
  expect(textOf(result)).toContain(said);
  expect([reads(fake), fake.requests.length]).toEqual([1, 1]);
  await agent.close();
  // Another process puts it before nobody: a call that waited for a person would never end here.
  const before = { ...fake.calls };
  const other = await agentOf(fake, made);
  const again = await other.get("db-prod");
  expect([statusOf(again), textOf(again)]).toEqual(["upstream_denied", expect.stringContaining(said)]);
  expect(fake.calls).toMatchObject({ credentials: before.credentials, requestStatus: before.requestStatus });
  expect(fake.requests).toHaveLength(1);
});

it("hands over what is left of a batch when they turned down a part of it", async () => {
  const { fake, made } = await company(60);
  fake.add({ name: "plain", password: "hunter2-0815" });
  const agent = await agentOf(fake, made);
  const call = agent.call("get_secrets", { vault: "dev", names: ["plain", "db-prod"], reason: "run migration 0042" });
  const link = await agent.link();
  await approve(link);
  await shown(link, WAITING_HTML);
  fake.reject("db-prod");
  const result = await call;
  expect(textOf(result)).toContain("hunter2-0815");
  expect(JSON.stringify(result.content)).toContain("turned down access to asset");
  expect(textOf(await agent.get("plain"))).toBe("hunter2-0815");
});
