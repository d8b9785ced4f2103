import { VaultError } from "../core/errors.ts";

/** Whom a client talks to, as its messages say it. */
export interface Place {
  /** "12Port" */
  readonly who: string;
  readonly origin: string;
  /** What the options of such a vault are called, for hints: the one with its address, the one with its own authority. */
  readonly options: { readonly address: string; readonly ca?: string };
}

/**
 * Where it went wrong: before anything was sent, on the way, by what stands in between, or in what came back. "error"
 * is an answer of the vault's own that says so.
 */
export type FaultKind = "unreached" | "broken" | "late" | "cancelled" | "redirect" | "busy" | "answer" | "error";

/**
 * The cause of an error of `http.ts`: what a caller may want to know and nothing else. The libraries' own errors can
 * hold the request with its token, so they are never passed on.
 */
export class HttpFault extends Error {
  override readonly name = "HttpFault";
  readonly kind: FaultKind;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(kind: FaultKind, { status, retryAfterMs }: { status?: number; retryAfterMs?: number } = {}) {
    super(status === undefined ? kind : `${kind} ${status}`);
    this.kind = kind;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What is known of how a call failed; undefined when the error is not about a call. */
export function faultOf(error: unknown): HttpFault | undefined {
  return error instanceof VaultError && error.cause instanceof HttpFault ? error.cause : undefined;
}

/**
 * Whether the server may have done what it was asked, although the caller got an error. A refusal without a fault is an
 * answer of the server's own; what is no refusal at all says nothing of it.
 */
export function mayHaveHappened(error: unknown): boolean {
  if (!(error instanceof VaultError)) return true;
  const fault = faultOf(error);
  if (!fault || fault.kind === "unreached") return false;
  // These two mean that the same is to be sent elsewhere; the others may well lead to what came of it.
  if (fault.kind === "redirect") return fault.status !== 307 && fault.status !== 308;
  return fault.status === undefined || fault.status >= 500 || fault.status < 400;
}

/** `provider_unavailable`, with who and where in front. */
export function unusable(place: Place, what: string, { hint, fault }: { hint: string; fault: HttpFault }): VaultError {
  const { host } = new URL(place.origin);
  return new VaultError("provider_unavailable", `${place.who} at ${host} ${what}`, { hint, cause: fault });
}

interface Explanation {
  readonly kind: FaultKind;
  readonly what: string;
  /** Undefined where it depends on the options that such a vault has. */
  readonly hint: string | undefined;
}

const NETWORK = "tell the user to check the address in the configuration and the network";

const refused = { kind: "unreached", what: "refuses connections", hint: NETWORK } as const;
const unknownHost = {
  kind: "unreached",
  what: "is not found: its name is not known here (DNS)",
  hint: NETWORK,
} as const;
const noWay = { kind: "unreached", what: "cannot be reached from here", hint: NETWORK } as const;
const broken = { kind: "broken", what: "broke the connection off", hint: "try again later" } as const;
const noTls = {
  kind: "unreached",
  what: "does not speak TLS the way it should",
  hint: "tell the user to check the port",
} as const;
const selfSigned = {
  kind: "unreached",
  what: "shows a certificate that is signed by itself or by an authority of its own",
  hint: undefined,
} as const;
const unknownSigner = {
  kind: "unreached",
  what: "shows a certificate from an authority that is not known here",
  hint: undefined,
} as const;

/** What Node and undici call it, and what it means. */
const EXPLANATIONS: ReadonlyMap<string, Explanation> = new Map<string, Explanation>([
  ["ECONNREFUSED", refused],
  ["ENOTFOUND", unknownHost],
  ["EAI_AGAIN", unknownHost],
  ["EHOSTUNREACH", noWay],
  ["ENETUNREACH", noWay],
  ["EADDRNOTAVAIL", noWay],
  ["ETIMEDOUT", { kind: "unreached", what: "did not answer in time", hint: NETWORK }],
  ["UND_ERR_CONNECT_TIMEOUT", { kind: "unreached", what: "did not take the connection in time", hint: NETWORK }],
  ["ECONNRESET", broken],
  ["EPIPE", broken],
  ["UND_ERR_SOCKET", broken],
  ["EPROTO", noTls],
  ["ERR_SSL_WRONG_VERSION_NUMBER", noTls],
  ["ERR_SSL_PACKET_LENGTH_TOO_LONG", noTls],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", selfSigned],
  ["SELF_SIGNED_CERT_IN_CHAIN", selfSigned],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", unknownSigner],
  ["UNABLE_TO_GET_ISSUER_CERT", unknownSigner],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", unknownSigner],
  [
    "CERT_HAS_EXPIRED",
    {
      kind: "unreached",
      what: "shows a certificate that has expired",
      hint: "tell the user to have it renewed on the server",
    },
  ],
  [
    "CERT_NOT_YET_VALID",
    {
      kind: "unreached",
      what: "shows a certificate that is not valid yet",
      hint: "tell the user to check the clocks of both computers",
    },
  ],
  [
    "ERR_TLS_CERT_ALTNAME_INVALID",
    {
      kind: "unreached",
      what: "shows a certificate for another host name",
      hint: "tell the user to write the name that stands in its certificate into the configuration; trusting its authority does not change this",
    },
  ],
]);

/** The `VaultError` for whatever kept a request from being answered. Keeps nothing of the error but its code. */
export function networkError(error: unknown, place: Place): VaultError {
  const code = codesOf(error).find((each) => EXPLANATIONS.has(each)) ?? codesOf(error)[0];
  const known = wasConnected(error, code) ? broken : EXPLANATIONS.get(code ?? "");
  if (known) {
    return unusable(place, known.what, { hint: known.hint ?? ownAuthority(place), fault: new HttpFault(known.kind) });
  }
  const why = code === undefined ? "" : ` (${code})`;
  // It may have arrived: whoever must not ask twice has to look first.
  return unusable(place, `cannot be talked to${why}`, { hint: NETWORK, fault: new HttpFault("broken") });
}

const LOST_WAY: readonly (string | undefined)[] = ["ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"];

/** Whether the way was lost while a connection stood: what was to be sent may be there. */
function wasConnected(error: unknown, code: string | undefined): boolean {
  return LOST_WAY.includes(code) && error instanceof Error && "syscall" in error && error.syscall !== "connect";
}

function ownAuthority({ options: { ca } }: Place): string {
  return ca === undefined
    ? "tell the user to have the server show a certificate of a public authority"
    : `tell the user to put the certificate of the authority that signed it, as PEM, into the vault's ${ca} option`;
}

/** The codes of an error and of those behind it, where they look like codes. */
function codesOf(error: unknown, depth = 0): string[] {
  if (!(error instanceof Error) || depth > 4) return [];
  const own = "code" in error ? String(error.code) : "";
  const several = error instanceof AggregateError ? error.errors.flatMap((each) => codesOf(each, depth + 1)) : [];
  return [...(/^[A-Z][A-Z_0-9]{2,60}$/.test(own) ? [own] : []), ...several, ...codesOf(error.cause, depth + 1)];
}
