import type { Front, OwnFront } from "../core/card.ts";
import type { Clock } from "../core/clock.ts";
import type { Door } from "../core/ports.ts";
import type { Page } from "./shapes.ts";

/** A page and a tunnel of one's own, as the host runs them. */
export interface HostedDoor extends Door {
  /** Opens the page without the tunnel. Throws `page_unavailable`. */
  readonly listen: () => Promise<void>;
  /** Whether the tunnel is up or has failed: `settled` has nothing to wait for. */
  readonly isSettled: () => boolean;
  readonly close: () => Promise<void>;
}

/** What a page is started with. */
export interface Hosting {
  /** Where the page of the host before was: links to it go on working. Absent: wherever the configuration says. */
  readonly port?: number;
  /** Seals the forms, base64url: those of the host before stay good. */
  readonly formKey: string;
  /** Whether anybody may still want the page, in any session. */
  readonly isNeeded: () => boolean;
  /** To be called when the links are no longer what they were. */
  readonly moved: () => void;
}

export interface SeatOptions {
  /** The state folder. */
  readonly folder: string;
  readonly clock: Clock;
  /** The desk of this process alone. */
  readonly own: OwnFront;
  readonly startDoor: (front: Front, hosting: Hosting) => HostedDoor;
  /** Told of what should not happen. */
  readonly onFault: (error: unknown) => void;
  /** Told where the page is, at each change. */
  readonly onPage: (page: Page) => void;
}

/** What this process has of the shared page: it hosts it, or is a guest of whoever does, or has one for itself. */
export interface Seat {
  readonly is: "host" | "guest" | "alone";
  /** Makes sure that there is a page, and that it shows what waits here. */
  readonly open: () => Promise<void>;
  /** Has the page at least answer on this machine again, for those who look at it. */
  readonly resume: () => Promise<void>;
  readonly settled: () => Promise<void>;
  readonly isShared: (token: string) => boolean;
  /** Resolves when the seat is gone without having been closed. */
  readonly lost: Promise<void>;
  readonly isLost: () => boolean;
  /** What whoever hosts after this begins with. */
  readonly heritage: () => Heritage;
  readonly close: () => Promise<void>;
}

/** What outlives a host. */
export interface Heritage {
  readonly formKey: string;
  readonly port?: number;
}
