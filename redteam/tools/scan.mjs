// Which addresses a port listens on, as /proc tells everybody, and whether it answers on this computer's other addresses.
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";

const port = Number(process.argv[2]);
const wanted = port.toString(16).toUpperCase().padStart(4, "0");

const listening = ["tcp", "tcp6"].flatMap((table) => {
  const lines = readFileSync(`/proc/net/${table}`, "utf8").split("\n").slice(1);
  return lines.flatMap((line) => {
    const [, local = "", , state] = line.trim().split(/\s+/);
    const [address, at] = local.split(":");
    return state === "0A" && at === wanted ? [readable(address)] : [];
  });
});
const others = Object.values(networkInterfaces())
  .flat()
  .filter(({ internal, scopeid }) => !internal && !scopeid)
  .map(({ address }) => address);
const answered = [];
for (const address of [...others, "127.0.0.2"]) if (await answers(address)) answered.push(address);
process.stdout.write(JSON.stringify({ listening, answered }));

function answers(host) {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const end = (found) => (socket.destroy(), resolve(found));
    socket
      .on("connect", () => end(true))
      .on("error", () => end(false))
      .on("timeout", () => end(false));
  });
}

/** Addresses stand there as words in the byte order of the computer. */
function readable(hex) {
  const bytes = hex.match(/.{8}/g).flatMap((word) =>
    word
      .match(/../g)
      .toReversed()
      .map((two) => parseInt(two, 16)),
  );
  if (bytes.length === 4) return bytes.join(".");
  return bytes.every((byte, at) => byte === (at === 15 ? 1 : 0))
    ? "::1"
    : bytes.every((byte) => byte === 0)
      ? "::"
      : hex;
}
