import { type IsolationFacts, rootGroups } from "../core/isolation.ts";
import { visible } from "../core/text.ts";
import { finding, type Finding } from "./finding.ts";

/** What was seen of how far the agent is kept from this program, one line each with what to do about it. */
export function factFindings(facts: IsolationFacts): Finding[] {
  const own = facts.agent !== undefined && facts.agent.uid === facts.uid;
  return [
    ...(own ? [...changeable(facts), ...powers(facts), ...memory(facts), ...tokens(facts)] : []),
    ...elsewhere(facts),
    inspector(facts),
    ...coreDumps(facts),
  ];
}

/** All of it belongs to that user anyway, so that one line says it. */
function changeable({ changeable }: IsolationFacts): Finding[] {
  const whats = [...new Set(changeable.map(({ what }) => what.replace(/,.*/, "")))];
  if (whats.length === 0) return [];
  const text = `your programs, the agent's commands among them, can change ${list(whats)}`;
  return [finding("note", "files", text, "let the agent's commands run in a sandbox that cannot write there")];
}

function powers({ agent, rootSockets, sudo }: IsolationFacts): Finding[] {
  const ways = [
    ...(sudo === "free" ? ["sudo, without a password"] : []),
    ...(agent ? rootGroups(agent).map((group) => `the group ${visible(group)}`) : []),
    ...rootSockets.map((path) => `the socket ${visible(path)}`),
  ];
  if (agent?.uid === 0) {
    const hint = "run the agent as a user with fewer rights";
    return [finding("warning", "administrator", "the agent runs as the administrator of this computer", hint)];
  }
  if (ways.length === 0) return sudo === undefined ? [] : [finding("ok", "administrator", NO_ADMINISTRATOR)];
  const text = `your programs can become the administrator: ${list(ways)}`;
  return [finding("note", "administrator", text, "run the agent as a user who has none of these")];
}

const NO_ADMINISTRATOR = "your programs do not become the administrator by sudo, a group or a socket";

function memory({ platform, ptraceScope, legacyTiocsti }: IsolationFacts): Finding[] {
  if (platform !== "linux") return [];
  return [
    (ptraceScope ?? 0) >= 2
      ? finding("ok", "memory", `your programs cannot read the memory of one another (ptrace_scope ${ptraceScope})`)
      : finding(
          "note",
          "memory",
          ptraceScope === 1
            ? "a program can read the memory of those it started, and the client started this one"
            : "your programs can read the memory of one another, this one's included",
          ptraceScope === undefined
            ? "this kernel has no Yama, which could stop that"
            : "sysctl kernel.yama.ptrace_scope=2",
        ),
    ...(legacyTiocsti === false
      ? []
      : [
          finding(
            "note",
            "terminal",
            "a program can type into the terminal it was started from",
            legacyTiocsti ? "sysctl dev.tty.legacy_tiocsti=0" : "Linux 6.2 has a switch for that",
          ),
        ]),
  ];
}

function tokens({ tokens }: IsolationFacts): Finding[] {
  if (tokens.length === 0) return [];
  const text = `${list(tokens)} ${tokens.length === 1 ? "was" : "were"} in the environment, where your programs can read ${tokens.length === 1 ? "it" : "them"} (/proc/PID/environ)`;
  return [finding("note", "tokens", text, "only another user for agent-vault keeps them apart")];
}

/** What cannot be seen from here of a user other than our own. */
function elsewhere({ agent, uid, sudo }: IsolationFacts): Finding[] {
  if (agent === undefined || agent.uid === uid || sudo !== undefined) return [];
  const name = visible(agent.name);
  return [
    finding("note", "sudo", `what ${name} may do with sudo cannot be seen from here`, `as ${name}: sudo -n -k true`),
    finding("note", "access lists", "only owners, groups and modes were looked at", "getfacl shows the rest"),
  ];
}

function inspector({ inspector }: IsolationFacts): Finding {
  if (inspector === "closed") return finding("ok", "inspector", "a signal does not open Node's inspector here");
  if (inspector === "open") {
    return finding(
      "warning",
      "inspector",
      "Node's inspector is open: who reaches it reads everything",
      "start without it",
    );
  }
  return finding(
    "note",
    "inspector",
    "your programs can open Node's inspector in this one",
    "start it with node --disable-sigusr1 where your Node has that",
  );
}

function coreDumps({ platform, coreLimit, corePiped }: IsolationFacts): Finding[] {
  if (platform !== "linux") return [];
  // 1 is what Linux takes for "not even by way of a program".
  if (coreLimit === 1 || (coreLimit === 0 && corePiped === false)) {
    return [finding("ok", "core dumps", "are off: a crash leaves no memory on disk")];
  }
  const text =
    coreLimit === 0
      ? "a crash may hand its memory to the program that collects core dumps"
      : "a crash may leave memory on disk";
  return [finding("warning", "core dumps", text, "install prlimit (util-linux), or set LimitCORE=1 in the unit")];
}

function list(words: readonly string[]): string {
  const shown = words.map((word) => visible(word));
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}
