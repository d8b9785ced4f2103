import type { IncomingMessage } from "node:http";
import { Router, urlencoded, type Request, type Response } from "express";
import type { AnswerBy, Card, Front } from "../core/card.ts";
import type { Clock } from "../core/clock.ts";
import { VaultError } from "../core/errors.ts";
import type { Approvers, Proof } from "../core/proof.ts";
import { notProven } from "../core/vouch.ts";
import { type Said, saidIn } from "./answer-form.ts";
import { cardPage } from "./card-page.ts";
import type { CardView } from "./card-view.ts";
import { draftIn, draftOut } from "./draft.ts";
import { oursOnly } from "./guard.ts";
import type { Holds } from "./holds.ts";
import { pageOf, signedIn } from "./passkey.ts";
import { createPolls } from "./poll.ts";
import { provingOf } from "./proving.ts";
import { forged, misunderstood, notAllowed, notApproved, notFound } from "./refusals.ts";
import type { Seal } from "./seal.ts";
import { type SealedForm, signingFor, UNSIGNED } from "./sign.ts";
import type { SignIns } from "./sign-ins.ts";

export interface ApproveOptions {
  readonly front: Front;
  readonly approvers: Approvers;
  readonly clock: Clock;
  readonly seal: Seal;
  readonly holds: Holds;
  /** Tells whose device an answer came from; absent where there is no inbox. */
  readonly signIns?: Pick<SignIns, "of"> | undefined;
  readonly onRefused: (what: string) => void;
  readonly originOf: (request: IncomingMessage) => string | undefined;
  /** Every origin the page can be reached at now. */
  readonly ourOrigins: () => readonly string[];
}

const TOKEN = /^[A-Za-z0-9_-]{16,128}$/;
/** A form of a hundred items, with a signature. */
const FORM = urlencoded({ extended: false, limit: "16kb", parameterLimit: 120 });

/** The page of one request: GET shows, POST from that very page decides, nothing else does anything. */
export function approveRoutes(options: ApproveOptions): Router {
  const { front, approvers, clock, seal, holds, signIns, onRefused, originOf, ourOrigins } = options;
  const router = Router({ strict: true, caseSensitive: true });
  const poll = createPolls({ front, clock, holds });

  router.get("/approve/:token", async (request, response) => {
    const token = tokenOf(request);
    const origin = originOf(request);
    const card = token === undefined ? undefined : await front.card(token);
    if (token === undefined || card === undefined || origin === undefined) return notFound(response);
    const notTaken = notTakenIn(request.query, card);
    const view: CardView = {
      card,
      token,
      seal: seal.of(token, card.revision),
      proving: provingOf(card, approvers, origin, ourOrigins()),
      draft: draftIn(request.query),
      now: clock.now(),
      isSignedIn: signIns?.of(request, origin) !== undefined,
      ...(notTaken && { notTaken }),
    };
    response.send(cardPage(view));
  });

  router.get("/approve/:token/live", async (request, response) => {
    const token = tokenOf(request);
    const version = versionOf(request);
    if (token === undefined) return notFound(response);
    if (version === undefined) return misunderstood(response);
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const end = await poll(token, version, gone.signal);
    if (gone.signal.aborted) return;
    switch (end.is) {
      case "changed":
        return void response.json({ version: end.version });
      case "quiet":
        return void response.status(204).end();
      case "gone":
        return notFound(response);
      case "crowded":
        return void response.status(429).set("Retry-After", "5").end();
    }
  });

  /** What a form of ours is about; or what is wrong with it. */
  const formOf = async (request: Request): Promise<SealedForm | "forged" | "notFound"> => {
    const token = tokenOf(request);
    const body: unknown = request.body;
    if (!isRecord(body) || typeof body["seal"] !== "string") return "forged";
    const revision = seal.revisionIn(token ?? "", body["seal"]);
    if (revision === undefined) return "forged";
    const card = token === undefined ? undefined : await front.card(token);
    return token === undefined || card === undefined ? "notFound" : { card, token, revision, body };
  };

  // The order matters: whoever cannot show our form learns nothing about which requests exist.
  const ours = (refuse: (response: Response) => void) => oursOnly(originOf, refuse);

  router.post("/approve/:token", ours(forged), FORM, async (request, response) => {
    const form = await formOf(request);
    if (form === "forged") return forged(response);
    if (form === "notFound") return notFound(response);
    const { card, token, revision, body } = form;
    const path = `/approve/${token}`;
    const said = saidIn(body, card, revision);
    // What the form offered may not be what the card offers now.
    const isOld = card.revision !== revision;
    if (isOld && (said === undefined || said.is === "nothing")) return response.redirect(303, `${path}?changed`);
    if (said === undefined) return misunderstood(response);
    if (said.is === "nothing") return notApproved.nothingTicked(response, path);
    const drafted = said.is === "approve" ? draftOut(said.approval) : [];
    const back = drafted.length === 0 ? path : `${path}?${drafted.join("&")}`;
    const proof = proofIn(said);
    if (proof === undefined) return misunderstood(response);
    if (said.is === "approve" && card.offer.proof === "passkey" && proof === "link") {
      return notApproved.unsigned(response, back);
    }
    if (proof !== "link" && pageOf(proof.response) !== originOf(request)) {
      onRefused("a yes that was signed on another page");
      return notApproved.because(response, back, notProven("it was signed on another page"));
    }
    try {
      const isSignedIn = signIns?.of(request, originOf(request) ?? "") !== undefined;
      const done = await tell(front, token, said, { proof, ...(isSignedIn && { signedIn: true }) });
      const now = await front.card(token);
      const isStale = said.is === "approve" && now?.revision !== revision;
      const why = [isStale ? "changed" : "late", ...drafted].join("&");
      // Several can share a card, and one that could not be answered is what its page shows next.
      const after = now?.standing.is === "waiting" ? `${path}?others` : path;
      response.redirect(303, done ? after : `${path}?${why}`);
    } catch (error) {
      if (!(error instanceof VaultError) || !NO_YES.includes(error.code)) throw error;
      notApproved.because(response, back, error);
    }
  });

  router.post("/approve/:token/sign", ours(unsigned("forged")), FORM, async (request, response) => {
    const form = await formOf(request);
    if (typeof form === "string") return unsigned(form)(response);
    const { status, body } = await signingFor(form, originOf(request) ?? "", { front, approvers });
    response.status(status).json(body);
  });

  router.all("/approve/:token", (_request, response) => notAllowed(response, "GET, HEAD, POST"));
  router.all("/approve/:token/live", (_request, response) => notAllowed(response, "GET, HEAD"));
  router.all("/approve/:token/sign", (_request, response) => notAllowed(response, "POST"));
  return router;
}

/** Why a yes can fail to count while the request waits on. */
const NO_YES: readonly string[] = ["audit_unavailable", "not_proven", "approvers_unavailable"];

function notTakenIn({ late, changed, others }: Request["query"], { standing }: Card): CardView["notTaken"] {
  if (late !== undefined) return "late";
  if (changed !== undefined) return "changed";
  return others !== undefined && standing.is === "waiting" ? "others" : undefined;
}

function unsigned(why: keyof typeof UNSIGNED): (response: Response) => void {
  const { status, body } = UNSIGNED[why];
  return (response) => void response.status(status).json(body);
}

/** Undefined where what should be a signature is none. */
function proofIn(said: Said): Proof | undefined {
  return said.is === "approve" && said.signed !== undefined ? signedIn(said.signed) : "link";
}

function tell(front: Front, token: string, said: Exclude<Said, { is: "nothing" }>, by: AnswerBy): Promise<boolean> {
  if (said.is === "revoke") return front.revoke(token);
  return front.answer(token, said.is === "approve" ? said.approval : said.answer, by);
}

function tokenOf(request: Request): string | undefined {
  const token: unknown = request.params["token"];
  return typeof token === "string" && TOKEN.test(token) ? token : undefined;
}

function versionOf(request: Request): number | undefined {
  const version: unknown = request.query["version"];
  return typeof version === "string" && /^\d{1,15}$/.test(version) ? Number(version) : undefined;
}

function isRecord(body: unknown): body is Record<string, unknown> {
  return typeof body === "object" && body !== null;
}
