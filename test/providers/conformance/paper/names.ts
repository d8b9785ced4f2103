import { type Clock, Span } from "../../../../src/core/clock.ts";
import { VaultError } from "../../../../src/core/errors.ts";
import { quoted } from "../../../../src/core/text.ts";
import type { Http, HttpAnswer } from "../../../../src/providers/http.ts";
import { type Bug, orAborted } from "./bugs.ts";

/** One secret, as the server's list tells it. */
export interface Entry {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly fields: readonly string[];
}

/** What the server lists. */
export async function list(http: Http, signal: AbortSignal, bug: Bug | undefined): Promise<readonly Entry[]> {
  const answer = await checked(await http.request({ method: "GET", path: "/papers", signal }), bug);
  if (!Array.isArray(answer.json))
    throw new VaultError("provider_unavailable", "the paper vault talks nonsense", { hint: "try again later" });
  return answer.json as Entry[];
}

/** What the server says of credentials. */
export async function checked(answer: HttpAnswer, bug: Bug | undefined): Promise<HttpAnswer> {
  const said = JSON.stringify(answer.json ?? "");
  if (answer.status < 400) return answer;
  const quote = bug === "quotes the server" ? `: ${said}` : "";
  const refuse = (code: "provider_auth" | "provider_expired" | "provider_forbidden", what: string): VaultError =>
    new VaultError(
      bug === "calls refusals unknown names" ? "secret_not_found" : code,
      `the paper vault ${what}${quote}`,
      {
        hint: "look at the token",
      },
    );
  if (answer.status === 403) throw refuse("provider_forbidden", "does not permit this");
  if (said.includes("expired") && bug !== "knows one refusal") throw refuse("provider_expired", "knew this token");
  throw refuse("provider_auth", "does not know this token");
}

/** Names for a minute, asked for once at a time. */
export function kept(clock: Clock, bug: Bug | undefined, load: (signal: AbortSignal) => Promise<readonly Entry[]>) {
  let known: { readonly entries: readonly Entry[]; readonly span: Span } | undefined;
  let flight: Promise<readonly Entry[]> | undefined;
  const fetch = async (): Promise<readonly Entry[]> => {
    const entries = await load(new AbortController().signal);
    known = { entries, span: new Span(clock, bug === "keeps names for ever" ? 1e12 : 60_000) };
    return entries;
  };
  return {
    get: async (signal: AbortSignal): Promise<readonly Entry[]> => {
      if (bug !== "begins what was cancelled") refuseAborted(signal);
      if (bug === "keeps no names") return load(signal);
      if (known && !known.span.over()) return known.entries;
      if (bug === "asks once for each") return fetch();
      flight ??= fetch();
      const over = (): void => void (flight = undefined);
      flight.then(over, bug === "remembers a failure" ? () => {} : over);
      return bug === "waits on though cancelled" ? flight : orAborted(flight, signal);
    },
    forget: (): void => void (known = undefined),
  };
}

export function refuseAborted(signal: AbortSignal): void {
  if (signal.aborted) throw cancelled();
}

function cancelled(): VaultError {
  return new VaultError("cancelled", "the call was cancelled", { hint: "call again" });
}

export function severalCalled(name: string, found: readonly Entry[]): VaultError {
  const ids = found.map(({ id }) => quoted(id)).join(" or ");
  return new VaultError("ambiguous", `several papers are called ${quoted(name)}`, { hint: `say ${ids}` });
}

export function nothingCalled(name: string, entries: readonly Entry[]): VaultError {
  const bare = (text: string): string =>
    text
      .toLowerCase()
      .replace(/[^a-z]/g, "")
      .slice(0, 4);
  const close = entries.filter((entry) => bare(entry.name) === bare(name)).map((entry) => quoted(entry.name));
  const hint = close.length > 0 ? `did you mean ${close.join(" or ")}?` : "call list_secrets";
  return new VaultError("secret_not_found", `no paper is called ${quoted(name)}`, { hint });
}
