import type { Attack, Gain, Level, Outcome } from "./attack.ts";
import { FORGED } from "./log.ts";
import { type Ground, makeWorld, type World } from "./world.ts";

/** How one attack went at one level. */
export interface Verdict {
  readonly outcome: Outcome;
  /** What was got and where it shows, in words; absent: nothing was got. */
  readonly got?: string;
  readonly seen?: string;
  readonly ms: number;
}

/** Lets an attack happen in a world of its own, and looks at what it achieved. */
export async function judge(attack: Attack, level: Level, ground: Ground): Promise<Verdict> {
  const started = performance.now();
  const world = await makeWorld(level, ground, attack.world);
  try {
    const gain = await attack.run(world);
    const ms = Math.round(performance.now() - started);
    const got = gain.got ?? unearned(world);
    if (got === undefined) return { outcome: "stopped", ms };
    const seen = gain.seen ?? inTheLog(world, gain);
    return seen === undefined ? { outcome: "not stopped", got, ms } : { outcome: "noticed", got, seen, ms };
  } finally {
    await world.close();
  }
}

/** What the agent has that no person gave it, whatever the attack itself thinks of it. */
function unearned(world: World): string | undefined {
  const [first] = world.attacker.loot();
  if (first !== undefined) return `a value that nobody approved: ${first}`;
  const { approvals } = forged(world);
  return approvals > 0 ? "an approval that no person gave" : undefined;
}

/** A line of the log that a person could stumble over, of something they did not do. */
function inTheLog(world: World, { got }: Gain): string | undefined {
  const { approvals, approvers } = forged(world);
  if (approvers.length > 0) return `${approvers.join(", ")} in the log`;
  if (approvals > 0) return "approved in the log, by nobody the person knows";
  return got === undefined ? undefined : undefined;
}

function forged(world: World): { approvals: number; approvers: readonly string[] } {
  const events = world.events().filter(({ detail }) => detail !== FORGED);
  const approved = events.filter(({ kind }) => kind === "approved").length;
  const approvers = events.map(({ kind }) => kind).filter((kind) => /^approver_(?:added|removed)$/.test(kind));
  return { approvals: Math.max(0, approved - world.person.approvals()), approvers };
}
