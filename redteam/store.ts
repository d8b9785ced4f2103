import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { type Account, as } from "./accounts.ts";

/** A record of an approver in the notes of a state folder. */
export interface Stored {
  readonly file: string;
  readonly owner: Account | undefined;
  readonly tools: string;
  /** The program, beside which the driver of the database is found. */
  readonly program: string;
  readonly key: string;
  readonly record: unknown;
}

/** Writes it, or takes it out, under the account that the file belongs to. */
export function put({ file, owner, tools, program, key, record, isGone }: Stored & { readonly isGone?: true }): void {
  const verb = isGone ? ["delete", "approvers", key] : ["put", "approvers", key, JSON.stringify(record)];
  const [command, rest] = as(owner, [process.execPath, join(tools, "store.mjs"), file, program, ...verb]);
  execFileSync(command, rest, { stdio: ["ignore", "ignore", "inherit"] });
}
