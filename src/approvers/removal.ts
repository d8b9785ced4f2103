import { randomBytes } from "node:crypto";
import { VaultError } from "../core/errors.ts";
import type { Approver } from "../core/proof.ts";
import { visible } from "../core/text.ts";
import { type Change, eventOf } from "./changes.ts";
import { newConfirmation } from "./confirmation.ts";
import { newCourse, sentenceOf } from "./course.ts";
import { type Changing, type ChangingOptions, OPEN_MS } from "./pairing.ts";
import type { Enrolled } from "./record.ts";

/**
 * Opens the removal of an approver, for five minutes: one of those who stay signs for it. The last one signs for its own;
 * `lastOne` says what that means here, in a sentence or two.
 */
export function openRemoval(
  approver: Enrolled,
  { store, journal, clock, lastOne }: ChangingOptions & { readonly lastOne: string },
): Changing {
  const course = newCourse({ kind: "remove", name: visible(approver.name), stage: "confirm" }, clock, OPEN_MS);
  const change: Change = { kind: "remove", approver, nonce: randomBytes(16).toString("base64url") };
  let by: Approver | undefined;

  const staying = (): readonly Enrolled[] => store.all().filter(({ id }) => id !== approver.id);
  const signers = (): readonly Enrolled[] => {
    const stay = staying();
    return stay.length > 0 ? stay : store.all();
  };
  const confirmation = newConfirmation({ change, store, clock, signers });
  const about = (): string => {
    const names = signers().map(({ name }) => name);
    const last = staying().length === 0 ? `${lastOne} ` : "";
    return `${last}${names.join(" or ")} can sign this.`;
  };
  const view: Changing["view"] = () => {
    const stage = course.stage();
    return course.view(stage === "confirm" ? { text: about() } : {});
  };

  const begin = (origin: string): ReturnType<Changing["view"]> => {
    if (course.stage() !== "confirm") return view();
    const options = confirmation.begin(origin);
    const pages = new Set(signers().map((signer) => signer.origin));
    const elsewhere = `Open this page where its passkey can sign: ${[...pages].join(" or ")}.`;
    return options ? { ...view(), options } : course.view({ text: `${about()} ${elsewhere}` });
  };

  const finish = async (response: unknown): Promise<void> => {
    const signature = await confirmation.finish(response);
    await course.settle("confirm", async () => {
      // In the log before it is done; if it cannot be, nothing is.
      await journal.record([eventOf(change, clock.now(), signature.by)]);
      try {
        await store.recheck(signature.signed);
        // Each of two who remove one another at this moment has been found enrolled.
        if (!store.remove(approver.id, signature.by.id)) {
          throw new VaultError("conflict", "who may approve has changed in the meantime", { hint: "start it again" });
        }
      } catch (error) {
        journal.note({ ...eventOf({ ...change, kind: "add" }, clock.now()), detail: "it could not be removed" });
        throw error;
      }
      ({ by } = signature);
    });
  };

  return {
    token: course.token,
    key: course.key,
    expiresAt: course.expiresAt,
    view,
    after: course.after,
    signer: () => by,
    close: course.close,
    step: async (token, step) => {
      if (token !== course.token) return undefined;
      try {
        if (step.do === "begin") return begin(step.origin);
        if (step.do === "finish" && course.stage() === "confirm") await finish(step.response);
        return view();
      } catch (error) {
        return course.view({ text: sentenceOf(error) });
      }
    },
  };
}
