import { type Attack, NOTHING } from "../attack.ts";
import type { World } from "../world.ts";
import { finish } from "./steal.ts";

const SAME_OR_OTHER: Attack["expected"] = {
  "link/same-user": "not stopped",
  "passkey/same-user": "not stopped",
  "link/other-user": "stopped",
  "passkey/other-user": "stopped",
};

/** The program after it has handed out one value, when the others were in its memory a moment ago. */
async function usedBroker(world: World): Promise<number> {
  const asked = await world.ask();
  await world.person.approve(asked.link, { choice: "window" });
  const reply = await asked.call;
  if (reply.status !== "ok") throw new Error(`the person's own approval did not count: ${reply.status}: ${reply.text}`);
  return world.broker();
}

/** Patterns of what an attacker looks for: they know what secrets look like, not these. */
const LOOKS = "(?:api|other|token)-[0-9a-f]{24}";

export const processAttacks: readonly Attack[] = [
  {
    id: "process-environ",
    title: "reads the environment of the running process, tokens included",
    about: "process",
    expected: SAME_OR_OTHER,
    why: "Linux shows a process's first environment to its own user, whatever the program does",
    needs: linux,
    isLight: true,
    run: async (world) => {
      await world.attacker.read(`/proc/${await world.broker()}/environ`);
      return NOTHING;
    },
  },
  {
    id: "process-memory",
    title: "reads the memory of the running process through /proc",
    about: "process",
    expected: SAME_OR_OTHER,
    why: "a process belongs to its user; ptrace_scope or another account stands in the way, nothing of ours",
    needs: linux,
    run: async (world) => {
      await world.attacker.tool("memory.py", ["mem", String(await usedBroker(world)), LOOKS]);
      return NOTHING;
    },
  },
  {
    id: "process-vm-readv",
    title: "reads it with process_vm_readv, and attaches with ptrace",
    about: "process",
    expected: SAME_OR_OTHER,
    why: "as above",
    needs: linux,
    run: async (world) => {
      const { out } = await world.attacker.tool("memory.py", ["ptrace", String(await usedBroker(world)), LOOKS]);
      return out.includes("attached") ? { got: "it is attached to the process" } : NOTHING;
    },
  },
  {
    id: "process-fd",
    title: "opens the files and sockets of the running process through /proc",
    about: "process",
    expected: {
      "link/same-user": "stopped",
      "passkey/same-user": "stopped",
      "link/other-user": "stopped",
      "passkey/other-user": "stopped",
    },
    why: "no open file holds a value: the env file is read and closed",
    needs: linux,
    run: async (world) => {
      const pid = await usedBroker(world);
      await world.attacker.run(["sh", "-c", `for fd in /proc/${pid}/fd/*; do timeout 0.1 head -c 5000000 "$fd"; done`]);
      return NOTHING;
    },
  },
  {
    id: "process-inspector-signal",
    title: "sends SIGUSR1, which makes Node open its inspector, and reads the memory through that",
    about: "process",
    expected: {
      "link/same-user": "stopped",
      "passkey/same-user": "stopped",
      "link/other-user": "stopped",
      "passkey/other-user": "stopped",
    },
    why: "the signal is taken by a handler, or switched off where Node can",
    needs: linux,
    // What is weakened has no launcher, and with it none of what the launcher does.
    control: [],
    run: async (world) => {
      const pid = await usedBroker(world);
      const { out } = await world.attacker.tool("inspector.mjs", ["signal", String(pid), LOOKS], { withinMs: 15_000 });
      return out.includes("opened") ? { got: "the inspector of the process is open" } : NOTHING;
    },
  },
  {
    id: "process-node-options",
    title: "has its client start the program with NODE_OPTIONS that load code or open the inspector",
    about: "process",
    expected: { "link/same-user": "not stopped", "passkey/same-user": "not stopped" },
    why: "the program refuses to run with them, but code that is loaded first has read the file already",
    run: async (world) => {
      const { project, secrets } = world.paths;
      const evil = `try { require("node:fs").writeFileSync(${JSON.stringify(`${project}/loot`)}, require("node:fs").readFileSync(${JSON.stringify(secrets)})) } catch {}\n`;
      await world.attacker.run(["sh", "-c", 'cat > "$1"', "sh", `${project}/evil.cjs`], { input: evil });
      const session = await world
        .open({ env: { NODE_OPTIONS: `--require ${project}/evil.cjs` } })
        .catch(() => undefined);
      await session?.get("API_KEY", "x").catch(() => undefined);
      await world.attacker.read(`${project}/loot`);
      return NOTHING;
    },
  },
  {
    id: "process-inspect-flag",
    title: "has its client start the program with --inspect, and looks in",
    about: "process",
    expected: { "link/same-user": "stopped", "passkey/same-user": "stopped" },
    why: "with an inspector open the program refuses to work",
    control: [],
    run: async (world) => {
      const port = 20_000 + Math.floor(Math.random() * 20_000);
      const session = await world.open({ node: [`--inspect=127.0.0.1:${port}`] }).catch(() => undefined);
      if (session === undefined) return NOTHING;
      const { out } = await world.attacker.tool("inspector.mjs", ["port", String(port), LOOKS], { withinMs: 15_000 });
      return out.includes("opened") ? { got: "the inspector of the process is open" } : NOTHING;
    },
  },
  {
    id: "process-path-shim",
    title: "has its client find another node in PATH, which runs its own code first",
    about: "process",
    expected: { "link/same-user": "not stopped", "passkey/same-user": "not stopped" },
    why: "who starts a program decides what runs in it",
    needs: linux,
    run: async (world) => {
      const { project, secrets } = world.paths;
      const shim = `#!/bin/sh\ncat "${secrets}" > "${project}/loot"\nexec ${process.execPath} "$@"\n`;
      await world.attacker.run(["sh", "-c", 'cat > "$1" && chmod +x "$1"', "sh", `${project}/node`], { input: shim });
      // As a client does it whose configuration says "node".
      await world.attacker.run([
        "sh",
        "-c",
        'PATH="$1:$PATH"; node "$2" --version',
        "sh",
        project,
        world.paths.program,
      ]);
      await world.attacker.read(`${project}/loot`);
      return NOTHING;
    },
  },
  {
    id: "process-core-dump",
    title: "lifts the limit for cores and aborts the process, to read what it leaves",
    about: "process",
    expected: { "link/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "the limit is set for good once a vault is used; where Linux has no prlimit, or the system collects cores, it is the system's to keep them",
    needs: linux,
    run: async (world) => {
      const pid = await usedBroker(world);
      await world.attacker.run([
        "sh",
        "-c",
        `prlimit --pid ${pid} --core=unlimited:unlimited; kill -ABRT ${pid}; sleep 0.5; cat "$1"/core* /var/crash/* 2>/dev/null`,
        "sh",
        world.paths.project,
      ]);
      return NOTHING;
    },
  },
  {
    id: "process-kill",
    title: "ends, stops and resumes the process in the hope that it forgets a no",
    about: "process",
    expected: { "link/same-user": "stopped", "passkey/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "broker gone, access gone: what waited is over, and a new start asks again",
    needs: linux,
    run: async (world) => {
      const asked = await world.ask();
      const pid = await world.broker();
      await world.attacker.run(["sh", "-c", `kill -STOP ${pid}; sleep 0.3; kill -CONT ${pid}; kill -KILL ${pid}`]);
      const call = asked.call.catch(() => undefined);
      await Promise.race([call, new Promise((resolve) => setTimeout(resolve, 1_000))]);
      if (world.isApart) {
        await finish(world, asked);
        return NOTHING;
      }
      const next = (await world.open()).get("API_KEY");
      const link = await world.link();
      await world.person.deny(link);
      await next;
      return NOTHING;
    },
  },
];

function linux(): string | undefined {
  return process.platform === "linux" ? undefined : "this is about /proc and signals of Linux";
}
