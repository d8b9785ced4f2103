// Put into the program in the place of @ngrok/ngrok by a planted import: it has the account of one-domain.ts behind it.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { NgrokListener, NgrokSdk } from "../../src/tunnels/ngrok-sdk.ts";
import { DOMAIN } from "./one-domain.ts";

class SessionBuilder {
  #port = 0;

  authtoken(token: string): void {
    this.#port = Number(token.split("-")[1]);
  }

  handleDisconnection(): void {}
  handleHeartbeat(): void {}
  handleStopCommand(): void {}

  async connect() {
    const socket = connect(this.#port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    const lines = createInterface({ input: socket });
    const listenAndForward = async (): Promise<NgrokListener> => {
      socket.write("claim\n");
      const [said] = (await once(lines, "line")) as [string];
      if (said !== "given") throw new Error("the endpoint is already online. ERR_NGROK_334");
      return listenerOn(socket);
    };
    return { httpEndpoint: () => ({ domain: () => undefined, listenAndForward }), close: () => Promise.resolve() };
  }
}

function listenerOn(socket: Socket): NgrokListener {
  return {
    url: () => `https://${DOMAIN}`,
    join: () => new Promise(() => {}),
    close: () => {
      socket.write("release\n");
      return Promise.resolve();
    },
  };
}

const sdk: NgrokSdk = { SessionBuilder };
// eslint-disable-next-line import/no-default-export -- the package it stands for has one
export { sdk as default };
