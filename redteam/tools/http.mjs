// Sends requests exactly as they are told on stdin, and prints the answers.
import { request } from "node:http";
import { connect } from "node:net";

const port = Number(process.argv[2]);
let input = "";
for await (const part of process.stdin) input += part;

const answers = [];
let together = [];
for (const ask of JSON.parse(input)) {
  if (ask.together) {
    together.push(ask);
    continue;
  }
  answers.push(...(await Promise.all(together.map(send))), await send(ask));
  together = [];
}
answers.push(...(await Promise.all(together.map(send))));
process.stdout.write(JSON.stringify(answers));

function send(ask) {
  const { host = "127.0.0.1", raw } = ask;
  const to = ask.port ?? port;
  if (raw !== undefined) return sendRaw(host, to, raw);
  return new Promise((resolve) => {
    const { method = "GET", path, headers = {}, body = "" } = ask;
    const all = { Host: `localhost:${to}`, ...headers };
    if (body !== "") all["Content-Length"] = String(Buffer.byteLength(body));
    const fail = (error) => resolve({ status: 0, headers: {}, body: "", error: String(error.code ?? error.message) });
    let outgoing;
    try {
      outgoing = request({ host, port: to, method, path, headers: all, setHost: false, agent: false, timeout: 10_000 });
    } catch (error) {
      return fail(error);
    }
    outgoing.on("timeout", () => outgoing.destroy(new Error("timeout")));
    outgoing.on("error", fail);
    outgoing.on("response", (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part) => (text += part));
      answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, body: text }));
      answer.on("error", fail);
    });
    outgoing.end(body);
  });
}

function sendRaw(host, to, raw) {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(to, host, () => socket.write(raw));
    const done = () => {
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.\d (\d+)/.exec(text)?.[1] ?? 0), headers: {}, body: text });
    };
    socket.setTimeout(3_000, done).setEncoding("utf8");
    socket.on("data", (part) => (text += part));
    socket.on("error", done).on("end", done);
  });
}
