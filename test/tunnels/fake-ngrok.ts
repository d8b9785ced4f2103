import type {
  NgrokBuilder,
  NgrokEndpoint,
  NgrokListener,
  NgrokSdk,
  NgrokSession,
} from "../../src/tunnels/ngrok-sdk.ts";

/** An SDK that does what the test says, and remembers what it was asked for. */
export interface FakeNgrok {
  readonly sdk: NgrokSdk;
  readonly token: () => string | undefined;
  readonly domain: () => string | undefined;
  readonly forwardsTo: () => string | undefined;
  /** What was connected, bound, unbound and closed, in this order. */
  readonly done: readonly string[];
  /** How many addresses are bound just now. */
  readonly bound: () => number;
  /** Resolves when the SDK has been asked to connect, to listen. */
  readonly connecting: Promise<void>;
  readonly listening: Promise<void>;
  /** What the network does: returns what the handler told the SDK. */
  readonly breakOff: () => boolean | undefined;
  readonly heartbeat: (latencyMs?: number | null) => void;
  readonly stopCommand: () => void;
  readonly endForwarding: (error?: Error) => void;
}

/** Stand-ins for what each step does; the default is that it works. */
export interface Steps {
  readonly connect?: () => Promise<void>;
  readonly listen?: () => Promise<void>;
  readonly unlisten?: () => Promise<void>;
  readonly close?: () => Promise<void>;
  readonly url?: string | null;
}

export function fakeNgrok({
  connect,
  listen,
  unlisten,
  close,
  url = "https://abc.ngrok-free.app",
}: Steps = {}): FakeNgrok {
  let token: string | undefined;
  let domain: string | undefined;
  let forwardsTo: string | undefined;
  let bound = 0;
  const done: string[] = [];
  let onBreak: ((address: string, error: string) => boolean) | undefined;
  let onHeartbeat: ((latencyMs: number | null) => void) | undefined;
  let onStop: (() => void) | undefined;
  const connecting = later<void>();
  const listening = later<void>();
  const joined = later<void>();
  joined.promise.catch(() => {});

  const listener: NgrokListener = {
    url: () => url,
    join: () => joined.promise,
    async close() {
      done.push("unbind");
      await unlisten?.();
      bound -= 1;
    },
  };
  const endpoint: NgrokEndpoint = {
    domain(wanted) {
      domain = wanted;
    },
    async listenAndForward(to) {
      forwardsTo = to;
      listening.resolve();
      await listen?.();
      bound += 1;
      done.push("bind");
      return listener;
    },
  };

  class Builder implements NgrokBuilder {
    authtoken(text: string): this {
      token = text;
      return this;
    }
    handleDisconnection(handler: (address: string, error: string) => boolean): this {
      onBreak = handler;
      return this;
    }
    handleHeartbeat(handler: (latencyMs: number | null) => void): this {
      onHeartbeat = handler;
      return this;
    }
    handleStopCommand(handler: () => void): this {
      onStop = handler;
      return this;
    }
    async connect(): Promise<NgrokSession> {
      connecting.resolve();
      await connect?.();
      done.push("connect");
      return {
        httpEndpoint: () => endpoint,
        async close() {
          done.push("close");
          await close?.();
        },
      };
    }
  }

  return {
    sdk: { SessionBuilder: Builder },
    token: () => token,
    domain: () => domain,
    forwardsTo: () => forwardsTo,
    done,
    bound: () => bound,
    connecting: connecting.promise,
    listening: listening.promise,
    breakOff: () => onBreak?.("connect.ngrok-agent.com:443", "remote went away"),
    heartbeat: (latencyMs = 31) => onHeartbeat?.(latencyMs),
    stopCommand: () => onStop?.(),
    endForwarding: (error) => (error ? joined.reject(error) : joined.resolve()),
  };
}

/** A promise and what settles it. */
export function later<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
