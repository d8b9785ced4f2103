import type { Client } from "@1password/sdk";
import { type Clock, Span } from "../../core/clock.ts";
import { VaultError } from "../../core/errors.ts";
import type { Secret } from "../../core/secret.ts";
import { refuseAborted, untilAborted } from "../abort.ts";
import { type Sdk, translate } from "./errors.ts";

/** Who is called, for messages. */
export const WHO = "1Password";

/** The SDK waits for ever, so we do not. Signing in derives keys, which takes a slow machine a while. */
const SIGN_IN_MS = 30_000;
const CALL_MS = 30_000;
/** The SDK passes no Retry-After on. */
const BACK_OFF_MS = 60_000;

/** One service account, signed in when it is first needed. */
export interface Account {
  /**
   * Runs calls of the SDK. Its errors come as `VaultError`; ends with the signal or a deadline, whatever the SDK does.
   * With `finish` a call that has begun is waited for although the signal aborts: for what changes things.
   */
  readonly call: <T>(
    signal: AbortSignal,
    run: (client: Client, sdk: Sdk) => Promise<T>,
    how?: { readonly finish?: boolean },
  ) => Promise<T>;
}

export interface AccountOptions {
  readonly token: Secret;
  readonly clock: Clock;
  readonly version: string;
  /** Loads 14 MB of WebAssembly: not before the first call. */
  readonly loadSdk: () => Promise<Sdk>;
}

interface SignedIn {
  readonly client: Client;
  readonly sdk: Sdk;
}

/** Calls that come together share one sign-in; after a failed one the next call tries again. */
export function openAccount({ token, clock, version, loadSdk }: AccountOptions): Account {
  let session: Promise<SignedIn> | undefined;
  let limited: Span | undefined;

  function refuseLimited(): void {
    if (!limited) return;
    if (limited.over()) limited = undefined;
    else throw rateLimited(limited.leftMs());
  }

  function understood(error: unknown, sdk: Sdk | undefined): VaultError {
    const known = translate(error, sdk);
    if (known.code !== "rate_limited") return known;
    limited = new Span(clock, BACK_OFF_MS);
    return rateLimited(BACK_OFF_MS);
  }

  async function load(): Promise<Sdk> {
    try {
      return await loadSdk();
    } catch {
      throw new VaultError("provider_unavailable", "the package @1password/sdk cannot be loaded", {
        hint: "tell the user to install agent-vault again",
      });
    }
  }

  async function signInOnce(sdk: Sdk): Promise<SignedIn> {
    refuseLimited();
    const config = { auth: token.reveal(), integrationName: "agent-vault", integrationVersion: version };
    return { client: await inTime(sdk.createClient(config), clock, SIGN_IN_MS), sdk };
  }

  async function signIn(): Promise<SignedIn> {
    const sdk = await load();
    try {
      return await signInOnce(sdk).catch((error: unknown) => {
        // Two sign-ins at the same moment can get into each other's way.
        if (error instanceof Error && error.message.includes("race condition in requests")) return signInOnce(sdk);
        throw error;
      });
    } catch (error) {
      throw understood(error, sdk);
    }
  }

  function signedIn(): Promise<SignedIn> {
    if (session) return session;
    const opening = signIn();
    session = opening;
    opening.catch(() => drop(opening));
    return opening;
  }

  function drop(old: Promise<SignedIn>): void {
    if (session === old) session = undefined;
  }

  async function attempt<T>(run: (client: Client, sdk: Sdk) => Promise<T>, again: boolean): Promise<T> {
    const opening = signedIn();
    const { client, sdk } = await opening;
    try {
      return await run(client, sdk);
    } catch (error) {
      const known = understood(error, sdk);
      if (known.code === "provider_expired" || known.code === "provider_auth") drop(opening);
      // What was refused for an old session has not been done: once more with a new one.
      if (known.code === "provider_expired" && again) return attempt(run, false);
      throw known;
    }
  }

  return {
    call: async (signal, run, { finish = false } = {}) => {
      refuseAborted(signal, WHO);
      refuseLimited();
      const begun = (client: Client, sdk: Sdk): ReturnType<typeof run> => {
        // Signing in took a while; what changes things does not begin for a call that has gone.
        refuseAborted(signal, WHO);
        return inTime(run(client, sdk), clock, CALL_MS);
      };
      const work = attempt(begun, true);
      return finish ? work : untilAborted(work, signal, WHO);
    },
  };
}

function inTime<T>(work: Promise<T>, clock: Clock, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = clock.after(ms, () =>
      reject(
        new VaultError("provider_unavailable", `1Password did not answer within ${ms / 1_000} seconds`, {
          hint: "try again in a moment; agent-vault doctor tells whether it works",
        }),
      ),
    );
    work.then(resolve, reject).finally(stop);
  });
}

function rateLimited(leftMs: number): VaultError {
  return new VaultError("rate_limited", "1Password's limit of calls for this service account is used up", {
    hint: `try again in ${Math.ceil(leftMs / 1_000)} s; 1Password does not say when the limit, which is per hour and per day, ends`,
  });
}
