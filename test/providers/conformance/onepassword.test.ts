import { expect, it } from "vitest";
import { hunt } from "../../support/canaries.ts";
import { conformance } from "./conformance.ts";
import { refusal } from "./outcomes.ts";
import { sentence } from "./sentence.ts";
import { onepasswordWorld } from "./worlds/onepassword.ts";

conformance(onepasswordWorld, [
  "ends its request at the vault when the call is cancelled",
  "fetches no value to find what a name means",
  "follows nobody to another host",
  "says when to come back after too many calls",
  "takes no answer of two megabytes",
]);

// What is left of two promises that the SDK cannot keep for us.
it("takes nothing of its token to a host that 1Password would redirect to", async () => {
  const played = sentence("redirected", [], async (stage) => {
    const backend = await onepasswordWorld.start([]);
    try {
      await backend.break?.("redirect");
      const provider = await stage.open(backend);
      for (let tries = 0; tries < 5; tries++)
        expect(["provider_auth", "provider_unavailable"]).toContain(
          (await refusal(provider.resolve(["DB_PASSWORD"], stage.signal))).code,
        );
      expect(backend.elsewhere?.(), "the SDK follows").toBeGreaterThan(0);
      const tokens = backend.tokens.map((core) => ({ kind: "the token", core, value: core }));
      const sent = new Map([["what was sent there", Buffer.from(backend.sawElsewhere())]]);
      expect(hunt(tokens, sent)).toEqual([]);
    } finally {
      await backend.close();
    }
  });
  await played.play(onepasswordWorld);
});

it("says in its hint when it will ask 1Password again after too many calls", async () => {
  const played = sentence("limited", [], async (stage) => {
    const backend = await stage.start([["DB_PASSWORD", stage.secret("one")]]);
    const provider = await stage.open(backend);
    await backend.break?.("limited");
    const error = await refusal(provider.resolve(["DB_PASSWORD"], stage.signal));
    expect([error.code, error.hint]).toEqual(["rate_limited", expect.stringMatching(/try again in 60 s/)]);
    await backend.mend?.();
    expect((await refusal(provider.resolve(["DB_PASSWORD"], stage.signal))).code, "within that time").toBe(
      "rate_limited",
    );
    stage.clock.advance(60_000);
    expect(await provider.resolve(["DB_PASSWORD"], stage.signal)).toMatchObject([{ name: "DB_PASSWORD" }]);
  });
  await played.play(onepasswordWorld);
});
