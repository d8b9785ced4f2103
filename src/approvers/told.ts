import { createHash } from "node:crypto";
import { VaultError } from "../core/errors.ts";
import type { Channel, Notes } from "../core/ports.ts";
import type { Approver } from "../core/proof.ts";

interface Tell {
  /** The notes that keep what people were told last: one record, shared by all processes of this user. */
  readonly notes: Notes;
  readonly channels: readonly Channel[];
  /** Told of a channel that could not be used, in one line. */
  readonly failed: (channel: string, why: string) => void;
}

const KEY = "approvers";

/**
 * Tells people, through the channels that can, when others may approve than those they were told of last: whoever changed
 * it and however that was done. Of all the processes that notice one tells. Resolves when it is handed over; never rejects.
 */
export async function tellOfApprovers(now: readonly Approver[], { notes, channels, failed }: Tell): Promise<void> {
  const able = channels.flatMap(({ name, tell }) => (tell === undefined ? [] : [{ name, tell }]));
  try {
    if (able.length === 0 || !isNews(now, notes)) return;
  } catch (error) {
    // Better told twice than not at all.
    if (!(error instanceof VaultError)) throw error;
  }
  const text = sentenceOf(now.length);
  const { signal } = new AbortController();
  await Promise.all(
    able.map(async ({ name, tell }) => {
      try {
        await tell({ title: "Who may approve has changed", text }, signal);
      } catch (error) {
        failed(name, error instanceof VaultError ? error.message : "it failed");
      }
    }),
  );
}

/** Whether nobody was told yet, this process being the one that does it. */
function isNews(now: readonly Approver[], notes: Notes): boolean {
  const last = notes.get(KEY);
  const next = { v: 1, digest: digestOf(now) };
  if (JSON.stringify(last) === JSON.stringify(next)) return false;
  // Nobody was enrolled ever: nothing has changed.
  if (last === undefined) return now.length > 0 && notes.add(KEY, next);
  return notes.swap(KEY, last, next);
}

function digestOf(now: readonly Approver[]): string {
  const those = now.map(({ id, name, origin }) => JSON.stringify([id, name, origin])).toSorted();
  return createHash("sha256").update(JSON.stringify(those)).digest("base64url");
}

/** Without names: it passes through servers of others and lies on lock screens. */
function sentenceOf(count: number): string {
  const who =
    count === 0
      ? "No passkey is enrolled any more, so a link alone may approve."
      : `Now ${count === 1 ? "1 passkey" : `${count} passkeys`} may approve.`;
  return `${who} If this was not you, run agent-vault approvers on the computer where your agents run.`;
}
