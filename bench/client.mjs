// An MCP client reduced to what can be timed: one line out, one line in. The SDK's own client costs as much per call as
// a bare server does and would hide half of every difference.
import { spawn } from "node:child_process";
import { once } from "node:events";

const INITIALIZE = {
  protocolVersion: "2025-06-18",
  capabilities: {},
  clientInfo: { name: "bench", version: "1.0.0" },
};
const ANSWER_MS = 60_000;

/** Starts a server. Nothing is awaited: the clock of whoever measures the start is running. */
export function start({ file, cwd, env, node = [] }) {
  const child = spawn(process.execPath, [...node, file], { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
  const waiting = new Map();
  const links = linksIn(child.stderr);
  let id = 0;
  let rest = "";
  let stderr = "";
  let onProgress = () => {};

  const exited = once(child, "exit").then(([code, signal]) => {
    const error = new Error(`${file} ended (${signal ?? code}) before it answered: ${stderr.slice(-500)}`);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
    return { code, signal, at: performance.now() };
  });
  child.stdin.on("error", () => {});
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr = (stderr + text).slice(-10_000);
  });
  child.stdout.setEncoding("utf8").on("data", (text) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop();
    for (const part of parts) receive(JSON.parse(part));
  });

  function receive(message) {
    if (message.method === "notifications/progress") return onProgress(message.params);
    const waiter = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error) waiter?.reject(new Error(`${file} answered: ${message.error.message}`));
    else waiter?.resolve(message.result);
  }

  /** Sends all at once, in one write; one promise each. */
  function requests(method, list) {
    const sent = list.map((params) => {
      id += 1;
      const line = `${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`;
      const result = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
      // Whoever awaits it learns of a failure; one that nobody awaits any more is no reason to stop.
      result.catch(() => {});
      return { line, result };
    });
    child.stdin.write(sent.map(({ line }) => line).join(""));
    return sent.map(({ result }) => result);
  }

  const call = (name, args) => requests("tools/call", [{ name, arguments: args }])[0];
  return {
    pid: child.pid,
    exited,
    initialize: async () => {
      const result = await within(ANSWER_MS, requests("initialize", [INITIALIZE])[0], `${file} did not start`);
      child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
      return result;
    },
    call,
    /** Sends calls of one tool at once; `token` gives each a progress token, its place in the list. */
    calls: (name, list, { token = false } = {}) =>
      requests(
        "tools/call",
        list.map((args, at) => ({ name, arguments: args, ...(token && { _meta: { progressToken: at } }) })),
      ),
    onProgress: (listener) => {
      onProgress = listener;
    },
    /** The next approval link on stderr. */
    link: links.next,
    /** Ends stdin and waits for the process; resolves with how long that took, ms. */
    stop: async () => {
      const from = performance.now();
      child.stdin.end();
      const { code, signal, at } = await within(ANSWER_MS, exited, `${file} did not end`);
      if (code !== 0) throw new Error(`${file} ended with ${signal ?? code}: ${stderr.slice(-500)}`);
      return at - from;
    },
    kill: () => child.kill("SIGKILL"),
  };
}

/** The approval links that a server prints for people, in their order. */
export function linksIn(stderr) {
  const found = [];
  const asked = [];
  let rest = "";
  stderr.setEncoding("utf8").on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const link = /http:\/\/localhost:\d+\/approve\/[\w-]+/.exec(line)?.[0];
      if (link === undefined) continue;
      const next = asked.shift();
      if (next) next(link);
      else found.push(link);
    }
  });
  const next = () =>
    found.length > 0 ? Promise.resolve(found.shift()) : new Promise((resolve) => asked.push(resolve));
  return { next: () => within(ANSWER_MS, next(), "no link was printed") };
}

/** A benchmark that hangs has failed. */
export async function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    // What it watches over keeps the process alive; the watch does not.
    timer = setTimeout(() => reject(new Error(`${what} within ${ms / 1000} s`)), ms).unref();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
