import { Changes } from "../core/changes.ts";
import { type Clock, Span } from "../core/clock.ts";
import { asVaultError, VaultError } from "../core/errors.ts";
import { newKey, tokenOf } from "../core/ids.ts";
import type { PairingView } from "../core/pairing.ts";

export type Stage = PairingView["stage"];

/** How a change of the approvers goes from stage to stage, until it is done or its time is up. */
export interface Course {
  /** The secret part of the link to its page: 128 random bits. */
  readonly token: string;
  /** What the token is made of: proves to the host of the page that it is this process's. */
  readonly key: string;
  /** Epoch ms. */
  readonly expiresAt: number;
  readonly stage: () => Stage;
  /** Goes on from one stage to another; false, and nothing changed, where it is not at that stage (any more). */
  readonly move: (from: Stage, to: Stage, text?: string) => boolean;
  /**
   * Runs the step that makes the change and then is done; fails where it rejects. Time that runs out meanwhile does not
   * count any more. Rejects as `run` does, and where it is not at this stage.
   */
  readonly settle: (from: Stage, run: () => Promise<void>) => Promise<void>;
  readonly view: (own?: Partial<PairingView>) => PairingView;
  /** Resolves to the stage as soon as it is another than this one. */
  readonly after: (stage: Stage) => Promise<Stage>;
  /** Ends it where it stands. */
  readonly close: () => void;
}

const ENDS: readonly Stage[] = ["done", "failed", "over"];
const CLOSED = "It was ended in the terminal.";

/** A course that is over after `lengthMs`. */
export function newCourse(
  { kind, name, stage: first }: Pick<PairingView, "kind" | "name" | "stage">,
  clock: Clock,
  lengthMs: number,
): Course {
  const span = new Span(clock, lengthMs);
  const changes = new Changes();
  const key = newKey();
  let now: { readonly stage: Stage; readonly text?: string } = { stage: first };

  const end = (stage: Stage, text?: string): void => {
    if (ENDS.includes(now.stage)) return;
    now = { stage, ...(text !== undefined && { text }) };
    stop();
    changes.bump();
  };
  let settling = false;
  const stage = (): Stage => {
    if (!settling && span.over() !== undefined) end("over");
    return now.stage;
  };
  const watch = (): (() => void) =>
    clock.after(Math.max(250, span.leftMs()), () => {
      if (!ENDS.includes(stage())) stop = watch();
    });
  let stop = watch();

  return {
    token: tokenOf(key),
    key,
    expiresAt: span.endsAt,
    stage,
    move: (from, to, text) => {
      if (stage() !== from) return false;
      if (ENDS.includes(to)) end(to, text);
      else {
        now = { stage: to };
        changes.bump();
      }
      return true;
    },
    settle: async (from, run) => {
      if (settling || stage() !== from) throw new VaultError("expired", "it is over", { hint: "start it again" });
      settling = true;
      try {
        await run();
        end("done");
      } catch (error) {
        end("failed", sentenceOf(error));
        throw error;
      } finally {
        settling = false;
      }
    },
    view: (own) => {
      stage();
      return { kind, name, expiresAt: span.endsAt, ...now, ...own };
    },
    after: async (last) => {
      const never = new AbortController().signal;
      for (;;) {
        const { version } = changes;
        if (stage() !== last) return now.stage;
        await changes.after(version, never);
      }
    },
    close: () => {
      if (!settling) end("failed", CLOSED);
    },
  };
}

/** What went wrong, for a page. */
export function sentenceOf(error: unknown): string {
  const { message, hint } = asVaultError(error);
  const what = message.replace(/^the approval does not hold: /, "");
  return [what, ...(hint === undefined ? [] : [hint])]
    .map((part) => `${part[0]?.toUpperCase()}${part.slice(1)}.`)
    .join(" ");
}
