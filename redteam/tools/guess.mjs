// Guesses links: PORT COUNT. First what lazy generators make (counters, zeros), then random ones, on 16 kept connections.
import { randomBytes } from "node:crypto";
import { Agent, request } from "node:http";

const [port, count] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
let next = 0;
let found = "";

await Promise.all(Array.from({ length: 16 }, guessOn));
agent.destroy();
process.stdout.write(`${next} tried${found === "" ? "" : `, found ${found}`}\n`);

async function guessOn() {
  while (next < count && found === "") {
    const at = next++;
    const token = at < 2_000 ? String(at).padStart(22, "0") : randomBytes(16).toString("base64url");
    if ((await ask(`/approve/${token}`)) === 200) found = token;
  }
}

function ask(path) {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, path, agent, headers: { Host: `localhost:${port}` } });
    outgoing.on("response", (answer) =>
      answer
        .resume()
        .on("end", () => resolve(answer.statusCode))
        .on("error", reject),
    );
    outgoing.on("error", reject).end();
  });
}
