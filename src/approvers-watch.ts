import { oddities } from "./approvers/changes.ts";
import type { Enrolled } from "./approvers/record.ts";
import { tellOfApprovers } from "./approvers/told.ts";
import type { Config } from "./config/config.ts";
import { VaultError } from "./core/errors.ts";
import type { Channel, Notes } from "./core/ports.ts";
import type { Approver } from "./core/proof.ts";
import { quoted } from "./core/text.ts";

interface Watching {
  readonly config: Pick<Config, "database">;
  /** The notes that keep what people were told last. */
  readonly notes: Notes;
  readonly channels: readonly Channel[];
  /** One line for people, on stderr. */
  readonly say: (line: string) => void;
  readonly onFault: (error: unknown) => void;
}

/** How many changes of the approvers the log is asked for; nobody has more phones than this. */
const MOST_CHANGES = 10_000;

/**
 * What a store of approvers tells of: at its first look what the log says of them otherwise, on stderr, and whenever
 * others are enrolled than people know of, that, on stderr and through the channels.
 */
export function watchApprovers(watching: Watching): {
  readonly first: (now: readonly Enrolled[]) => void;
  readonly changed: (now: readonly Approver[]) => void;
} {
  const { notes, channels, say, onFault } = watching;
  const failed = (channel: string, why: string): void =>
    say(`channel ${channel} could not tell that who may approve has changed: ${why}`);
  const tell = (now: readonly Approver[]): void =>
    void tellOfApprovers(now, { notes, channels, failed }).catch(onFault);
  return {
    first: (now) => {
      tell(now);
      oddTexts(now, watching).then((texts) => texts.forEach((text) => say(`look: ${text}`)), onFault);
    },
    changed: (now) => {
      say(`who may approve has changed: ${whoApproves(now)}`);
      tell(now);
    },
  };
}

/** None where there is nothing to compare with: no log yet, or one that cannot be read, which itself stops all approvals. */
async function oddTexts(now: readonly Enrolled[], { config }: Watching): Promise<readonly string[]> {
  const { readEvents } = await import("./audit/read.ts");
  try {
    const kinds = ["approver_added", "approver_removed"] as const;
    const read = kinds.flatMap((kind) => readEvents({ file: config.database, filters: { kind, limit: MOST_CHANGES } }));
    const newestFirst = read.toSorted((a, b) => b.seq - a.seq);
    return oddities(now, newestFirst).map(({ text }) => text);
  } catch (error) {
    if (error instanceof VaultError) return [];
    throw error;
  }
}

function whoApproves(approvers: readonly Approver[]): string {
  if (approvers.length === 0) return "nobody is enrolled any more, so the link alone approves";
  return `now ${approvers.map(({ name }) => quoted(name)).join(", ")}`;
}
