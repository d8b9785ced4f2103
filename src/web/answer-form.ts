import * as z from "zod";
import type { Answer, Approval, Card } from "../core/card.ts";
import { shorterWindows } from "./windows.ts";

const NOTE_MAX = 500;

const Approve = z.object({
  verdict: z.literal("approve"),
  choice: z.union([z.enum(["window", "once"]), z.string().regex(/^[1-9]\d{3,9}$/)]),
  item: z.preprocess(
    (item) => (typeof item === "string" ? [item] : item),
    z
      .array(z.string().regex(/^\d{1,3}$/))
      .max(100)
      .default([]),
  ),
  signed: z.string().max(16_384).optional(),
});

const Form = z.discriminatedUnion("verdict", [
  Approve,
  z.object({ verdict: z.literal("deny") }),
  z.object({ verdict: z.literal("again"), note: z.string().transform(tidy).pipe(z.string().max(NOTE_MAX)) }),
  z.object({ verdict: z.literal("revoke") }),
]);

/** What the form of a card says. */
export type Said =
  | { readonly is: "approve"; readonly approval: Approval; readonly signed: string | undefined }
  | { readonly is: "answer"; readonly answer: Exclude<Answer, Approval> }
  | { readonly is: "revoke" }
  /** Approve, with everything unticked. */
  | { readonly is: "nothing" };

/**
 * What a person said with the form of this card, which showed `revision`; undefined where the form offers nothing of the
 * kind: what is not on the page cannot be chosen.
 */
export function saidIn(body: unknown, card: Card, revision: number): Said | undefined {
  const { success, data } = Form.safeParse(body);
  if (!success) return undefined;
  if (data.verdict === "revoke") return { is: "revoke" };
  if (data.verdict !== "approve") return { is: "answer", answer: data };
  const { choice, item, signed } = data;
  const window = windowIn(choice, card);
  const ticked = tickedIn(item.map(Number), card);
  if (window === undefined || ticked === undefined) return undefined;
  if (ticked === "none") return { is: "nothing" };
  return { is: "approve", approval: { verdict: "approve", revision, ...window, ...ticked }, signed };
}

/** Positions of the items that a person is asked for and can untick: none where there is one alone, which is denied instead. */
export function positionsToTick({ items }: Card): readonly number[] {
  const asked = items.flatMap(({ openUntil }, at) => (openUntil === undefined ? [at] : []));
  return asked.length > 1 ? asked : [];
}

function windowIn(choice: string, { offer }: Card): Pick<Approval, "choice" | "windowMs"> | undefined {
  if (choice === "once") return { choice };
  if (offer.windowMs === 0) return undefined;
  if (choice === "window") return { choice };
  const windowMs = shorterWindows(offer.windowMs).find((lengthMs) => String(lengthMs) === choice);
  return windowMs === undefined ? undefined : { choice: "window", windowMs };
}

function tickedIn(ticked: readonly number[], card: Card): Pick<Approval, "items"> | "none" | undefined {
  const offered = positionsToTick(card);
  if (new Set(ticked).size !== ticked.length || ticked.some((at) => !offered.includes(at))) return undefined;
  if (ticked.length === offered.length) return {};
  return ticked.length === 0 ? "none" : { items: [...ticked].sort((a, b) => a - b) };
}

// A form sends line breaks as two characters; the person typed one.
function tidy(note: string): string {
  return note.replaceAll("\r\n", "\n").trim();
}
