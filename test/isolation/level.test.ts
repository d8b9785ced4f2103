import { describe, expect, it } from "vitest";
import type { IsolationFacts, levelOf as LevelOf } from "../../src/core/isolation.ts";
import { levelOf } from "../../src/core/isolation.ts";
import { loadPatched } from "../support/patched.ts";
import { apart, MARIA } from "./facts.ts";

const inGroup = (gid: number, name: string): Partial<IsolationFacts> => ({
  agent: { ...MARIA, groups: [...MARIA.groups, { gid, name }] },
});

/** Each by itself makes it the weaker level; and the words that say why. */
const DOUBTS: readonly [string, Partial<IsolationFacts>, RegExp][] = [
  ["its client starts it", { startedByClient: true }, /the agent's client starts agent-vault/],
  ["it does not run on Linux", { platform: "darwin" }, /only known of Linux/],
  ["nobody said whose agents they are", { agent: undefined }, /which user the agent runs as is not known/],
  ["the system has no numbers for users", { uid: undefined }, /is not known/],
  ["both are one user", { uid: MARIA.uid }, /runs as maria, like the agent/],
  ["the agent is the administrator", { agent: { ...MARIA, uid: 0 } }, /runs as the administrator/],
  ["the agent may use docker", inGroup(998, "docker"), /in the group docker/],
  ["the agent is in sudo", inGroup(27, "sudo"), /in the group sudo/],
  ["the agent is in wheel", inGroup(10, "wheel"), /in the group wheel/],
  ["the agent is in lxd", inGroup(110, "lxd"), /in the group lxd/],
  ["the administrators' group has another name", inGroup(0, "toor"), /in the group toor/],
  ["docker's socket is open to the agent", { rootSockets: ["/run/docker.sock"] }, /may use \/run\/docker\.sock/],
  ["sudo asks for no password", { sudo: "free" }, /sudo without a password/],
  ["the agent's user started it", { ancestors: [990, 1000, 0] }, /from a session of maria/],
  ["nobody can see who started it", { ancestors: undefined }, /cannot be seen/],
  ["the inspector is open", { inspector: "open" }, /inspector is open/],
  [
    "the agent can change the configuration",
    { changeable: [{ what: "the configuration", path: "/srv/av" }] },
    /maria could change the configuration, at \/srv\/av/,
  ],
  [
    "the agent can read the secrets",
    { readable: [{ what: "a file of secrets", path: "/srv/av/.env" }] },
    /maria can read a file of secrets, at \/srv\/av\/\.env/,
  ],
];

/** The doubts that go unnoticed. */
const missed = (level: typeof LevelOf): string[] =>
  DOUBTS.flatMap(([name, facts]) => (level(apart(facts)).isolation === "same-user" ? [] : [name]));

describe("how far the agent is kept from this program", () => {
  it("is another user when nothing speaks against it", () => {
    expect(levelOf(apart())).toEqual({ isolation: "other-user", doubts: [] });
  });

  it.each(DOUBTS)("is the same user when %s", (_, facts, words) => {
    const { isolation, doubts } = levelOf(apart(facts));
    expect(isolation).toBe("same-user");
    expect(doubts.map(({ text }) => text).join("\n")).toMatch(words);
    for (const { hint } of doubts) expect(hint).not.toBe("");
  });

  it("is not made worse by what only matters among programs of one user", () => {
    const facts: Partial<IsolationFacts> = {
      ptraceScope: undefined,
      legacyTiocsti: undefined,
      inspector: "by signal",
      sudo: "refused",
      coreLimit: Number.POSITIVE_INFINITY,
      corePiped: true,
      tokens: ["OP_SERVICE_ACCOUNT_TOKEN"],
    };
    expect(levelOf(apart(facts)).isolation).toBe("other-user");
  });

  it("names every reason at once", () => {
    const facts = { rootSockets: ["/run/docker.sock"], ancestors: [1000], sudo: "free" as const };
    expect(levelOf(apart(facts)).doubts).toHaveLength(3);
  });

  it.each<[string, string, string, string]>([
    ["groups", "rootGroups(agent).map((group)", "rootGroups(agent).slice(9).map((group)", "the agent may use docker"],
    ["who started it", "ancestors.includes(uid)", "ancestors[0] === uid", "the agent's user started it"],
    [
      "what can be changed",
      "...changeable.map(",
      "...changeable.slice(1).map(",
      "the agent can change the configuration",
    ],
  ])("would be said to be better than it is if %s were overlooked", async (_, from, to, wanted) => {
    const plants = [{ file: "src/core/isolation.ts", from, to }];
    const patched = (await loadPatched("src/core/isolation.ts", plants)) as { levelOf: typeof LevelOf };
    expect(missed(levelOf)).toEqual([]);
    expect(missed(patched.levelOf)).toContain(wanted);
  });
});
