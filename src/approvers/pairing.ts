import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import type { Clock } from "../core/clock.ts";
import { VaultError } from "../core/errors.ts";
import type { PairingStep, PairingView } from "../core/pairing.ts";
import type { Journal } from "../core/ports.ts";
import type { Approver } from "../core/proof.ts";
import { visible } from "../core/text.ts";
import { checkAttestation, codeOf, creationOptions } from "./attestation.ts";
import { type Change, eventOf } from "./changes.ts";
import { type Confirmation, newConfirmation } from "./confirmation.ts";
import { newCourse, sentenceOf, type Stage } from "./course.ts";
import type { ApproverStore } from "./store.ts";

/** A change of who may approve, while it lasts. Everything of it dies with the process. */
export interface Changing {
  /** The secret part of the link to its page. */
  readonly token: string;
  /** Proves to the host of the page that it is this process's. */
  readonly key: string;
  /** Epoch ms. */
  readonly expiresAt: number;
  /** What `Front.pairing` answers; undefined where the token is of something else. */
  readonly step: (token: string, step: PairingStep) => Promise<PairingView | undefined>;
  /** How it stands, without the code. */
  readonly view: () => PairingView;
  /** Resolves to the stage as soon as it is another than this one. */
  readonly after: (stage: Stage) => Promise<Stage>;
  /** Who signed for it; absent where nobody did (yet). */
  readonly signer: () => Approver | undefined;
  /** Ends it where it stands. */
  readonly close: () => void;
}

/** The enrolment of one more approver. */
export interface Pairing extends Changing {
  /**
   * What was typed at the terminal. True when it is the code, and the approver counts from now on. False when it is not;
   * the third time ends the pairing. Rejects when nothing came of the right code: that ends it too.
   */
  readonly confirm: (typed: string) => Promise<boolean>;
}

export interface ChangingOptions {
  readonly store: ApproverStore;
  readonly journal: Pick<Journal, "record" | "note">;
  readonly clock: Clock;
}

/** How long a change is open, ms. */
export const OPEN_MS = 5 * 60_000;
const MOST_CODES = 3;

interface Asked {
  readonly origin: string;
  readonly rpId: string;
  readonly challenge: string;
}

interface Made {
  readonly change: Change;
  readonly code: string;
  /** Absent where nobody was enrolled: then the code alone counts. */
  readonly confirmation?: Confirmation;
}

/**
 * Opens the enrolment of one more approver, for five minutes and for the one device that begins it. Where somebody is
 * enrolled already, one of them signs for the new key. It counts only when the code that the device shows was typed at
 * the terminal.
 */
export function openPairing(name: string, { store, journal, clock }: ChangingOptions): Pairing {
  const course = newCourse({ kind: "add", name: visible(name), stage: "ready" }, clock, OPEN_MS);
  let holder: string | undefined;
  let asked: Asked | undefined;
  let made: Made | undefined;
  let confirmed: Awaited<ReturnType<Confirmation["finish"]>> | undefined;
  let codes = 0;

  const view = (device?: string, own?: Partial<PairingView>): PairingView => {
    const stage = course.stage();
    const isHolder = device !== undefined && device === holder;
    if (stage === "ready" && holder !== undefined && !isHolder) return course.view({ stage: "failed", text: HELD });
    if (stage === "compare" && made)
      return course.view({ ...(isHolder ? { code: made.code } : { text: ELSEWHERE }), ...own });
    if (stage === "confirm") {
      return course.view(
        isHolder
          ? { isOwn: true, text: `${names()} has to agree.`, ...own }
          : { text: `${names()} can sign this.`, ...own },
      );
    }
    return course.view(own);
  };
  const names = (): string =>
    store
      .all()
      .map((approver) => approver.name)
      .join(" or ");

  const begin = async (device: string, origin: string): Promise<PairingView> => {
    if (course.stage() === "confirm") {
      const options = made?.confirmation?.begin(origin);
      return view(device, options ? { options } : { text: `Open this page where ${names()} can sign: ${pages()}.` });
    }
    if (course.stage() !== "ready" || (holder !== undefined && holder !== device)) return view(device);
    const rpId = hostOf(origin);
    if (rpId === undefined) return view(device, { text: NO_NAME });
    holder = device;
    const options = await creationOptions(visible(name), rpId, store.all(), course.expiresAt - clock.now());
    asked = { origin, rpId, challenge: options.challenge };
    return view(device, { options });
  };
  const pages = (): string => [...new Set(store.all().map(({ origin }) => origin))].join(" or ");

  const register = async (device: string, origin: string, response: unknown): Promise<PairingView> => {
    const wanted = asked;
    if (device !== holder || !wanted || wanted.origin !== origin) return view(device);
    // One challenge, one passkey: what comes twice is looked at once.
    asked = undefined;
    const approver = await checkAttestation({ name: visible(name), ...wanted }, response, clock.now());
    if (course.stage() !== "ready") return view(device);
    const change: Change = { kind: "add", approver, nonce: randomBytes(16).toString("base64url") };
    const code = codeOf(course.token, wanted.challenge, approver);
    const isFirst = store.all().length === 0;
    const signers = (): ReturnType<ApproverStore["all"]> => store.all();
    made = { change, code, ...(!isFirst && { confirmation: newConfirmation({ change, store, clock, signers }) }) };
    course.move("ready", isFirst ? "compare" : "confirm");
    return view(device);
  };

  const sign = async (device: string, response: unknown): Promise<PairingView> => {
    const signature = await made?.confirmation?.finish(response);
    if (signature && course.stage() === "confirm") {
      confirmed = signature;
      course.move("confirm", "compare");
    }
    return view(device);
  };

  /** Whether what was found out earlier still holds; rejects where it does not. */
  const stillHolds = async (): Promise<void> => {
    if (confirmed) await store.recheck(confirmed.signed);
    else if (store.all().length > 0) throw meanwhile();
  };

  const enrol = async (change: Change): Promise<void> => {
    await stillHolds();
    // In the log before it counts; if it cannot be, it does not count.
    await journal.record([eventOf(change, clock.now(), confirmed?.by)]);
    try {
      await stillHolds();
      if (!store.add(change.approver)) throw new VaultError("conflict", "this passkey is enrolled already");
    } catch (error) {
      journal.note({ ...eventOf({ ...change, kind: "remove" }, clock.now()), detail: "it could not be kept" });
      throw error;
    }
  };

  return {
    token: course.token,
    key: course.key,
    expiresAt: course.expiresAt,
    view: () => view(),
    after: course.after,
    signer: () => confirmed?.by,
    close: course.close,
    step: async (token, step) => {
      if (token !== course.token) return undefined;
      try {
        if (step.do === "look") return view(step.device);
        if (step.do === "begin") return await begin(step.device, step.origin);
        if (course.stage() === "confirm") return await sign(step.device, step.response);
        return course.stage() === "ready" ? await register(step.device, step.origin, step.response) : view(step.device);
      } catch (error) {
        return view(step.device, { text: sentenceOf(error) });
      }
    },
    confirm: async (typed) => {
      const { change, code } = made ?? {};
      if (course.stage() !== "compare" || !change) return false;
      if (typed.replace(/[\s-]/g, "") !== code) {
        codes += 1;
        // Three of these end the pairing, so they cannot flood the log.
        journal.note({ kind: "refused", at: clock.now(), code: "not_proven", detail: WRONG_CODE });
        if (codes >= MOST_CODES) course.move("compare", "failed", WRONG);
        return false;
      }
      await course.settle("compare", () => enrol(change));
      return true;
    },
  };
}

const HELD = "Another device has begun this pairing, and only one can.";
const ELSEWHERE = "The code is on the device that is being paired.";
const NO_NAME = "No passkey can be made on this page: open it under localhost, or through a tunnel.";
const WRONG_CODE = "another code was typed than the device shows that is being paired";
const WRONG = "Another code was typed three times.";

/** The host name that a passkey made on a page is bound to; undefined where browsers make none. */
function hostOf(origin: string): string | undefined {
  const { protocol, hostname } = new URL(origin);
  if (isIP(hostname) !== 0 || hostname.startsWith("[")) return undefined;
  return protocol === "https:" || hostname === "localhost" ? hostname : undefined;
}

function meanwhile(): VaultError {
  return new VaultError("conflict", "somebody else was paired in the meantime");
}
