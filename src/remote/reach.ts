import { connect, type Socket } from "node:net";
import { VaultError } from "../core/errors.ts";
import { clip, visible } from "../core/text.ts";
import { firstLine } from "./first-line.ts";
import { type Hello, helloLine, parseWelcome } from "./words.ts";

/** How long a broker may take to let somebody in. */
const WELCOME_MS = 10_000;

/** A session with the broker behind a socket. Rejects with `broker_unavailable` and what a person can do about it. */
export async function reach(path: string, hello: Hello): Promise<Socket> {
  const socket = await open(path);
  // Whatever breaks it later, its end is told by "close".
  socket.on("error", () => {});
  socket.write(helloLine(hello));
  const line = await firstLine(socket, WELCOME_MS);
  const welcome = line === undefined ? undefined : parseWelcome(line);
  if (welcome?.is === "welcome") return socket;
  socket.destroy();
  if (welcome) throw unavailable(`the broker at ${visible(path)} refuses: ${clip(visible(welcome.why), 200)}`, LATER);
  throw unavailable(`what listens at ${visible(path)} does not answer as a broker`, START);
}

const START = "start it as its own user: systemctl start agent-vault (see docs/other-user.md)";
const LATER = "close clients that are not needed, or try again in a while";

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const failed = (error: Error): void => reject(explained(path, error));
    socket.once("error", failed).once("connect", () => {
      socket.off("error", failed);
      resolve(socket);
    });
  });
}

function explained(path: string, error: Error): VaultError {
  const code = "code" in error ? String(error.code) : "";
  const place = visible(path);
  if (code === "ENOENT") return unavailable(`there is no broker at ${place}`, START);
  if (code === "ECONNREFUSED") return unavailable(`the broker at ${place} is not running`, START);
  if (code === "EACCES" || code === "EPERM") {
    const hint = "be in the group of the socket, and log in anew after you were put into it (see docs/other-user.md)";
    return unavailable(`you may not use the broker at ${place}`, hint);
  }
  return unavailable(`the broker at ${place} cannot be reached (${code || "unknown reason"})`, START);
}

function unavailable(message: string, hint: string): VaultError {
  return new VaultError("broker_unavailable", message, { hint });
}
