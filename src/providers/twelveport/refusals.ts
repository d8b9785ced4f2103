import type { Clock } from "../../core/clock.ts";
import { VaultError } from "../../core/errors.ts";
import { HttpFault } from "../http-faults.ts";
import type { HttpAnswer } from "../http.ts";
import { messageCode, speaksOfExpiry } from "./replies.ts";
import type { TokenFacts } from "./token.ts";

/** What an answer that is no success means; `about` names what was asked for. Never repeats what the answer says. */
export type Refuse = (answer: HttpAnswer, about: string) => VaultError;

/** The refusals of one server. */
export function refusalsOf(token: TokenFacts, clock: Clock): Refuse {
  return (answer, about) => {
    const { status, json, header } = answer;
    const code = messageCode(json);
    const why = code === undefined ? `status ${status}` : `${code}, status ${status}`;
    if (status === 401) {
      const isOver = token.expiresAt !== undefined && token.expiresAt <= clock.now();
      return isOver || speaksOfExpiry(json, header("www-authenticate"))
        ? new VaultError("provider_expired", "the API token for 12Port has expired", {
            hint: "have a new one made in 12Port's API Token Manager and put it where the vault's token points to",
          })
        : new VaultError("provider_auth", "12Port does not accept the API token", {
            hint: "check the vault's token, and that it belongs to this server and tenant",
          });
    }
    if (status === 403) {
      return new VaultError("provider_forbidden", `12Port does not permit the user of the token ${about} (${why})`, {
        hint: "ask the administrator of 12Port for that permission",
      });
    }
    if (status === 404) {
      return new VaultError("config_invalid", `12Port does not know ${about} under the address in its own document`, {
        hint: "run agent-vault doctor: it lists the operations that were found",
      });
    }
    // An answer of the vault's own, so not one to be waited out. The number can be looked up; the text may name
    // anybody.
    return new VaultError("provider_unavailable", `12Port answered ${about} with an error (${why})`, {
      hint:
        code === undefined
          ? "try again later; if it stays, ask the administrator of 12Port"
          : `ask the administrator of 12Port about ${code}`,
      cause: new HttpFault("error", { status }),
    });
  };
}
