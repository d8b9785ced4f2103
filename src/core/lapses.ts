import type { Clock } from "./clock.ts";
import type { Desk } from "./desk.ts";
import type { GrantsOptions, Lapse } from "./grants.ts";
import type { Journal } from "./ports.ts";
import { aboutRequest } from "./records.ts";

const DETAILS: Partial<Record<Lapse, string>> = { clock: "the clock stepped back", session: "its session ended" };

/** What happens when a permission ends by itself: the log has a line, and a window's page says so. */
export function lapseRecorder(house: { clock: Clock; journal: Journal; desk: Desk }): GrantsOptions["lapsed"] {
  return (approval, request, what, why) => {
    const kind = why === "clock" ? "revoked" : "window_ended";
    const detail = DETAILS[why] ?? (what === "once" ? "nobody came for it" : undefined);
    const about = { ...aboutRequest(request), approval, at: house.clock.now() };
    house.journal.note({ ...about, kind, ...(detail !== undefined && { detail }) });
    if (what === "window" || why !== "time") house.desk.opened.over(approval);
  };
}
