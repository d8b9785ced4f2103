import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { inspect } from "node:util";
import * as sdk from "@1password/sdk";
import { describe, expect, it } from "vitest";
import { TABLE, translate } from "../../../src/providers/onepassword/errors.ts";

const resolveIn = createRequire(import.meta.url).resolve;

/** What the SDK throws for what its core says. */
function thrown(name: string, message: string): unknown {
  try {
    sdk.throwError(JSON.stringify({ name, message }));
  } catch (error) {
    return error;
  }
  return undefined;
}

const RESOLVING = "error resolving secret reference: ";

describe("errors of the 1Password SDK", () => {
  it.each([
    [
      "createClient requires either `auth` (service account token) or `oidcFetcher` (workload identity).",
      "config_invalid",
    ],
    [
      "invalid service account token, please make sure you provide a valid service account token as parameter: ops_canary",
      "provider_auth",
    ],
    ["invalid user input: encountered the following errors: service account token had invalid format", "provider_auth"],
    ["authentication error: you are not authenticated", "provider_auth"],
    ["authentication error: bad service account token, please rotate it: canary", "provider_auth"],
    ["authentication error: you don't have the right permissions to access this resource", "provider_forbidden"],
    ["authentication error: resource not found", "config_invalid"],
    [
      "authentication error: a conflict occurred on the server. this usually happens due to a race condition in requests",
      "provider_unavailable",
    ],
    ["authentication error: rate limit exceeded", "rate_limited"],
    ["authentication error: internal server error", "provider_unavailable"],
    ["authentication error: unexpected status code in response: 503 Service Unavailable", "provider_unavailable"],
    [
      "request library compatibility issue, check that the your environment uses compatible versions: reqwest library: error sending request",
      "provider_unavailable",
    ],
    [`${RESOLVING}item is not in an active state`, "secret_not_found"],
    ["item couldn't be found", "secret_not_found"],
    ["vault couldn't be found", "secret_not_found"],
    ["you do not have the right permissions to perform this action: canary", "provider_forbidden"],
    ["The submitted item is not up to date. Refetch the item and retry the request.", "conflict"],
    ["An unsupported item category was specified", "config_invalid"],
    ["cannot update item canary. Editing is not supported for unsupported fields, canary", "unrepresentable"],
    [
      "invalid user input: encountered the following errors: custom field with id 'canary' must be part of a section",
      "unrepresentable",
    ],
    ["Native library is not available.", "config_invalid"],
    ["1Password desktop application not found", "config_invalid"],
    ["something nobody has heard of: canary", "provider_unavailable"],
    ["", "provider_unavailable"],
  ])("%s: %s", (message, code) => {
    const error = translate(thrown("Other", message), sdk);
    expect(error.code).toBe(code);
    expect(error.hint).toBeTruthy();
    expect(inspect(error, { depth: 9 })).not.toContain("canary");
  });

  it("knows the three classes, whatever they say", () => {
    expect(translate(thrown("RateLimitExceeded", "canary"), sdk).code).toBe("rate_limited");
    expect(translate(thrown("AuthExpired", "canary"), sdk).code).toBe("provider_expired");
    expect(translate(thrown("DesktopSessionExpired", "canary"), sdk).code).toBe("provider_expired");
  });

  it("takes what is no error at all", () => {
    const text = '{"name":"ParsingSecretReference","message":"canary"}';
    for (const odd of [text, undefined, null, 7, { message: "canary" }])
      expect(inspect(translate(odd, sdk))).not.toContain("canary");
  });

  it("waits for sentences that this version of the SDK still holds", () => {
    const dist = dirname(resolveIn("@1password/sdk"));
    const core = dirname(createRequire(join(dist, "sdk.js")).resolve("@1password/sdk-core"));
    const files = [
      join(core, "core_bg.wasm"),
      ...readdirSync(dist)
        .filter((name) => /\.(js|d\.ts)$/.test(name))
        .map((name) => join(dist, name)),
    ].map((path) => readFileSync(path));
    const phrases = TABLE.flatMap(({ says }) => says).flatMap((phrase) => phrase.split(/(?<=authentication error: )/));
    const unknown = phrases.filter((phrase) => !files.some((bytes) => bytes.includes(phrase)));
    expect(phrases.length).toBeGreaterThan(30);
    expect(unknown).toEqual([]);
  });
});
