import { type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import type { Agent } from "./agent.ts";

/** A request before a person: where they can answer it, and what comes of it. */
export interface Asked {
  readonly link: string;
  readonly result: Promise<CallToolResult>;
}

/** Asks for a secret and waits for the link, which the client shows its person. */
export async function ask(agent: Pick<Agent, "get">, name: string, reason?: string): Promise<Asked> {
  let result!: Promise<CallToolResult>;
  const link = await new Promise<string>((resolve, reject) => {
    result = agent.get(name, {
      timeout: 600_000,
      ...(reason !== undefined && { reason }),
      onprogress: ({ message = "" }) => {
        const found = /https?:\/\/\S+\/approve\/[\w-]+/.exec(message)?.[0];
        if (found !== undefined) resolve(found);
      },
    });
    result.then((early) => reject(new Error(JSON.stringify(early))), reject);
  });
  result.catch(() => {}); // Who does not wait for it does not want to hear of it.
  return { link, result };
}

/** A broker that is to serve at a socket. */
export interface Served {
  readonly child: ChildProcess;
  readonly socket: string;
  readonly stderr: () => string;
  readonly exited: Promise<{ readonly code: number | null; readonly ms: number }>;
  /** Asks it to end. */
  readonly stop: () => Promise<{ readonly code: number | null; readonly ms: number }>;
}

/** A child that is to serve, whoever it was started as. `ready` rejects with what it said when it does not. */
export function serving(child: ChildProcess, socket: string): Served & { readonly ready: Promise<void> } {
  let said = "";
  let asked = performance.now();
  const exited = once(child, "close").then(([code]) => ({
    code: code as number | null,
    ms: performance.now() - asked,
  }));
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
      if (said.includes("serving at ")) resolve();
    });
    void exited.then(() => reject(new Error(said)));
  });
  const stop: Served["stop"] = () => {
    asked = performance.now();
    child.kill("SIGTERM");
    return exited;
  };
  return { child, socket, stderr: () => said, exited, stop, ready };
}
