import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { createInterface } from "node:readline";

export const DOMAIN = "one-domain.example";

/** A tunnel account with one domain, for one process at a time: the fake SDK of one-domain-sdk.ts speaks to it. */
export interface Account {
  /** What the configuration has for a token. */
  readonly authToken: string;
  /** What came of each claim, in order. */
  readonly claims: ("given" | "refused")[];
  /** Resolves when the domain has been given so many times. */
  readonly given: (times: number) => Promise<void>;
  readonly close: () => void;
}

/** `lingerMs`: for how long a domain stays taken after its holder went without a word. */
export async function openAccount({ lingerMs }: { lingerMs: number }): Promise<Account> {
  const claims: ("given" | "refused")[] = [];
  const waiting: { readonly times: number; readonly resolve: () => void }[] = [];
  const sockets = new Set<Socket>();
  let holder: Socket | undefined;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      setTimeout(() => {
        if (holder === socket) holder = undefined;
      }, lingerMs).unref();
    });
    const lines = createInterface({ input: socket });
    lines.on("error", () => {});
    lines.on("line", (line) => {
      if (line === "release" && holder === socket) holder = undefined;
      if (line !== "claim") return;
      const isFree = holder === undefined || holder === socket;
      if (isFree) holder = socket;
      claims.push(isFree ? "given" : "refused");
      socket.write(isFree ? "given\n" : "refused\n");
      const times = claims.filter((each) => each === "given").length;
      for (const each of waiting) if (times >= each.times) each.resolve();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    authToken: `account-${(server.address() as AddressInfo).port}`,
    claims,
    given: (times) =>
      new Promise((resolve) => {
        if (claims.filter((each) => each === "given").length >= times) resolve();
        else waiting.push({ times, resolve });
      }),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
