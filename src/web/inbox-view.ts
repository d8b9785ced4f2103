import { createHash } from "node:crypto";
import type { Event } from "../core/event.ts";
import type { Overview, WaitingLine, WindowLine } from "../core/overview.ts";

/** One look at the inbox. */
export interface InboxView {
  readonly overview: Overview;
  /** Newest first; undefined where the log cannot be read just now. */
  readonly events: readonly Event[] | undefined;
  /** Name of the approver whose phone it is. */
  readonly name: string;
  /** Goes into each form and comes back with each tap. */
  readonly seal: string;
  readonly now: number;
}

/** Requests that one answer is for: the one whose card is before people, and how many sessions ask the same. */
export interface WaitingGroup {
  readonly line: WaitingLine;
  readonly sessions: number;
}

/** What waits, as people see it: identical requests as one, and by client how many wait behind those. */
export function inOrder(waiting: readonly WaitingLine[]): {
  readonly groups: readonly WaitingGroup[];
  readonly behind: ReadonlyMap<string, number>;
} {
  const same = new Map<string, WaitingLine[]>();
  for (const line of waiting) {
    const key = line.twin === undefined ? `request ${line.request}` : `twin ${line.twin}`;
    same.set(key, [...(same.get(key) ?? []), line]);
  }
  const groups: WaitingGroup[] = [];
  const behind = new Map<string, number>();
  for (const lines of same.values()) {
    const line = lines.find(({ isBehind }) => !isBehind);
    if (line) groups.push({ line, sessions: lines.length });
    else for (const { client } of lines.slice(0, 1)) behind.set(client, (behind.get(client) ?? 0) + 1);
  }
  return { groups, behind };
}

/** Differs when what waits or is open differs: less often than the version, and the same whoever hosts the page. */
export function stampOf({ waiting, windows }: Overview): string {
  const lines = [
    waiting.map(({ request, isBehind, expiresAt }) => [request, isBehind, expiresAt]),
    windows.map(({ approval, until, isOnce }: WindowLine) => [approval, until, isOnce]),
  ];
  return createHash("sha256").update(JSON.stringify(lines)).digest("base64url").slice(0, 22);
}
