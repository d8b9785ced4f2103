import { VaultError, type Code } from "../../../../src/core/errors.ts";
import type { Provider } from "../../../../src/core/ports.ts";
import type { Handle } from "../../../../src/core/request.ts";
import { Secret } from "../../../../src/core/secret.ts";
import { must, readEach, resolve, soon, verify } from "../outcomes.ts";
import { breakBackend, door, sentence, type Sentence } from "../sentence.ts";
import type { Stage } from "../stage.ts";
import { RETRY_AFTER_S, type Backend, type Fault } from "../world.ts";

type Way = readonly [name: string, go: (provider: Provider, signal: AbortSignal) => Promise<unknown>];

/** Every way to come to the vault that this provider has, each on a provider of its own; a read knows its handles. */
function waysOf({ world }: Stage): Way[] {
  const { can } = world.definition;
  const value = new Secret("hunter2-4711");
  const ways: Way[] = [
    ["resolve", (provider, signal) => provider.resolve(["DB_PASSWORD"], signal)],
    ["check", (provider, signal) => must(provider.check)(signal)],
  ];
  if (can.includes("list")) ways.push(["list", (provider, signal) => must(provider.list)(signal)]);
  if (can.includes("fields"))
    ways.push(["fields", (provider, signal) => must(provider.fields)("DB_PASSWORD", ["*"], signal)]);
  if (can.includes("write"))
    ways.push(["planWrite", (provider, signal) => must(provider.planWrite)([{ name: "NEW", value }], signal)]);
  return ways;
}

interface Troubled {
  readonly backend: Backend;
  /** What each way came to: the refusals in it; none is a success. */
  readonly refusals: ReadonlyMap<string, readonly VaultError[]>;
}

/** Goes every way after the backend was broken. */
async function troubled(stage: Stage, fault: Fault): Promise<Troubled> {
  const backend = await stage.start([["DB_PASSWORD", stage.secret("value")]]);
  const reader = await stage.open(backend);
  const handles: readonly Handle[] = await resolve(stage, reader, "DB_PASSWORD");
  await breakBackend(backend, fault);
  const refusals = new Map<string, readonly VaultError[]>();
  const settle = (going: Promise<unknown>): Promise<unknown> =>
    fault === "silent" ? stage.outlast(going) : stage.settle(going, backend);
  for (const [name, go] of waysOf(stage)) {
    const provider = await stage.settle(stage.open(backend), backend);
    refusals.set(
      name,
      provider instanceof VaultError ? [provider] : refusalsIn(await settle(go(provider, stage.signal))),
    );
  }
  refusals.set("read", refusalsIn(await settle(readEach(stage, reader, handles))));
  return { backend, refusals };
}

function refusalsIn(outcome: unknown): readonly VaultError[] {
  const parts: readonly unknown[] = Array.isArray(outcome) ? outcome : [outcome];
  return parts.filter((part) => part instanceof VaultError);
}

/** A sentence about a fault: every way ends in this code, with a hint, and with nothing else. */
function trouble(title: string, fault: Fault, code: Code, more?: (troubled: Troubled) => void): Sentence {
  return sentence(title, [], async (stage) => {
    const outcome = await troubled(stage, fault);
    for (const [way, errors] of outcome.refusals) {
      verify([...new Set(errors.map((error) => error.code))], way).toEqual([code]);
      for (const { message, hint } of errors) {
        verify(hint, `the hint of ${way}: ${message}`).toBeTruthy();
        verify(message, "a message is one line of ours").not.toMatch(/[\n<>{}]/);
      }
    }
    more?.(outcome);
  });
}

export const wrongCredentials = trouble("says that credentials are not accepted", "wrong", "provider_auth");
export const expiredCredentials = trouble("says that credentials have run out", "expired", "provider_expired");
export const insufficientCredentials = trouble(
  "says that something is not permitted",
  "insufficient",
  "provider_forbidden",
);

export const rateLimit = trouble(
  "says when to come back after too many calls",
  "limited",
  "rate_limited",
  ({ refusals }) => {
    const minutes = Math.ceil(RETRY_AFTER_S / 60);
    for (const [way, errors] of refusals)
      for (const { message, hint } of errors)
        verify(`${message}; ${hint}`, way).toMatch(new RegExp(`\\b(${RETRY_AFTER_S} s|${minutes} min)`));
  },
);

export const outage = trouble("says that the vault does not serve just now", "outage", "provider_unavailable");
export const refused = trouble("says that nobody listens", "refused", "provider_unavailable");
export const timeOut = trouble("gives up on a vault that never answers", "silent", "provider_unavailable");
export const webPage = trouble("takes a web page for no answer", "page", "provider_unavailable");
export const hugeAnswer = trouble("takes no answer of two megabytes", "huge", "provider_unavailable");
export const selfSigned = trouble(
  "trusts no certificate that vouches for itself",
  "self-signed",
  "provider_unavailable",
);

export const redirect = trouble("follows nobody to another host", "redirect", "provider_unavailable", ({ backend }) => {
  verify(door(backend, "elsewhere")(), "requests the other host saw").toBe(0);
});

export const abortAnswers = sentence("answers at once when the call is cancelled", [], async (stage) => {
  const backend = await stage.start([["DB_PASSWORD", stage.secret("value")]]);
  const reader = await stage.open(backend);
  const handles = await resolve(stage, reader, "DB_PASSWORD");
  await breakBackend(backend, "silent");
  const ways: Way[] = [...waysOf(stage), ["read", (_, signal) => reader.read(handles, signal)]];
  for (const [name, go] of ways) {
    const provider = await stage.open(backend);
    const cancel = new AbortController();
    const called = door(backend, "called")();
    const going = go(provider, cancel.signal).catch((error: unknown) => error);
    await Promise.race([called, going]);
    cancel.abort(new DOMException("the client went away", "AbortError"));
    // Nothing but the abort can end this: the backend keeps silent and the clock stands.
    verify(
      refusalsIn(await soon(going, name)).map(({ code }) => code),
      name,
    ).toEqual(["cancelled"]);
  }
});

export const abortEnds = sentence("ends its request at the vault when the call is cancelled", [], async (stage) => {
  const backend = await stage.start([["DB_PASSWORD", stage.secret("value")]]);
  const reader = await stage.open(backend);
  const handles = await resolve(stage, reader, "DB_PASSWORD");
  await breakBackend(backend, "silent");
  const cancel = new AbortController();
  const called = door(backend, "called")();
  const going = reader.read(handles, cancel.signal).catch((error: unknown) => error);
  const { over } = await called;
  cancel.abort();
  await soon(over, "the request");
  verify(refusalsIn(await going)).toHaveLength(1);
});

export const abortedBefore = sentence("does nothing for a call that was cancelled before", [], async (stage) => {
  const backend = await stage.start([["DB_PASSWORD", stage.secret("value")]]);
  const reader = await stage.open(backend);
  const handles = await resolve(stage, reader, "DB_PASSWORD");
  const before = backend.calls?.().all;
  const aborted = AbortSignal.abort();
  const ways: Way[] = [...waysOf(stage), ["read", (_, signal) => reader.read(handles, signal)]];
  for (const [name, go] of ways) {
    const outcome = await go(await stage.open(backend), aborted).catch((error: unknown) => error);
    verify(
      refusalsIn(outcome).map(({ code }) => code),
      name,
    ).toEqual(["cancelled"]);
  }
  verify(backend.calls?.().all).toBe(before);
});

export const recovers = sentence("works again once the vault does", [], async (stage) => {
  const backend = await stage.start([["DB_PASSWORD", stage.secret("value")]]);
  const provider = await stage.open(backend);
  await breakBackend(backend, "outage");
  const first = await stage.settle(provider.resolve(["DB_PASSWORD"], stage.signal), backend);
  verify(refusalsIn(first)).toHaveLength(1);
  await door(backend, "mend")();
  verify(refusalsIn(await provider.resolve(["DB_PASSWORD"], stage.signal))).toEqual([]);
});
