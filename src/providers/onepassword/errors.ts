import type * as OnePassword from "@1password/sdk";
import { type Code, VaultError } from "../../core/errors.ts";

/** The package as it is when loaded. */
export type Sdk = typeof OnePassword;

interface Row {
  /** Any of these in what the SDK says. */
  readonly says: readonly string[];
  readonly code: Code;
  readonly message: string;
  readonly hint: string;
}

const NEW_TOKEN =
  "tell the user to create a new token at 1password.com (Developer, Service Accounts) and set it as serviceAccountToken";
const AGAIN = "try again in a moment; agent-vault doctor tells whether it works";

/**
 * What the SDK says and what it means: its errors are sentences without a code. From the texts of version 0.5.0; those
 * that can be had without an account were seen. The first row that fits counts, so the more exact ones stand first.
 */
export const TABLE: readonly Row[] = [
  {
    says: ["createClient requires"],
    code: "config_invalid",
    message: "the service account token for 1Password is empty",
    hint: "tell the user to set serviceAccountToken, best as env:OP_SERVICE_ACCOUNT_TOKEN",
  },
  {
    says: ["invalid service account token", "service account token had invalid format"],
    code: "provider_auth",
    message: "what is set as serviceAccountToken is not a token of a 1Password service account",
    hint: "tell the user to copy the whole token, which begins with ops_; it is shown only once, when the service account is made",
  },
  {
    says: ["bad service account token", "you are not authenticated", "bad credentials"],
    code: "provider_auth",
    message: "1Password does not accept the service account token",
    hint: `${NEW_TOKEN}; this one was revoked, replaced or has run out`,
  },
  {
    says: ["session expired"],
    code: "provider_expired",
    message: "the session with 1Password has run out and could not be renewed",
    hint: `call again; if it stays that way, the service account has ended: ${NEW_TOKEN}`,
  },
  {
    says: ["you do not have the right permissions", "you don't have the right permissions"],
    code: "provider_forbidden",
    message: "1Password knows the service account and does not permit it to do this",
    hint: "tell the user to see at 1password.com which vaults it may read and write; this is fixed when it is made",
  },
  {
    says: ["authentication error: resource not found", "account couldn't be found"],
    code: "config_invalid",
    message: "1Password does not know the account that the service account token belongs to",
    hint: NEW_TOKEN,
  },
  {
    says: ["rate limit exceeded"],
    code: "rate_limited",
    message: "1Password's limit of calls for this service account is used up",
    hint: "wait; the limits are per hour and per day",
  },
  {
    says: ["The submitted item is not up to date", "data conflict occurred"],
    code: "conflict",
    message: "the item was changed in 1Password meanwhile; nothing was saved",
    hint: "look at it, then ask again",
  },
  {
    says: ["a conflict occurred on the server"],
    code: "provider_unavailable",
    message: "1Password was busy with another call of the same service account",
    hint: AGAIN,
  },
  {
    says: ["Editing is not supported for unsupported fields"],
    code: "unrepresentable",
    message: "the item has fields that 1Password's SDK cannot write, so it was left as it is",
    hint: "tell the user to change it in the 1Password app",
  },
  {
    says: ["unsupported item category"],
    code: "config_invalid",
    message: "1Password does not make items of the category in write.category here",
    hint: 'tell the user to set write.category to "login" or "password"',
  },
  {
    says: ["itemStatusTooBig", "message size exceeds the limit"],
    code: "unrepresentable",
    message: "the item would become larger than 1Password takes",
    hint: "keep large values elsewhere",
  },
  {
    says: ["invalid user input", "bad input passed by the user"],
    code: "unrepresentable",
    message: "1Password refused the title or the value for an item of this kind",
    hint: "save it under another name, or tell the user to set another write.category",
  },
  {
    says: ["item couldn't be found", "vault couldn't be found", "item is not in an active state", "resource not found"],
    code: "secret_not_found",
    message: "the item is not in 1Password any more, or is archived",
    hint: "call list_secrets for the names there are",
  },
  {
    says: ["request library compatibility issue", "error sending request"],
    code: "provider_unavailable",
    message: "1Password cannot be reached",
    hint: "try again in a moment, or tell the user to check the connection of this computer to 1password.com",
  },
  {
    says: ["request timeout"],
    code: "provider_unavailable",
    message: "1Password did not answer in time",
    hint: AGAIN,
  },
  {
    says: ["internal server error", "unexpected status code", "when deserializing"],
    code: "provider_unavailable",
    message: "1Password answers with an error of its own, or something in between answers instead",
    hint: `${AGAIN}; status.1password.com and your proxy say more`,
  },
  {
    says: ["Native library is not available", "1Password desktop application not found"],
    code: "config_invalid",
    message: "1Password's app is not there to sign in with",
    hint: "tell the user to set serviceAccountToken to the token of a service account",
  },
];

/**
 * An error of the SDK in our words. Its own text is never repeated, nor kept as the cause: some of it holds what was
 * put in, the token included.
 */
export function translate(error: unknown, sdk: Sdk | undefined): VaultError {
  if (error instanceof VaultError) return error;
  if (sdk && error instanceof sdk.RateLimitExceededError) return fromRow("rate limit exceeded");
  // Also the one of the desktop app, which is never used to sign in here.
  if (sdk && (error instanceof sdk.AuthExpiredError || error instanceof sdk.DesktopSessionExpiredError))
    return fromRow("session expired");
  // The WASM core throws some of its errors as bare strings.
  const text = error instanceof Error ? error.message : typeof error === "string" ? error : "";
  return fromRow(text);
}

function fromRow(text: string): VaultError {
  const row = TABLE.find(({ says }) => says.some((phrase) => text.includes(phrase)));
  if (row) return new VaultError(row.code, row.message, { hint: row.hint });
  return new VaultError("provider_unavailable", "1Password answered in a way that agent-vault does not know", {
    hint: AGAIN,
  });
}

/** What was to be used is no longer what was shown. */
export function gone(name: string, what: string): VaultError {
  return new VaultError("conflict", `${name} was not read: ${what} since the request was made`, {
    hint: "make the same request again; a person will be asked about what is there now",
  });
}

/** An answer that does not fit the question. */
export function strange(what: string): VaultError {
  return new VaultError("provider_unavailable", `1Password's answer does not fit: ${what}`, { hint: AGAIN });
}
