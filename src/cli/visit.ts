import type { LoadResult } from "../config/config.ts";
import type { WindowLine } from "../core/overview.ts";
import { glimpse, visible } from "../core/text.ts";
import type { Context, Visit } from "./command.ts";

const MOST_NAMES = 3;

/** Looks at the desk of this user's sessions, whatever state the configuration is in; undefined when there is none. */
export async function visiting<T>(context: Context, look: (visit: Visit) => Promise<T>): Promise<T | undefined> {
  const loaded = await context.load();
  const visit = await context.services.visit(folderOf(loaded));
  if (!visit) return undefined;
  try {
    return await look(visit);
  } finally {
    visit.close();
  }
}

/** Said where there is no desk to look at. */
export const NOBODY =
  "no agent-vault of this user runs, or none has needed a person yet: nothing waits, nothing is open";

/** What a permission is for, in one line: "STRIPE_KEY, PIN of prod". */
export function subjectOf({ vault, names, scope }: Pick<WindowLine, "vault" | "names"> & { scope?: string }): string {
  const whose = glimpse(vault, 40);
  if (scope === "vault") return `ALL of ${whose}`;
  const more = names.length - MOST_NAMES;
  const shown = names.slice(0, MOST_NAMES).map((name) => glimpse(name, 40));
  return `${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""} of ${whose}`;
}

/** Who it is for: the client by its own name, and where it works. */
export function clientOf({ client, folder }: Pick<WindowLine, "client" | "folder">): string {
  const name = client.trim() === "" ? "a client without a name" : glimpse(client, 40);
  return folder === "" ? name : `${name} in ${visible(folder)}`;
}

function folderOf(loaded: LoadResult): string {
  return (loaded.ok ? loaded.config : loaded).surroundings.stateDir;
}
