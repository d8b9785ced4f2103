import type { IncomingMessage } from "node:http";
import { Router, urlencoded, type NextFunction, type Request, type Response } from "express";
import * as z from "zod";
import type { Front } from "../core/card.ts";
import type { Clock } from "../core/clock.ts";
import { VaultError } from "../core/errors.ts";
import { cardPage } from "./card-page.ts";
import type { CardView } from "./card-view.ts";
import { fromOurPage } from "./guard.ts";
import { plainPage } from "./page.ts";
import { createPolls } from "./poll.ts";
import { createSeal } from "./seal.ts";

export interface ApproveOptions {
  readonly front: Front;
  readonly clock: Clock;
  readonly closing: AbortSignal;
  readonly originOf: (request: IncomingMessage) => string | undefined;
}

const TOKEN = /^[A-Za-z0-9_-]{16,128}$/;
const NOTE_MAX = 500;

const Form = z.discriminatedUnion("verdict", [
  z.object({ verdict: z.literal("approve"), choice: z.enum(["window", "once"]) }),
  z.object({ verdict: z.literal("deny") }),
  z.object({ verdict: z.literal("again"), note: z.string().transform(tidy).pipe(z.string().max(NOTE_MAX)) }),
  z.object({ verdict: z.literal("revoke") }),
]);

/** The page of one request: GET shows, POST from that very page decides, nothing else does anything. */
export function approveRoutes({ front, clock, closing, originOf }: ApproveOptions): Router {
  const router = Router({ strict: true, caseSensitive: true });
  const poll = createPolls({ front, clock, closing });
  const seal = createSeal();

  router.get("/approve/:token", async (request, response) => {
    const token = tokenOf(request);
    const card = token === undefined ? undefined : await front.card(token);
    if (token === undefined || card === undefined) return notFound(response);
    const { late, changed } = request.query;
    const notTaken: CardView["notTaken"] = late !== undefined ? "late" : changed !== undefined ? "changed" : undefined;
    const view = { card, token, seal: seal.of(token, card.revision), now: clock.now(), ...(notTaken && { notTaken }) };
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

  const ours = (request: Request, response: Response, next: NextFunction): void => {
    const origin = originOf(request);
    if (origin === undefined || !fromOurPage(request, origin)) forged(response);
    else next();
  };

  // The order matters: whoever cannot show our form learns nothing about which requests exist.
  router.post(
    "/approve/:token",
    ours,
    urlencoded({ extended: false, limit: "16kb", parameterLimit: 20 }),
    async (request, response) => {
      const token = tokenOf(request);
      const body: unknown = request.body;
      if (!isRecord(body) || typeof body["seal"] !== "string") return forged(response);
      const revision = seal.revisionIn(token ?? "", body["seal"]);
      if (revision === undefined) return forged(response);
      const card = token === undefined ? undefined : await front.card(token);
      if (token === undefined || card === undefined) return notFound(response);
      const form = Form.safeParse(body);
      if (!form.success) return misunderstood(response);
      const said = form.data;
      if (said.verdict === "approve" && said.choice === "window" && card.offer.windowMs === 0)
        return misunderstood(response);
      try {
        const done =
          said.verdict === "revoke"
            ? await front.revoke(token)
            : await front.answer(token, said.verdict === "approve" ? { ...said, revision } : said, { proof: "link" });
        const isStale = said.verdict === "approve" && (await front.card(token))?.revision !== revision;
        response.redirect(303, `/approve/${token}${done ? "" : isStale ? "?changed" : "?late"}`);
      } catch (error) {
        if (!(error instanceof VaultError) || error.code !== "audit_unavailable") throw error;
        unrecorded(response, token);
      }
    },
  );

  const only = (allow: string) => (_request: Request, response: Response) => {
    response.status(405).set("Allow", allow);
    response.send(plainPage("Not possible", ["That cannot be done here. Nothing was decided."]));
  };
  router.all("/approve/:token", only("GET, HEAD, POST"));
  router.all("/approve/:token/live", only("GET, HEAD"));
  return router;
}

function tokenOf(request: Request): string | undefined {
  const token: unknown = request.params["token"];
  return typeof token === "string" && TOKEN.test(token) ? token : undefined;
}

function versionOf(request: Request): number | undefined {
  const version: unknown = request.query["version"];
  return typeof version === "string" && /^\d{1,15}$/.test(version) ? Number(version) : undefined;
}

// A form sends line breaks as two characters; the person typed one.
function tidy(note: string): string {
  return note.replaceAll("\r\n", "\n").trim();
}

function isRecord(body: unknown): body is Record<string, unknown> {
  return typeof body === "object" && body !== null;
}

function notFound(response: Response): void {
  const lines = [
    "No request waits under this link.",
    "It may be mistyped, or the agent that asked is gone. Nothing was released.",
  ];
  response.status(404).send(plainPage("Not found", lines));
}

function forged(response: Response): void {
  const lines = [
    "This did not come from the page itself, so nothing changed.",
    "Open the link again and decide there; if that does not help, use a newer browser.",
  ];
  response.status(403).send(plainPage("Not accepted", lines));
}

function misunderstood(response: Response): void {
  response.status(400).send(plainPage("Not understood", ["That was not an answer this page offers. Nothing changed."]));
}

function unrecorded(response: Response, token: string): void {
  const lines = [
    "The approval could not be written to the audit log, so nothing was released.",
    "The request still waits.",
  ];
  response.status(503).send(plainPage("Not approved", lines, { label: "Try again", href: `/approve/${token}` }));
}
