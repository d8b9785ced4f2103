import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import type { Overview, WaitingLine } from "../../src/core/overview.ts";
import { newKey, tokenOf } from "../../src/core/ids.ts";

/** Somebody of the same user who speaks to the host of the desk as it likes. */
export interface Peer {
  readonly heard: Heard[];
  readonly say: (...lines: unknown[]) => void;
  readonly isCutOff: () => boolean;
  readonly leave: () => void;
  /** Says of itself, as a session, that this waits there. */
  readonly claim: (waiting: readonly WaitingLine[], kept?: readonly string[]) => void;
}

export interface Heard {
  readonly do?: string;
  readonly id?: number;
  readonly re?: number;
  readonly with?: { readonly token?: string };
  readonly value?: unknown;
}

/** What a peer that is asked does not answer. */
export const NOTHING_SAID = Symbol("nothing said");

export const HELLO = { do: "hello", id: 1, with: { hub: 1, as: "session" } };

/** Connects to the host of a state folder. `answer` gives the reply to each call; absent: it never answers any. */
export function peerOf(folder: string, answer: (call: Heard) => unknown = () => NOTHING_SAID): Peer {
  const socket = connect(join(folder, "desk", "desk.sock"));
  onTestFinished(() => void socket.destroy());
  let isCutOff = false;
  let version = 0;
  socket.on("error", () => {});
  socket.on("close", () => (isCutOff = true));
  const heard: Heard[] = [];
  const say = (...lines: unknown[]): void => {
    for (const line of lines) socket.write(typeof line === "string" ? line : `${JSON.stringify(line)}\n`);
  };
  const lines = createInterface({ input: socket });
  lines.on("error", () => {});
  lines.on("line", (line) => {
    const message = JSON.parse(line) as Heard;
    heard.push(message);
    if (message.do === undefined) return;
    const value = answer(message);
    if (value !== NOTHING_SAID) say({ re: message.id, ...(value !== undefined && { value }) });
  });
  return {
    heard,
    say,
    isCutOff: () => isCutOff,
    leave: () => void socket.destroy(),
    claim: (waiting, kept = []) => {
      const overview: Overview = { waiting, windows: [], version: ++version, kept };
      say({ tell: "overview", with: overview });
    },
  };
}

/** The line of a request as another session would have it: with a page and a key of its own. */
export function lineLike(line: WaitingLine, own: Partial<WaitingLine> = {}): WaitingLine {
  const key = newKey();
  return { ...line, request: "of-the-peer", key, token: tokenOf(key), ...own };
}
