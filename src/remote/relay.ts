import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";

/** The two ends of a client's connection. */
export interface Ends {
  readonly input: Readable;
  readonly output: Writable;
}

/** Passes every byte on, both ways, until one side ends. Resolves to which it was, with the other side ended too. */
export function relay({ input, output }: Ends, socket: Socket): Promise<"client" | "broker"> {
  return new Promise((resolve) => {
    let first: "client" | "broker" | undefined;
    const client = (): void => {
      first ??= "client";
      socket.end(() => socket.destroy());
    };
    output.on("error", client);
    input.once("end", client).once("close", client).once("error", client);
    socket.once("end", () => (first ??= "broker"));
    socket.once("close", () => {
      first ??= "broker";
      input.unpipe(socket);
      // What the broker said last goes out before anybody hears that it is gone.
      output.write("", () => resolve(first ?? "broker"));
      // A client that has gone takes nothing any more.
      if (first === "client") resolve(first);
    });
    // It may have ended while nobody listened.
    if (socket.closed) return resolve("broker");
    socket.pipe(output, { end: false });
    if (input.closed) client();
    else input.pipe(socket, { end: false });
  });
}
