import { dirname } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { Approval, Card } from "../../src/core/card.ts";
import type { Decision } from "../../src/core/proof.ts";
import { createAuthenticator } from "../support/authenticator.ts";
import { addFiles, hunt, newCanary } from "../support/canaries.ts";
import { newDesk } from "../support/desk-sessions.ts";
import { falseHost } from "../support/false-host.ts";
import { buildPatched } from "../support/patched.ts";

/** What came of everything that a false host can make up, against one session that waits for a signature. */
async function attack(program?: string) {
  const canary = newCanary("value");
  const desk = newDesk({
    secrets: { KEY: canary.core },
    vault: { ttl: 10 },
    ...(program !== undefined && { program }),
  });
  onTestFinished(() => desk.close());
  const host = await falseHost(desk.world);
  onTestFinished(() => host.close());
  const session = desk.start();
  const call = session.ask("KEY");
  const token = await host.token;
  await call.link;
  const card = (await host.call("card", { token })).value as Card;
  const once: Approval = { verdict: "approve", choice: "once", revision: card.revision };
  const window: Approval = { ...once, choice: "window" };
  const decision = (await host.call("decision", { token, approval: once })).value as Decision;

  const { phone } = desk;
  const stranger = createAuthenticator({ origin: phone.origin });
  const elsewhere = createAuthenticator({ origin: "http://localhost:1" });
  const signIn = phone.signed({ ...decision, decision: "sign-in" });
  const other = phone.signed({ ...decision, hashes: ["x".repeat(43)] });
  const tries: Record<string, [Approval, unknown]> = {
    "the bare link": [once, "link"],
    "no signature at all": [once, { approver: phone.credentialId, decision, response: {} }],
    "a signature of nobody who is enrolled": [once, stranger.signed(decision)],
    "that in the name of one who is": [once, { ...stranger.signed(decision), approver: phone.credentialId }],
    "one of another page": [once, { ...elsewhere.signed(decision), approver: phone.credentialId }],
    "one that was given to sign in": [once, signIn],
    "that, said to be a yes": [once, { ...signIn, decision }],
    "one that was given to another request": [once, other],
    "that, said to be for this one": [once, { ...other, decision }],
    "one of an hour ago": [once, phone.signed({ ...decision, at: decision.at - 3_600_000 })],
    "one for just once, used for a window": [window, phone.signed(decision)],
  };
  const taken: string[] = [];
  for (const [name, [answer, proof]] of Object.entries(tries)) {
    const { value } = await host.call("answer", { token, answer, proof });
    if (value === true) taken.push(name);
  }
  const places = new Map([["the socket", host.heard()]]);
  addFiles(places, "state", dirname(desk.world.database), () => false);
  const denied = await host.call("answer", { token, answer: { verdict: "deny" }, proof: "link" });
  // What is looked through has everything that a card shows.
  expect(host.heard().toString()).toContain("run migration 0042");
  return { taken, leaks: hunt([canary], places), denied: denied.value, came: await call.outcome };
}

it("a false host learns no value and can approve nothing: it can lie to the person, and deny", async () => {
  expect(await attack()).toEqual({ taken: [], leaks: [], denied: true, came: "denied" });
});

it("would approve if sessions believed what they are told (planted bug)", async () => {
  const plants = [
    {
      file: "src/core/approving.ts",
      from: "const approver = await this.#approvers.accept(proof);",
      to: "const approver = this.#approvers.all()[0]!;",
    },
  ];
  const twin = await buildPatched("src/main.ts", plants);
  onTestFinished(() => twin.remove());
  const { taken, came } = await attack(twin.file);
  expect(taken.length).toBeGreaterThan(0);
  expect(came).not.toBe("denied");
});
