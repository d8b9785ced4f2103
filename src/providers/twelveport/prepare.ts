import { setMaxListeners } from "node:events";
import { type Code, VaultError } from "../../core/errors.ts";
import type { Each, PrepareContext } from "../../core/ports.ts";
import type { Handle } from "../../core/request.ts";
import { clip, quoted } from "../../core/text.ts";
import type { Access } from "./access.ts";
import { assetsOf, placeOf } from "./handles.ts";
import { type Wait, waitText } from "./waits.ts";
import type { Watches } from "./watches.ts";
import type { Workflow } from "./workflow.ts";

/** What making ready needs to know. */
export interface Preparing {
  readonly workflow: Workflow;
  readonly access: Access;
  readonly watches: Watches;
  readonly label: (asset: string) => string;
}

const MOST_MESSAGE = 500;
/** What is said of one asset, and of no other. */
const OF_ONE_ASSET: readonly Code[] = ["upstream_denied", "upstream_blocked"];

/**
 * Makes the assets behind these handles ready to be read, all at the same time. What is decided against one of them
 * leaves the others as they are; whatever keeps 12Port itself from being asked rejects.
 */
export async function makeReady(
  handles: readonly Handle[],
  asked: PrepareContext,
  { workflow, access, watches, label }: Preparing,
): Promise<Each<"ready">> {
  const pending = assetsOf(handles).filter((id) => workflow.isPending(id));
  if (pending.length === 0) return handles.map(() => "ready");
  for (const id of pending) access.join(id);
  const leaving = new AbortController();
  const signal = AbortSignal.any([asked.signal, leaving.signal]);
  // One listener for each asset is what it is for; Node would print a warning at the eleventh.
  setMaxListeners(0, signal);
  const message = messageOf(asked);
  const waits = new Map<string, Wait>();
  const refused = new Map<string, VaultError>();
  const say = (): void => {
    if (waits.size > 0) asked.waiting(waitText([...waits.values()]));
  };
  const follow = async (id: string): Promise<void> => {
    const tell = (wait: Wait): void => {
      waits.set(id, wait);
      say();
    };
    try {
      await watches.follow(id, { signal, tell }, workflow.prepare({ id, label: label(id), message }));
    } catch (error) {
      if (!(error instanceof VaultError) || !OF_ONE_ASSET.includes(error.code)) throw error;
      refused.set(id, error);
    }
    if (waits.delete(id)) say();
  };
  try {
    await Promise.all(pending.map(follow));
  } finally {
    // Where 12Port itself is in trouble, nobody waits for the other assets any more.
    leaving.abort();
  }
  return handles.map(({ ref }) => refused.get(placeOf(ref).id) ?? "ready");
}

/** What the vault's people read: who says what, and that it is only said. */
function messageOf({ reason, requester }: PrepareContext): string {
  return clip(
    `An AI agent asks through agent-vault (its client says it is ${quoted(requester.claims.client)}): ${reason}`,
    MOST_MESSAGE,
  );
}
