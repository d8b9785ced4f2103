import type { AgentUser, IsolationFacts } from "../../src/core/isolation.ts";

export const MARIA: AgentUser = { name: "maria", uid: 1000, groups: [{ gid: 1000, name: "maria" }] };

/** A broker that runs apart from maria's agents, as well as that can be; what is given is otherwise. */
export function apart(otherwise: Partial<IsolationFacts> = {}): IsolationFacts {
  return {
    platform: "linux",
    uid: 990,
    agent: MARIA,
    startedByClient: false,
    ancestors: [0],
    changeable: [],
    readable: [],
    rootSockets: [],
    sudo: undefined,
    ptraceScope: 1,
    legacyTiocsti: false,
    inspector: "closed",
    coreLimit: 1,
    corePiped: false,
    tokens: [],
    ...otherwise,
  };
}
