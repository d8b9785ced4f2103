import { clip, glimpse } from "../../core/text.ts";

/** What is waited for on behalf of one asset. */
export interface Wait {
  /**
   * approvers: their answer. queue: that the request comes before them. earlier: that a request shows up which somebody
   * began to submit. server: that the server can be asked again.
   */
  readonly for: "approvers" | "queue" | "earlier" | "server";
  /** How messages call the asset. */
  readonly label: string;
  /** 12Port's id of the request. */
  readonly request: string | undefined;
}

const MOST = 3;

/**
 * Who is waited for, for all assets of a request: what fits after "Now" in a sentence. The names in it are as the vault
 * has them: whoever shows it makes it visible.
 */
export function waitText(waits: readonly Wait[]): string {
  return KINDS.flatMap((kind) => {
    const these = waits.filter((wait) => wait.for === kind);
    return these.length === 0 ? [] : [SENTENCES[kind](these)];
  }).join("; ");
}

const KINDS = ["approvers", "queue", "earlier", "server"] as const;

const SENTENCES: Readonly<Record<Wait["for"], (waits: readonly Wait[]) => string>> = {
  approvers: (waits) => `waiting for 12Port's approvers: ${several(waits, withRequest, "; ")}`,
  queue: (waits) => `waiting for ${several(waits, requestWith, ", ")} to reach 12Port's approvers`,
  earlier: (waits) => `waiting for an earlier request to show up in 12Port: ${several(waits, labelOf, ", ")}`,
  server: (waits) => `waiting for 12Port, which does not answer just now: ${several(waits, labelOf, ", ")}`,
};

function several(waits: readonly Wait[], text: (wait: Wait) => string, between: string): string {
  const shown = waits.slice(0, MOST).map(text);
  return [...shown, ...(waits.length > MOST ? [`${waits.length - MOST} more`] : [])].join(between);
}

function labelOf({ label }: Wait): string {
  return clip(label, 80);
}

function requestOf({ request }: Wait): string | undefined {
  return request === undefined ? undefined : `request ${clip(request, 40)}`;
}

function withRequest(wait: Wait): string {
  const request = requestOf(wait);
  return request === undefined ? labelOf(wait) : `${labelOf(wait)}, ${request}`;
}

function requestWith(wait: Wait): string {
  return `${requestOf(wait) ?? "the request"} (${labelOf(wait)})`;
}

/** How messages call a request by its number: made visible. */
export function numbered(request: string): string {
  return `request ${glimpse(request, 40)}`;
}
