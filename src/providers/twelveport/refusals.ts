import type { Clock } from "../../core/clock.ts";
import { VaultError } from "../../core/errors.ts";
import { HttpFault } from "../http-faults.ts";
import type { HttpAnswer } from "../http.ts";
import type { OperationName } from "./options.ts";
import { messageCode, speaksOfExpiry } from "./replies.ts";
import type { TokenFacts } from "./token.ts";

/** What a call is for: as a thing, and as what somebody may do. */
export const ABOUT = {
  document: { call: "its MCP document", may: "read its MCP document" },
  search: { call: "the search for assets", may: "search for assets" },
  credentials: { call: "the call for credentials", may: "read this asset" },
  createRequest: { call: "a request for access", may: "request access" },
  requestStatus: { call: "the question how a request stands", may: "see how a request stands" },
  completeRequest: { call: "the end of a request", may: "close a request" },
} as const satisfies Record<OperationName | "document", object>;

/** What an answer that is no success means. Never repeats what the answer says. */
export type Refuse = (answer: HttpAnswer, about: keyof typeof ABOUT) => VaultError;

/** The refusals of one server. */
export function refusalsOf(token: TokenFacts, clock: Clock): Refuse {
  return (answer, about) => {
    const { status, json, header } = answer;
    const { call, may } = ABOUT[about];
    const code = messageCode(json);
    const why = code === undefined ? `status ${status}` : `${code}, status ${status}`;
    if (status === 401) {
      const isOver = token.expiresAt !== undefined && token.expiresAt <= clock.now();
      return isOver || speaksOfExpiry(json, header("www-authenticate"))
        ? new VaultError("provider_expired", "the API token for 12Port has expired", {
            hint: "tell the user to have a new one made in 12Port's API Token Manager and put it where the vault's token points to",
          })
        : new VaultError("provider_auth", "12Port does not accept the API token", {
            hint: "tell the user to check the vault's token, and that it belongs to this server and tenant",
          });
    }
    if (status === 403) {
      return new VaultError("provider_forbidden", `12Port does not let this token's user ${may} (${why})`, {
        hint: "tell the user to ask the administrator of 12Port for that permission",
      });
    }
    if (status === 404) {
      return new VaultError("config_invalid", `12Port does not know ${call} under the address in its own document`, {
        hint: "tell the user to run agent-vault doctor: it lists the operations that were found",
      });
    }
    // An answer of the vault's own, so not one to be waited out. The number can be looked up; the text may name
    // anybody.
    return new VaultError("provider_unavailable", `12Port answered ${call} with an error (${why})`, {
      hint:
        code === undefined
          ? "try again later; if it stays, tell the user to ask the administrator of 12Port"
          : `tell the user to ask the administrator of 12Port about ${code}`,
      cause: new HttpFault("error", { status }),
    });
  };
}
