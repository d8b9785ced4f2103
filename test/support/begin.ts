import { afterEach } from "vitest";
import { type Agent, type AgentOptions, makeWorld, startAgent, type World } from "./agent.ts";

const open: { agents: Agent[]; worlds: World[] } = { agents: [], worlds: [] };

afterEach(async () => {
  await Promise.all(open.agents.splice(0).map((agent) => agent.close()));
  for (const world of open.worlds.splice(0)) world.remove();
});

/** A world that goes away after the test. */
export function world(options: Parameters<typeof makeWorld>[0] = {}): World {
  const made = makeWorld(options);
  open.worlds.push(made);
  return made;
}

/** An agent in a world; both go away after the test. */
export async function begin(
  options: Parameters<typeof makeWorld>[0] = {},
  as: AgentOptions = {},
): Promise<{ world: World; agent: Agent }> {
  const made = world(options);
  return { world: made, agent: await agentIn(made, as) };
}

export async function agentIn(made: World, as: AgentOptions = {}): Promise<Agent> {
  const agent = await startAgent(made, as);
  open.agents.push(agent);
  return agent;
}
