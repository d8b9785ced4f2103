// What a program of the agent's user tries against a broker of another user. Prints one JSON object: what each attempt
// came to, "done" or the code of the error. Arguments: the broker's process, its folders, and a socket of its desk.
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";

const { pid, config, env, secrets, state, run, socket, program, desk } = JSON.parse(process.argv[2]);
const wanted = JSON.parse(process.argv[3]);

/** Memory can be opened by whom it is not to be read by, so a byte of it counts. */
function memory() {
  const [range] = /^[0-9a-f]+(?=-)/m.exec(readFileSync(`/proc/${pid}/maps`, "utf8")) ?? ["0"];
  const handle = openSync(`/proc/${pid}/mem`, "r");
  try {
    readSync(handle, Buffer.alloc(1), 0, 1, Number(`0x${range}`));
  } finally {
    closeSync(handle);
  }
}

function debugger_() {
  const { status, stderr, error } = spawnSync("gdb", ["-nx", "-batch", "-p", String(pid), "-ex", "detach"], {
    encoding: "utf8",
  });
  if (error) throw error;
  if (status !== 0 || /ptrace|not permitted/i.test(stderr))
    throw Object.assign(new Error("refused"), { code: "EPERM" });
}

const attempts = {
  "read the configuration": () => readFileSync(config),
  "read the tokens": () => readFileSync(env),
  "read the secrets": () => readFileSync(secrets),
  "look into the state folder": () => readdirSync(state),
  "read the audit log": () => readFileSync(join(state, "agent-vault/audit.db")),
  "read who may approve": () => readFileSync(join(state, "agent-vault/notes.db")),
  "write who may approve": () => appendFileSync(join(state, "agent-vault/notes.db"), "x"),
  "change the configuration": () => appendFileSync(config, " "),
  "put another socket in the place of the broker's": () => {
    rmSync(socket);
    writeFileSync(socket, "");
  },
  "move the folder of the socket away": () => renameSync(run, `${run}-away`),
  "put a file beside the socket": () => writeFileSync(join(run, "mine"), ""),
  "change the program": () => appendFileSync(program, " "),
  "read the environment of the process": () => readFileSync(`/proc/${pid}/environ`),
  "read the memory of the process": memory,
  "list the files that the process has open": () => readdirSync(`/proc/${pid}/fd`),
  "attach a debugger to the process": debugger_,
  "open the inspector of the process": () => process.kill(pid, "SIGUSR1"),
  "stop the process": () => process.kill(pid, "SIGSTOP"),
  "ask whether the process may be signalled": () => process.kill(pid, 0),
};

const outcomes = {};
for (const [name, attempt] of Object.entries(attempts)) {
  if (!wanted.includes(name)) continue;
  try {
    attempt();
    outcomes[name] = "done";
  } catch (error) {
    outcomes[name] = error.code ?? "refused";
  }
}
outcomes["reach the desk of the process"] = await reach(desk);
outcomes["listen in the folder of the socket"] = await listen(join(run, "mine.sock"));
console.log(JSON.stringify(outcomes));
process.exit(0);

function reach(path) {
  return new Promise((resolve) => {
    connect(path)
      .once("connect", () => resolve("done"))
      .once("error", ({ code }) => resolve(code));
  });
}

function listen(path) {
  return new Promise((resolve) => {
    createServer()
      .listen(path, () => resolve("done"))
      .once("error", ({ code }) => resolve(code));
  });
}
