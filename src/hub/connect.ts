import { createConnection, type Socket } from "node:net";
import { codeOf } from "../state/faults.ts";
import { hasAddress, type Place } from "./place.ts";

/** Nobody listens there: no host yet, or one that has just gone. */
const NOBODY = ["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"];

/** Connects to the host; undefined when nobody listens. Throws `page_unavailable` where what is there is not ours. */
export async function connectTo(place: Place): Promise<Socket | undefined> {
  if (!hasAddress(place)) return undefined;
  const socket = createConnection({ path: place.socket });
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.destroy();
      if (NOBODY.includes(codeOf(error))) resolve(undefined);
      else reject(error);
    });
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}
