// Starts a copy of the program, asks it for the key, and answers the link it says: PROGRAM FOLDER.
import { spawn } from "node:child_process";

const [program, folder] = process.argv.slice(2);
const child = spawn(process.execPath, [program], { cwd: folder, stdio: ["pipe", "pipe", "pipe"] });
const say = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
child.on("exit", () => process.exit());
child.stdout.on("data", (part) => {
  process.stdout.write(part);
  if (/"id":2\b/.test(part)) child.stdin.end();
});
let said = "";
let answered = false;
child.stderr.on("data", (part) => {
  said += part;
  process.stderr.write(part);
  const link = /https?:\/\/\S+\/approve\/[\w-]+/.exec(said)?.[0];
  if (link === undefined || answered) return;
  answered = true;
  void answer(link);
});

async function answer(link) {
  const seal = /name="seal" value="([^"]+)"/.exec(await (await fetch(link)).text())?.[1] ?? "";
  const headers = { origin: new URL(link).origin, "sec-fetch-site": "same-origin" };
  const body = new URLSearchParams({ seal, verdict: "approve", choice: "once" });
  const { status } = await fetch(link, { method: "POST", redirect: "manual", headers, body });
  process.stderr.write(`answered ${status}\n`);
  if (status !== 303) child.stdin.end();
}

const clientInfo = { name: "copy", version: "1" };
say({ id: 1, method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo } });
say({ method: "notifications/initialized" });
const args = { vault: "dev", name: "API_KEY", reason: "a copy asks" };
say({ id: 2, method: "tools/call", params: { name: "get_secret", arguments: args } });
