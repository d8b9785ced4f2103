/** One change of who may approve, as its page sees it. Texts are visible; everything is JSON. */
export interface PairingView {
  readonly kind: "add" | "remove";
  /** What the approver is or will be called. */
  readonly name: string;
  /**
   * `ready`: the phone may begin. `confirm`: one who is enrolled already has to sign for it. `compare`: the code stands on
   * both sides, and the terminal's side has to say that it is the same. `done`; `failed`: see `text`; `over`: time is up.
   */
  readonly stage: "ready" | "confirm" | "compare" | "done" | "failed" | "over";
  /** To be compared with the one in the terminal. */
  readonly code?: string;
  /** What went wrong, or what is worth knowing, in one sentence. */
  readonly text?: string;
  /** Epoch ms. */
  readonly expiresAt: number;
  /** Options for the browser: to create a passkey where the stage is `ready`, to sign with one where it is `confirm`. */
  readonly options?: unknown;
}

/** What the page does. `origin` is that of the page, as the server knows it. */
export type PairingStep =
  | { readonly do: "look" }
  /** Asks for the options of the stage it is at. */
  | { readonly do: "begin"; readonly origin: string }
  /** Brings what the browser gave back. */
  | { readonly do: "finish"; readonly origin: string; readonly response: unknown };
