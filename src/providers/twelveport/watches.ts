import { refuseAborted, untilAborted } from "../abort.ts";
import { WHO } from "./options.ts";
import type { Wait } from "./waits.ts";

/** Says what is waited for, whenever that changes. */
export type Tell = (wait: Wait) => void;

/** One who waits for an asset. */
export interface Follower {
  readonly signal: AbortSignal;
  readonly tell: Tell;
}

/** Makes an asset ready; ends early when the signal aborts. */
export type Watching = (tell: Tell, signal: AbortSignal) => Promise<void>;

interface Watch {
  readonly followers: Set<Follower>;
  readonly over: Promise<void>;
  readonly abort: AbortController;
  last: Wait | undefined;
}

/** One watch for each asset, however many requests wait for it. */
export class Watches {
  readonly #watches = new Map<string, Watch>();

  /** Takes part in the watch over an asset, or begins it. It ends when all who follow it have left. */
  async follow(asset: string, follower: Follower, begin: Watching): Promise<void> {
    refuseAborted(follower.signal, WHO);
    const watch = this.#watches.get(asset) ?? this.#begin(asset, begin);
    watch.followers.add(follower);
    if (watch.last !== undefined) follower.tell(watch.last);
    try {
      await untilAborted(watch.over, follower.signal, WHO);
    } finally {
      watch.followers.delete(follower);
      if (watch.followers.size === 0) this.#end(asset, watch);
    }
  }

  #begin(asset: string, begin: Watching): Watch {
    const abort = new AbortController();
    const followers = new Set<Follower>();
    const tell: Tell = (wait) => {
      const { last } = watch;
      if (last?.for === wait.for && last.request === wait.request && last.label === wait.label) return;
      watch.last = wait;
      for (const follower of followers) follower.tell(wait);
    };
    // A turn later, so that whoever began it is there to be told.
    const over = Promise.resolve().then(() => begin(tell, abort.signal));
    const watch: Watch = { followers, over, abort, last: undefined };
    this.#watches.set(asset, watch);
    // Its followers hear how it ended; this only takes it off the list.
    void over.catch(() => {}).then(() => this.#end(asset, watch));
    return watch;
  }

  #end(asset: string, watch: Watch): void {
    watch.abort.abort();
    if (this.#watches.get(asset) === watch) this.#watches.delete(asset);
  }
}
