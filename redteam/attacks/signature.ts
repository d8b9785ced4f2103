import { type Authenticator, createAuthenticator } from "../../test/support/authenticator.ts";
import { challengeOf, type Decision } from "../../src/core/proof.ts";
import { type Attack, type Gain, NOTHING } from "../attack.ts";
import { type Form, post, sealIn, signedBy, type Signing, signingOf } from "../person.ts";
import { put } from "../store.ts";
import type { Asked, World } from "../world.ts";
import { finish } from "./steal.ts";

const PASSKEY: Attack["expected"] = { "passkey/same-user": "stopped" };

function phoneOf(world: World): Authenticator {
  if (!world.person.phone) throw new Error("nobody is enrolled here");
  return world.person.phone;
}

/** The form of a yes, without a signature. */
async function yes(world: World, link: string, choice = "once"): Promise<Form> {
  return { seal: sealIn(await world.person.page(link)), verdict: "approve", choice };
}

/** Sends the agent's own form; what it achieved shows in what the agent holds afterwards. */
async function send(link: string, form: Form): Promise<number> {
  return (await post(link, form)).status;
}

/** Has the person's phone sign something else than the page asked for, and sends that. */
async function signedOtherwise(
  world: World,
  change: (signing: Signing, phone: Authenticator) => string,
): Promise<Gain> {
  const asked = await world.ask();
  const form = await yes(world, asked.link);
  const signing = await signingOf(asked.link, form);
  await send(asked.link, { ...form, signed: change(signing, phoneOf(world)) });
  await finish(world, asked);
  return NOTHING;
}

/** A decision with its own challenge, as a page that changed it would have it signed. */
function remade(decision: Decision, { options }: Signing): Signing {
  return { decision, options: { ...options, challenge: challengeOf(decision) } };
}

/** One more request, of the same kind, whose link the agent has too. */
async function another(world: World, name: "API_KEY" | "OTHER_KEY"): Promise<Asked> {
  return world.ask(name, "one more thing");
}

export const signatureAttacks: readonly Attack[] = [
  {
    id: "signature-replay",
    title: "sends a signed approval it saw once more: to the same request, and to the next one",
    about: "signature",
    expected: PASSKEY,
    why: "what is signed names one request with a nonce of its own, and counts once",
    isLight: true,
    control: [
      {
        file: "src/core/proof.ts",
        from: "if (v !== 1 || decision.decision !== purpose || !hashes.includes(hash)) return false;",
        to: 'if (v !== 1 || decision.decision !== purpose || hash === "") return false;',
      },
      {
        file: "src/core/approving.ts",
        from: 'if (this.#used.find(use)) throw notProven("its signature was used already");\n    const approver',
        to: "const approver",
      },
      { file: "src/approvers/spent.ts", from: "if (use.count >= most) return false;", to: "" },
      {
        file: "src/core/vouch.ts",
        from: 'if (decision !== "approve" || !hashes.includes(hashOf(statement))) throw',
        to: 'if (decision !== "approve" || hashes.length === 0) throw',
      },
    ],
    run: async (world) => {
      const first = await world.ask();
      const { form, status } = await world.person.approve(first.link);
      await first.call;
      if (status !== 303) throw new Error(`the person's own approval was answered with ${status}`);
      await send(first.link, form);
      const next = await another(world, "OTHER_KEY");
      const seal = sealIn(await world.person.page(next.link));
      await Promise.all([send(next.link, { ...form, seal }), send(next.link, { ...form, seal })]);
      await finish(world, next);
      return NOTHING;
    },
  },
  {
    id: "signature-request-swap",
    title: "has the person sign for one request and sends the signature to another",
    about: "signature",
    expected: PASSKEY,
    why: "the signature is over the vault, every secret, the action, the requester and the configuration",
    run: async (world) => {
      const wanted = await world.ask("OTHER_KEY");
      const shown = await another(world, "API_KEY");
      const signing = await signingOf(shown.link, await yes(world, shown.link));
      const signed = signedBy(phoneOf(world), signing);
      await send(wanted.link, { ...(await yes(world, wanted.link)), signed });
      await finish(world, wanted);
      await finish(world, shown);
      return NOTHING;
    },
  },
  {
    id: "signature-window-widening",
    title: 'has "just this once" signed and sends it as a window; has a short window signed and sends a long one',
    about: "signature",
    expected: PASSKEY,
    why: "uses and length of the window are part of what is signed",
    run: async (world) => {
      for (const [shown, wanted] of [
        ["once", "window"],
        ["300000", "window"],
        ["once", "300000"],
      ] as const) {
        const asked = await world.ask("API_KEY", `${shown} as ${wanted}`);
        const plain = await yes(world, asked.link, shown);
        const signed = signedBy(phoneOf(world), await signingOf(asked.link, plain));
        await send(asked.link, { ...plain, choice: wanted, signed });
        const opened = world.events().some(({ kind }) => kind === "approved");
        // Sent back, so that the next of these may be asked at once.
        await send(asked.link, { ...plain, verdict: "again", note: "no" });
        await asked.call;
        if (opened) return { got: `${wanted} with a signature for ${shown}` };
      }
      return NOTHING;
    },
  },
  {
    id: "signature-more-items",
    title: "has one of two secrets signed and sends the approval for both",
    about: "signature",
    expected: PASSKEY,
    why: "each secret is part of what is signed; what was unticked is not",
    run: async (world) => {
      const session = await world.session();
      const call = session.call("get_secrets", {
        vault: "dev",
        names: ["API_KEY", "OTHER_KEY"],
        reason: "both of them",
      });
      const link = await world.link();
      const seal = sealIn(await world.person.page(link));
      const plain: Form = { seal, verdict: "approve", choice: "once", item: ["0"] };
      const signed = signedBy(phoneOf(world), await signingOf(link, plain));
      await send(link, { ...plain, item: ["0", "1"], signed });
      await send(link, { ...plain, item: ["1"], signed });
      await world.person.deny(link);
      await call;
      return NOTHING;
    },
  },
  {
    id: "signature-flipped-denial",
    title: "turns a no into a yes: answers after the denial, and with signatures made for something else",
    about: "signature",
    expected: PASSKEY,
    why: "a no needs no signature and makes none; a signature says what it is for",
    run: async (world) => {
      const asked = await world.ask();
      const form = await yes(world, asked.link);
      const signing = await signingOf(asked.link, form);
      const phone = phoneOf(world);
      for (const purpose of ["sign-in", "add-approver", "remove-approver"] as const) {
        const decision = { ...signing.decision, decision: purpose };
        const signed = JSON.parse(signedBy(phone, remade(decision, signing))) as object;
        await send(asked.link, { ...form, signed: JSON.stringify(signed) });
        await send(asked.link, { ...form, signed: JSON.stringify({ ...signed, decision: signing.decision }) });
      }
      await world.person.deny(asked.link);
      await send(asked.link, { ...form, signed: signedBy(phone, signing) });
      await asked.call;
      return NOTHING;
    },
  },
  {
    id: "signature-expired",
    title: "keeps a signature for later, and dates one ahead",
    about: "signature",
    expected: PASSKEY,
    why: "the time is signed as well, and counts for two minutes",
    control: [
      {
        file: "src/core/proof.ts",
        from: "return Number.isInteger(at) && now - at <= FRESH_MS && at - now <= AHEAD_MS;",
        to: "return Number.isInteger(at) && now > 0;",
      },
    ],
    run: async (world) => {
      const asked = await world.ask();
      const form = await yes(world, asked.link);
      const signing = await signingOf(asked.link, form);
      for (const ms of [-121_000, 5_000, 3_600_000, -Number.MAX_SAFE_INTEGER]) {
        const decision = { ...signing.decision, at: Math.max(0, signing.decision.at + ms) };
        await send(asked.link, { ...form, signed: signedBy(phoneOf(world), remade(decision, signing)) });
      }
      await finish(world, asked);
      return NOTHING;
    },
  },
  {
    id: "signature-unknown-key",
    title: "signs with a passkey of its own, also under the id of the person's",
    about: "signature",
    expected: { "passkey/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "only the public keys in the store count",
    isLight: true,
    run: (world) =>
      signedOtherwise(world, (signing, phone) => {
        const evil = createAuthenticator({ origin: phone.origin });
        const response = evil.sign(signing.options);
        const { credentialId } = phone;
        return JSON.stringify({
          decision: signing.decision,
          response: { ...response, id: credentialId, rawId: credentialId },
        });
      }),
  },
  {
    id: "signature-removed-approver",
    title: "signs with the passkey of an approver who was removed, and uses a window they had opened",
    about: "signature",
    expected: PASSKEY,
    why: "at each use the proof is looked at again: who is no approver any more permits nothing",
    control: [
      { file: "src/core/vouch.ts", from: "await approvers.recheck(proof);", to: "" },
      { file: "src/core/vouch.ts", from: "stillEnrolled(warrants, options);", to: "{}" },
    ],
    run: async (world) => {
      const asked = await world.ask();
      await world.person.approve(asked.link, { choice: "window" });
      await asked.call;
      const phone = phoneOf(world);
      const spare = createAuthenticator({ origin: phone.origin });
      exchange(world, spare, phone);
      const session = await world.session();
      const early = await session.get("API_KEY");
      if (early.status === "ok") return { got: "a window of somebody who is no approver any more still gives" };
      const call = session.get("API_KEY");
      const first = await world.linkOr(call);
      if (typeof first !== "string") throw new Error(`nobody was asked: ${first.status}`);
      const form = await yes(world, first);
      const signing = await signingOf(first, form);
      await send(first, { ...form, signed: signedBy(phone, signing) });
      await world.person.deny(first);
      return (await call).status === "ok" ? { got: "a removed approver approved" } : NOTHING;
    },
  },
  {
    id: "signature-other-page",
    title: "has the passkey sign on a page of its own under another name",
    about: "signature",
    expected: PASSKEY,
    why: "the browser signs which page asked, and only the page of the pairing counts",
    control: [
      {
        file: "src/approvers/assertion.ts",
        from: "if (!signsOn({ origin: paired }, origin))",
        to: "if (paired === origin + origin)",
      },
      {
        file: "src/web/approve.ts",
        from: 'if (proof !== "link" && pageOf(proof.response) !== originOf(request)) {',
        to: 'if (proof !== "link" && pageOf(proof.response) === undefined) {',
      },
    ],
    run: (world) =>
      signedOtherwise(world, (signing, phone) => {
        const { origin } = phone;
        phone.origin = "http://localhost.evil.example";
        const signed = signedBy(phone, signing);
        phone.origin = origin;
        return signed;
      }),
  },
  {
    id: "signature-lying-page",
    title:
      "opens a page of its own on another port of localhost that tells a lie, and has the passkey sign the real challenge there",
    about: "signature",
    expected: { "passkey/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "a signature sent to the page has to be made on that very page, port included",
    control: [
      {
        file: "src/web/approve.ts",
        from: 'if (proof !== "link" && pageOf(proof.response) !== originOf(request)) {',
        to: 'if (proof !== "link" && pageOf(proof.response) === undefined) {',
      },
    ],
    run: (world) =>
      signedOtherwise(world, (signing, phone) => {
        const { origin } = phone;
        phone.origin = "http://localhost:4711";
        const signed = signedBy(phone, signing);
        phone.origin = origin;
        return signed;
      }),
  },
  {
    id: "signature-unlocked-phone",
    title: "uses a phone that lies around: the passkey without its owner's finger or face",
    about: "signature",
    expected: PASSKEY,
    why: "the phone has to say that it verified its owner",
    control: [
      {
        file: "src/approvers/assertion.ts",
        from: "requireUserVerification: true,",
        to: "requireUserVerification: false,",
      },
      {
        file: "src/approvers/assertion.ts",
        from: "if (!verified.verified || !verified.authenticationInfo.userVerified) throw",
        to: "if (!verified.verified) throw",
      },
    ],
    run: (world) =>
      signedOtherwise(world, (signing, phone) => {
        phone.userVerified = false;
        const signed = signedBy(phone, signing);
        phone.userVerified = true;
        return signed;
      }),
  },
  {
    id: "signature-longer-list",
    title: "adds a second request to the list after it was signed, doubles it, empties it, breaks it",
    about: "signature",
    expected: PASSKEY,
    why: "the challenge is over the whole list, in its order",
    run: async (world) => {
      const asked = await world.ask();
      const other = await another(world, "OTHER_KEY");
      const form = await yes(world, asked.link);
      const [signing, second] = [
        await signingOf(asked.link, form),
        await signingOf(other.link, await yes(world, other.link)),
      ];
      const { decision, response } = JSON.parse(signedBy(phoneOf(world), signing)) as {
        decision: Decision;
        response: object;
      };
      const lists = [
        [...decision.hashes, ...second.decision.hashes],
        [...second.decision.hashes],
        [],
        [...decision.hashes, ...decision.hashes],
      ];
      for (const hashes of lists) {
        const signed = JSON.stringify({ decision: { ...decision, hashes }, response });
        await send(other.link, { ...(await yes(world, other.link)), signed });
        await send(asked.link, { ...form, signed });
      }
      for (const signed of [
        "",
        "{}",
        "null",
        "[]",
        '{"decision":{}}',
        "x".repeat(16_000),
        JSON.stringify({ decision, response: { ...response, type: "x" } }),
      ])
        await send(asked.link, { ...form, signed });
      await finish(world, asked);
      await finish(world, other);
      return NOTHING;
    },
  },
];

/** What `agent-vault approvers --remove` leaves behind: another approver instead of this one. */
function exchange(world: World, spare: Authenticator, gone: Authenticator): void {
  put(world.storeOf(spare));
  put({ ...world.storeOf(gone), isGone: true });
}
