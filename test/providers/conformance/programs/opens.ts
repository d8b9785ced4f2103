import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import dgram from "node:dgram";
import net from "node:net";
import type { ProviderDefinition } from "../../../../src/providers/define.ts";
import { contextHere } from "./context.ts";

/** What a process has loaded and reached for so far. */
export interface Cost {
  /** Packages, each once. */
  readonly packages: readonly string[];
  /** Connections and datagram sockets, by any library. */
  readonly sockets: number;
}

/**
 * Imports a definition, then opens it, and prints the cost after each. The file named by LOADED gets a line for each
 * module that is resolved (`programs/spy.mjs`).
 */
export async function opens(load: () => Promise<ProviderDefinition>): Promise<void> {
  const sockets = countSockets();
  const cost = (): Cost => ({ packages: packages(), sockets: sockets() });
  const definition = await load();
  const imported = cost();
  const options: unknown = JSON.parse(process.env["OPTIONS"] ?? "{}");
  const provider = await definition.open(definition.options.parse(options), contextHere());
  // What open has begun and not waited for counts as well.
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.stdout.write(JSON.stringify({ imported, opened: cost() }));
  await provider.close?.();
}

function packages(): string[] {
  const lines = readFileSync(process.env["LOADED"] ?? "", "utf8").split("\n");
  const paths = [...lines, ...Object.keys(createRequire(import.meta.url).cache)];
  const names = paths.map((path) => /.*\/node_modules\/(@[^/]+\/[^/]+|[^@./][^/]*)/.exec(path)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].toSorted();
}

function countSockets(): () => number {
  let count = 0;
  const connect = Reflect.get(net.Socket.prototype, "connect") as (...args: unknown[]) => unknown;
  net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]): net.Socket {
    count++;
    Reflect.apply(connect, this, args);
    return this;
  };
  const createSocket = dgram.createSocket.bind(dgram) as (...args: unknown[]) => dgram.Socket;
  dgram.createSocket = (...args: unknown[]): dgram.Socket => {
    count++;
    return createSocket(...args);
  };
  return () => count;
}
