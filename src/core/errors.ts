/** Exit statuses of the command line: 0 done, 1 failed, 2 wrong usage or configuration, 3 not allowed. */
export type ExitStatus = 0 | 1 | 2 | 3;

/**
 * Every code an agent, a script or a log reader can meet, in one place: adding or changing one is an API change.
 * `retry` says whether the same call can succeed later without anybody changing anything. `provider_auth`: the vault does
 * not accept our credentials, `provider_expired`: it did until they ran out, `provider_forbidden`: it knows us and does not
 * permit this. `assurance_unmet`: a
 * rule demands a better proof, or more distance from the agent, than there is here. `upstream_*`: the vault's own people have to permit it as well.
 */
export const CODES = {
  denied: { exit: 3, retry: false },
  ask_differently: { exit: 3, retry: false },
  expired: { exit: 3, retry: true },
  withdrawn: { exit: 3, retry: true },
  revoked: { exit: 3, retry: true },
  cancelled: { exit: 3, retry: true },
  too_many_waiting: { exit: 3, retry: true },
  assurance_unmet: { exit: 3, retry: false },
  not_proven: { exit: 3, retry: true },
  not_writable: { exit: 3, retry: false },
  value_exposed: { exit: 2, retry: false },
  invalid_arguments: { exit: 2, retry: false },
  invalid_name: { exit: 2, retry: false },
  unrepresentable: { exit: 2, retry: false },
  vault_not_found: { exit: 2, retry: false },
  secret_not_found: { exit: 1, retry: false },
  ambiguous: { exit: 1, retry: false },
  conflict: { exit: 1, retry: true },
  provider_auth: { exit: 1, retry: false },
  provider_expired: { exit: 1, retry: false },
  provider_forbidden: { exit: 1, retry: false },
  rate_limited: { exit: 1, retry: true },
  upstream_required: { exit: 3, retry: true },
  upstream_denied: { exit: 3, retry: false },
  upstream_blocked: { exit: 3, retry: false },
  approvers_unavailable: { exit: 1, retry: true },
  provider_unavailable: { exit: 1, retry: true },
  audit_unavailable: { exit: 1, retry: true },
  page_unavailable: { exit: 1, retry: true },
  broker_unavailable: { exit: 1, retry: true },
  tunnel_unavailable: { exit: 1, retry: true },
  channel_unavailable: { exit: 1, retry: true },
  config_invalid: { exit: 2, retry: false },
  config_missing: { exit: 2, retry: false },
  usage: { exit: 2, retry: false },
  internal: { exit: 1, retry: false },
} as const satisfies Record<string, { exit: ExitStatus; retry: boolean }>;

export type Code = keyof typeof CODES;

/**
 * Something the outside world did that the agent or the person must be told. The message is one lower-case line that
 * names the thing and the place, never a value; the hint says what to do about it.
 */
export class VaultError extends Error {
  override readonly name = "VaultError";
  readonly code: Code;
  readonly hint: string | undefined;

  constructor(code: Code, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** The error itself when it is ours; anything else becomes `internal` and keeps its cause, but never its text. */
export function asVaultError(error: unknown): VaultError {
  if (error instanceof VaultError) return error;
  return new VaultError("internal", "agent-vault failed in a way it does not know", {
    hint: "run agent-vault doctor; if it finds nothing, please report this",
    cause: error,
  });
}

/** The same once more: an error belongs to the one call that it ends. */
export function anew({ code, message, hint }: VaultError): VaultError {
  return new VaultError(code, message, hint === undefined ? {} : { hint });
}
