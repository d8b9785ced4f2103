// The real program with a 12Port vault, whose notes another process has locked when it is to end.
import { join } from "node:path";
import { afterEach, expect, it, onTestFinished } from "vitest";
import { type Agent, statusOf, type World } from "../support/agent.ts";
import { agentIn, world } from "../support/begin.ts";
import { type FakeTwelvePort, startFakeTwelvePort } from "../support/fake-twelveport.ts";
import { lockDatabase } from "../support/locker.ts";
import { buildPatched } from "../support/patched.ts";
import { approve } from "../support/person.ts";

const ASSETS = 15;
const servers: FakeTwelvePort[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

/** One that was given as many assets by the vault's people, and would give them all back. */
async function usingAssets(program?: string): Promise<{ agent: Agent; made: World }> {
  const fake = await startFakeTwelvePort();
  servers.push(fake);
  const names = Array.from({ length: ASSETS }, (_, i) => `db-${i}`);
  for (const name of names) fake.add({ name, password: "hunter2-4711", way: "automatic" });
  const dev = { type: "12port", ...fake.options, token: "env:TWELVEPORT_TOKEN", pollSeconds: 5, ttl: 10 };
  const made = world({ config: { vaults: { dev }, approval: { waitSeconds: 20 } } });
  const agent = await agentIn(made, { env: { TWELVEPORT_TOKEN: fake.token }, ...(program && { program }) });
  const call = agent.call("get_secrets", { vault: "dev", names, reason: "run migration 0042" });
  await approve(await agent.link());
  expect(statusOf(await call)).toBe("ok");
  expect(fake.requests).toHaveLength(ASSETS);
  return { agent, made };
}

/** Whether it has ended within the two seconds of law 9, with its notes still locked. */
async function endsInTime({ agent, made }: { agent: Agent; made: World }): Promise<boolean> {
  const free = await lockDatabase(join(made.database, "../notes.db"));
  const gone = new Promise<boolean>((resolve) => (agent.client.onclose = () => resolve(true)));
  const late = new Promise<boolean>((resolve) => setTimeout(resolve, 2_000, false));
  process.kill(agent.pid, "SIGTERM");
  const isInTime = await Promise.race([gone, late]);
  await gone;
  await free();
  return isInTime;
}

it("is gone within 2 s of a signal while its notes are locked, and would not be if it waited for each note (planted bug)", async () => {
  const forgetful = { file: "src/state/lock-memory.ts", from: "until: mono() + REST_MS", to: "until: 0" };
  const twin = await buildPatched("src/main.ts", [forgetful]);
  onTestFinished(twin.remove);
  const both = await Promise.all([usingAssets(), usingAssets(twin.file)]);
  expect(await Promise.all(both.map(endsInTime))).toEqual([true, false]);
});
