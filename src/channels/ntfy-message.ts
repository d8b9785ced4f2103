import type { News, Notice } from "../core/ports.ts";
import { clip, quoted, visible } from "../core/text.ts";

/** What ntfy is told besides the topic: https://docs.ntfy.sh/publish/#publish-as-json */
export interface NtfyMessage {
  readonly title: string;
  /** Plain text of at most 4096 bytes, or ntfy turns it into an attachment. */
  readonly message: string;
  readonly priority: number;
  readonly tags: readonly string[];
  /** Opened by a tap on the message. */
  readonly click?: string;
  readonly actions?: readonly { action: "view"; label: string; url: string; clear: boolean }[];
}

const HIGH = 4;

/**
 * What a phone shows of a request: vault, action, count and how long it waits. Names, host and user are not in it: the
 * message passes through servers of others and lies on lock screens. There is no button that approves: a button would
 * carry the permission itself, and the page shows what is wanted.
 */
export function ntfyMessage({ vault, action, count, link, expiresAt }: Notice, now: number): NtfyMessage {
  const lines = [`An agent waits for your answer about the vault ${quoted(vault)}. ${waitsFor(expiresAt - now)}`];
  if (link.public === undefined) {
    lines.push(`This can only be answered on the computer where the agent runs, at ${link.local}`);
    if (link.trouble !== undefined) lines.push(`Why: ${clip(visible(link.trouble), 400)}`);
  }
  return {
    title: `Approval needed: ${action} ${count} ${count === 1 ? "secret" : "secrets"}`,
    message: lines.join("\n"),
    priority: HIGH,
    tags: ["agent-vault"],
    ...(link.public === undefined
      ? {}
      : { click: link.public, actions: [{ action: "view", label: "Review", url: link.public, clear: true }] }),
  };
}

/** What a phone shows of something that needs no answer. */
export function ntfyNews({ title, text }: News): NtfyMessage {
  return { title, message: text, priority: HIGH, tags: ["agent-vault"] };
}

function waitsFor(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes <= 1 ? "It waits for another minute." : `It waits for another ${minutes} minutes.`;
}
