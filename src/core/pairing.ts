/** One change of who may approve, as its page sees it. Texts are visible; everything is JSON. */
export interface PairingView {
  readonly kind: "add" | "remove";
  /** What the approver is or will be called. */
  readonly name: string;
  /**
   * In this order. `ready`: a device may create its passkey; the first that begins is the only one that can. `confirm`:
   * one who is enrolled already has to sign for it, on any device. `compare`: the code that the device shows has to be
   * typed into the terminal. `done`. A removal goes from `confirm` to `done`. `failed`: see `text`; `over`: time is up.
   */
  readonly stage: "ready" | "confirm" | "compare" | "done" | "failed" | "over";
  /** Six digits, to be typed into the terminal. Only for the device that created the passkey, while it is compared. */
  readonly code?: string;
  /** Set for the device that created the passkey, while one who is enrolled has to sign for it. */
  readonly isOwn?: true;
  /** What went wrong, or what is worth knowing, in one sentence. */
  readonly text?: string;
  /** Epoch ms. */
  readonly expiresAt: number;
  /** Options for the browser: to create a passkey where the stage is `ready`, to sign with one where it is `confirm`. */
  readonly options?: unknown;
}

/**
 * What the page does. `origin` is that of the page, as the server knows it. `device` is 16 or more random bytes, base64url,
 * that this browser alone has (a cookie that no script reads): whoever has only the link never sees the code.
 */
export type PairingStep =
  | { readonly do: "look"; readonly device?: string }
  /** Asks for the options of the stage it is at; asking again makes new ones. */
  | { readonly do: "begin"; readonly device: string; readonly origin: string }
  /** Brings what the browser gave back. */
  | { readonly do: "finish"; readonly device: string; readonly origin: string; readonly response: unknown };
