// Plays a part at the desk that the sessions of a user share, as any program of that user can: ROLE STATE PROGRAM.
// "host" takes the place of the host before anybody else, "peer" joins as one more session with a card of its own (JSON
// on stdin), "visitor" looks in, "garbage" speaks nonsense. Prints what it learned.
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [role, state, program] = process.argv.slice(2);
const socket = join(state, "desk", "desk.sock");
const say = (line) => process.stdout.write(`${line}\n`);
const roles = { host, peer, visitor, garbage };
await roles[role]();

async function host() {
  mkdirSync(join(state, "desk"), { recursive: true, mode: 0o700 });
  const lock = join(state, "desk", "desk.lock");
  writeFileSync(lock, "", { flag: "a", mode: 0o600 });
  const Database = createRequire(program)("better-sqlite3");
  const held = new Database(lock);
  held.pragma("journal_mode = MEMORY");
  held.exec("BEGIN EXCLUSIVE");
  const page = { local: "http://localhost:1/approve/", isSettled: true };
  createServer((end) => {
    const wire = speak(end, {
      hello: () => ({ hub: 1, formKey: "k".repeat(43), page }),
      open: () => ({ page, shared: [] }),
      ping: () => ({}),
    });
    wire.onNews = ({ waiting }) => void steal(wire, waiting);
  }).listen(socket, () => say("listening"));
}

async function steal(wire, waiting) {
  const token = waiting[0]?.token;
  if (!token || wire.asked) return;
  wire.asked = true;
  say(`learned http://localhost:1/approve/${token}`);
  const { value: card } = await wire.call("card", { token });
  const answer = { verdict: "approve", choice: "once", revision: card?.revision ?? 0 };
  say(`answered ${JSON.stringify(await wire.call("answer", { token, answer, by: { proof: "link" } }))}`);
  say(`statement ${JSON.stringify((await wire.call("statement", { token, approval: answer })).value)}`);
  createInterface({ input: process.stdin }).once("line", (line) => void sign(wire, token, answer, JSON.parse(line)));
}

async function sign(wire, token, answer, proof) {
  say(`signed ${JSON.stringify(await wire.call("answer", { token, answer, by: { proof } }))}`);
}

async function peer() {
  const { key, token, card, statement } = JSON.parse(
    await new Promise((line) => createInterface(process.stdin).once("line", line)),
  );
  const wire = speak(connect(socket), {
    card: () => card,
    statement: () => statement,
    answer: ({ by }) => (say(`got ${JSON.stringify(by)}`), true),
    changed: () => new Promise(() => {}),
    ping: () => ({}),
  });
  say(`hello ${JSON.stringify(await wire.call("hello", { hub: 1, as: "session" }))}`);
  const now = Date.now();
  const line = {
    request: "r-1",
    key,
    token,
    vault: card.vault,
    action: card.action,
    names: card.items.map(({ name }) => name),
    client: "x",
    folder: "x",
    since: now,
    expiresAt: now + 600_000,
    isBehind: false,
  };
  wire.tell("overview", { waiting: [line], windows: [], version: 1 });
  say(`opened ${JSON.stringify(await wire.call("open", {}))}`);
}

async function visitor() {
  for (const as of ["visitor", "session"]) {
    const wire = speak(connect(socket), {});
    say(JSON.stringify(await wire.call("hello", { hub: 1, as })));
    say(JSON.stringify(await wire.call("overview", {})));
    // What a session is asked is not for it to ask.
    for (const call of ["card", "answer", "statement", "pairing"])
      wire.send({ do: call, id: 99, with: { token: "a".repeat(22) } });
  }
  setTimeout(() => process.exit(), 500);
}

async function garbage() {
  const junk = [
    "\0".repeat(70_000),
    "{}\n".repeat(1_000),
    '{"do":"hello","id":1,"with":{"hub":1,"as":"session"}}\n{"tell":"overview","with":{"waiting":[]}}\n',
    '{"re":0,"value":1}\n',
    `{"do":"${"x".repeat(3_000_000)}"}\n`,
    "[".repeat(100_000) + "\n",
    '{"do":"__proto__","id":1,"with":{}}\n',
    "GET / HTTP/1.1\r\n\r\n",
  ];
  const ends = Array.from({ length: 400 }, (_, n) => {
    const end = connect(socket, () => end.write(junk[n % junk.length]));
    return new Promise((over) => end.on("error", over).on("close", over).resume());
  });
  setTimeout(() => process.exit(), 2_000);
  await Promise.all(ends);
  say("all were cut off");
  process.exit();
}

function speak(end, calls) {
  let last = 0;
  const pending = new Map();
  const send = (message) => end.write(`${JSON.stringify(message)}\n`);
  const wire = {
    send,
    onNews: () => {},
    tell: (tell, news) => send({ tell, with: news }),
    call: (name, ask) => {
      const id = ++last;
      send({ do: name, id, with: ask });
      return new Promise((reply) => pending.set(id, reply));
    },
  };
  const hear = async (message) => {
    if (message.re !== undefined) pending.get(message.re)?.(message);
    else if (message.tell === "overview") wire.onNews(message.with);
    else if (message.do !== undefined) send({ re: message.id, value: await calls[message.do]?.(message.with) });
  };
  end.on("error", (error) => say(`error ${error.code}`));
  createInterface({ input: end })
    .on("error", () => {})
    .on("line", (line) => void hear(JSON.parse(line)));
  return wire;
}
