import type { Server } from "@modelcontextprotocol/sdk/server/index.js";
import type { Clock } from "../core/clock.ts";
import type { Wait } from "../core/ports.ts";
import { whatIsAsked } from "./reply.ts";

/** An answer faster than this was no person: unattended clients answer by themselves. */
const BLINK_MS = 1_500;

/** One tool call, as far as its dialog is concerned. */
export interface DialogCall {
  /** Aborted when the call is over: the dialog is then taken off the screen. */
  readonly over: AbortSignal;
  /** Whether the request was settled when the call ended. Asked only then. */
  readonly isSettled: () => boolean;
}

/**
 * Puts the link before the person through the client's own dialogs: URL elicitation where the client declares it, else a
 * form without fields as a bell. One dialog per request at a time, none after a person has closed it. What it answers
 * decides nothing.
 */
export class Dialogs {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #closed = new Set<string>();
  readonly #open = new Set<string>();
  #firstIdUsed = false;

  constructor(server: Server, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
  }

  /** Whether this client has dialogs at all. */
  get possible(): boolean {
    return this.#server.getClientCapabilities()?.elicitation !== undefined;
  }

  /** Never rejects: a dialog that cannot be shown is one way less to the person, and there are others. */
  async show(wait: Wait, call: DialogCall): Promise<void> {
    const able = this.#server.getClientCapabilities()?.elicitation;
    const id = wait.request;
    if (!able || !wait.link || !wait.linkIsFinal || call.over.aborted) return;
    if (this.#closed.has(id) || this.#open.has(id)) return;
    this.#open.add(id);
    const shown = this.#clock.mono();
    try {
      const action = await this.#ask(wait, wait.link.public ?? wait.link.local, call.over);
      if (action === "accept" || this.#clock.mono() - shown > BLINK_MS) this.#closed.add(id);
      if (action === "accept" && able.url) this.#completeAfter(id, call);
    } catch {
      // Taken off the screen by us, or an answer that makes no sense: then the person has seen it.
      if (!call.over.aborted) this.#closed.add(id);
    } finally {
      this.#open.delete(id);
    }
  }

  async #ask(wait: Wait, url: string, over: AbortSignal): Promise<string> {
    // Many clients cannot cancel a request whose id is 0, and ours must be cancelled when the person has answered.
    if (!this.#firstIdUsed) void this.#server.ping().catch(() => {});
    this.#firstIdUsed = true;
    const message = `agent-vault: approve or deny ${whatIsAsked(wait)}.`;
    const options = { signal: over, timeout: Math.max(1_000, (wait.expiresAt ?? 0) - this.#clock.now()) };
    if (this.#server.getClientCapabilities()?.elicitation?.url) {
      const answer = await this.#server.elicitInput(
        { mode: "url", message, url, elicitationId: wait.request },
        options,
      );
      return answer.action;
    }
    const form = {
      mode: "form",
      message: `${message} Open ${url}`,
      requestedSchema: { type: "object", properties: {} },
    } as const;
    return (await this.#server.elicitInput(form, options)).action;
  }

  /** Tells a client that waits for the page that it is done, once a person has decided. */
  #completeAfter(elicitationId: string, { over, isSettled }: DialogCall): void {
    const complete = (): void => {
      if (isSettled())
        void this.#server
          .createElicitationCompletionNotifier(elicitationId)()
          .catch(() => {});
    };
    if (over.aborted) complete();
    else over.addEventListener("abort", complete, { once: true });
  }
}
