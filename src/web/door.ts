import { type Clock, pause } from "../core/clock.ts";
import { VaultError, asVaultError } from "../core/errors.ts";
import type { Door, OpenTunnel, Tunnel } from "../core/ports.ts";
import type { Web } from "./server.ts";

export interface DoorOptions {
  /** Starts the page; called at the first need, and again after a failure. */
  readonly startWeb: () => Promise<Web>;
  readonly tunnel?: Tunnel;
  /** Told of each tunnel that could not be opened or ended by itself. */
  readonly onTunnelFailed: (error: VaultError) => void;
  readonly clock: Clock;
  /** Whether anybody may still want the page: a request waits, or something is open that could be revoked. */
  readonly isNeeded?: () => boolean;
  /** Whether the page takes the place of another, whose tunnel may hold the same address for a moment longer. */
  readonly isHeir?: boolean;
  /** Called when the links are no longer what they were, or have become final. */
  readonly moved?: () => void;
}

/** A door that its owner can shut for good. */
export interface OwnDoor extends Door {
  /** Opens the page without the tunnel. Throws `page_unavailable`. */
  readonly listen: () => Promise<void>;
  /** Whether `settled` has nothing to wait for. */
  readonly isSettled: () => boolean;
  /** Ends the page and the tunnel, within about a second even if the tunnel's own close hangs. Never rejects. */
  readonly close: () => Promise<void>;
}

const FIRST_RETRY_MS = 15_000;
const LAST_RETRY_MS = 10 * 60_000;
/** Between the first tries of an heir: whoever went without a word is missed by the tunnel after some seconds. */
const HEIR_RESTS_MS = [250, 500, 1_000, 2_000] as const;
const CLOSE_MS = 800;
const REST_AFTER_MS = 5 * 60_000;
const NEED_CHECK_MS = 60_000;

/** The page and the tunnel in front of the desk. Nothing listens and nothing connects before the first `open`. */
export function createDoor(options: DoorOptions): OwnDoor {
  const { startWeb, tunnel, onTunnelFailed, clock, isNeeded = () => true, isHeir = false, moved = () => {} } = options;
  const closing = new AbortController();
  let web: Promise<Web> | undefined;
  let opened: Web | undefined;
  let attempt: Promise<void> = Promise.resolve();
  let line: { is: "down" } | { is: "opening" } | { is: "up"; tunnel: OpenTunnel; origin: string } = { is: "down" };
  let trouble: VaultError | undefined;
  let neededAt = Number.NEGATIVE_INFINITY;
  let resting: Promise<void> = Promise.resolve();
  let retry = { at: Number.NEGATIVE_INFINITY, afterMs: FIRST_RETRY_MS };

  const failed = (error: VaultError): void => {
    if (closing.signal.aborted) return;
    line = { is: "down" };
    trouble = error;
    retry = { at: clock.mono() + retry.afterMs, afterMs: Math.min(retry.afterMs * 2, LAST_RETRY_MS) };
    opened?.setPublicOrigin(undefined);
    onTunnelFailed(error);
    moved();
    if (isHeir) clock.after(retry.at - clock.mono(), again);
  };

  /** Nobody asks anew for what was being waited for when the page moved here, so it is tried again by itself. */
  const again = (): void => {
    if (tunnel === undefined || opened === undefined || line.is !== "down" || closing.signal.aborted) return;
    if (clock.mono() >= retry.at && isNeeded()) attempt = connect(tunnel, opened);
  };

  /** A tunnel nobody needs is given up: clients leave servers running, and a free account has room for one. */
  const restLater = (page: Web, mine: OpenTunnel): void => {
    clock.after(NEED_CHECK_MS, () => {
      if (line.is !== "up" || line.tunnel !== mine || closing.signal.aborted) return;
      if (isNeeded()) neededAt = clock.mono();
      if (clock.mono() - neededAt < REST_AFTER_MS) return restLater(page, mine);
      line = { is: "down" };
      page.setPublicOrigin(undefined);
      moved();
      resting = mine.close().catch(() => undefined); // What it still holds goes with the process.
    });
  };

  const connect = async (to: Tunnel, page: Web): Promise<void> => {
    line = { is: "opening" };
    moved();
    // A tunnel that is lost while it opens, or twice, or after its successor came up, must not pull down what stands now.
    let mine: OpenTunnel | undefined;
    let lost: VaultError | undefined;
    const onLost = (why: VaultError): void => {
      lost ??= why;
      if (line.is !== "up" || line.tunnel !== mine) return;
      failed(why);
      void mine.close().catch(() => undefined); // It is gone already; only what it still holds is given back.
    };
    try {
      // The one before may still be closing, and an account may have room for one.
      await resting;
      mine = await openTunnel(to, page, onLost);
      if (lost !== undefined) throw lost;
      page.setPublicOrigin(mine.origin);
      line = { is: "up", tunnel: mine, origin: new URL(mine.origin).origin };
      trouble = undefined;
      retry = { at: Number.NEGATIVE_INFINITY, afterMs: FIRST_RETRY_MS };
      restLater(page, mine);
      moved();
    } catch (error) {
      failed(asVaultError(error));
    }
    // Closed while it opened, or its address was of no use: nobody else will close it.
    if (mine !== undefined && (closing.signal.aborted || line.is !== "up")) await mine.close().catch(() => undefined);
  };

  const openTunnel = async (to: Tunnel, page: Web, onLost: (why: VaultError) => void): Promise<OpenTunnel> => {
    for (const restMs of isHeir ? HEIR_RESTS_MS : []) {
      try {
        return await to.open(page.port, onLost, closing.signal);
      } catch {
        // The last try says why.
        await pause(clock, restMs, closing.signal);
      }
    }
    return to.open(page.port, onLost, closing.signal);
  };

  const start = async (): Promise<Web> => {
    if (closing.signal.aborted) throw closed();
    web ??= startWeb();
    try {
      opened = await web;
    } catch (error) {
      web = undefined;
      throw pageError(error);
    }
    if (closing.signal.aborted) throw closed();
    return opened;
  };

  return {
    open: async () => {
      neededAt = clock.mono();
      const page = await start();
      if (tunnel === undefined || line.is !== "down" || clock.mono() < retry.at) return;
      attempt = connect(tunnel, page);
    },
    listen: async () => {
      await start();
    },
    settled: () => attempt,
    isSettled: () => line.is !== "opening",
    link: (token) => {
      if (opened === undefined || closing.signal.aborted) throw closed();
      const local = opened.link(token);
      if (line.is === "up") return { local, public: `${line.origin}/approve/${token}` };
      return trouble === undefined ? { local } : { local, trouble: sentence(trouble) };
    },
    close: async () => {
      closing.abort();
      const last = line;
      line = { is: "down" };
      const ends = [
        web?.then((page) => page.close()) ?? Promise.resolve(),
        last.is === "up" ? last.tunnel.close() : attempt,
        resting,
      ];
      let cancel = (): void => undefined;
      const enough = new Promise<void>((resolve) => {
        cancel = clock.after(CLOSE_MS, resolve);
      });
      await Promise.race([Promise.allSettled(ends), enough]);
      cancel();
    },
  };
}

function closed(): VaultError {
  return new VaultError("page_unavailable", "the approval page is closed because the session is ending", {
    hint: "start the client again",
  });
}

function pageError(error: unknown): VaultError {
  if (error instanceof VaultError && error.code === "page_unavailable") return error;
  return new VaultError("page_unavailable", "the approval page could not be started", {
    hint: 'set "port" in the configuration to a free port, then call again',
    cause: error,
  });
}

/** One sentence with the remedy, for people. */
function sentence({ message, hint }: VaultError): string {
  return hint === undefined ? message : `${message}; ${hint}`;
}
