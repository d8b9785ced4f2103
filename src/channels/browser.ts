import * as z from "zod";
import { pause } from "../core/clock.ts";
import type { Channel, Notice } from "../core/ports.ts";
import { defineChannel, type ChannelContext } from "./define.ts";
import { startBrowser } from "./start-browser.ts";

const ONE_PER_MS = 10_000;

/** The page of a request, in a new tab on this computer. */
export const browser = defineChannel({
  type: "browser",
  title: "browser",
  summary: "Opens the approval page in the browser of this computer, at most one page every 10 seconds",
  options: z.strictObject({}),
  open: (_, context) => browserChannel(context),
});

/** Opens one page every ten seconds; those that come faster wait their turn, and are dropped when they no longer wait. */
export function browserChannel(context: ChannelContext & { readonly platform?: NodeJS.Platform }): Channel {
  const { clock, environment, platform = process.platform } = context;
  let queue = Promise.resolve();
  let openedAt = Number.NEGATIVE_INFINITY;
  const over = (notice: Notice, signal: AbortSignal): boolean => signal.aborted || clock.now() >= notice.expiresAt;

  /** False when nobody waits for this page any more. Never rejects: the next in the queue depends on it. */
  async function turn(notice: Notice, signal: AbortSignal): Promise<boolean> {
    if (!over(notice, signal)) await pause(clock, openedAt + ONE_PER_MS - clock.mono(), signal);
    if (over(notice, signal)) return false;
    openedAt = clock.mono();
    return true;
  }

  return {
    name: "browser",
    local: true,
    async ring(notice, signal) {
      const mine = queue.then(() => turn(notice, signal));
      queue = mine.then(() => undefined);
      if (await mine) await startBrowser(notice.link.local, { clock, environment, platform });
    },
  };
}
