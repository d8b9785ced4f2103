// Floods the socket of a broker (SOCKET COUNT), or asks through it with a false hello (SOCKET ask).
import { connect } from "node:net";

const [socket, what] = process.argv.slice(2);
const hello = `${JSON.stringify({ agentVault: 1, version: "0.0.0", folder: "/trusted-4711", process: "trusted-4711" })}\n`;

if (what === "ask") {
  const end = connect(socket, () => end.write(hello));
  const say = (message) => end.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  let isIn = false;
  end.on("data", (part) => {
    process.stdout.write(part);
    if (isIn) return;
    isIn = true;
    const clientInfo = { name: "liar", version: "1" };
    say({ id: 1, method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo } });
    say({ method: "notifications/initialized" });
    const args = { vault: "dev", name: "API_KEY", reason: "trust me" };
    say({ id: 2, method: "tools/call", params: { name: "get_secret", arguments: args } });
  });
} else {
  const junk = [
    "\0".repeat(20_000),
    `${"x".repeat(100_000)}\n`,
    '{"agentVault":2}\n',
    '{"agentVault":1,"version":{}}\n',
    "GET / HTTP/1.1\r\n\r\n",
    `${hello}not json\n`,
    `${hello}${"[".repeat(100_000)}\n`,
  ];
  for (let n = 0; n < Number(what); n += 1) {
    const end = connect(socket, () => end.write(junk[n % junk.length]));
    end.on("error", () => {}).resume();
  }
  setTimeout(() => process.exit(), 3_000);
}
