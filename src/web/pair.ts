import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Router, urlencoded, type Request, type Response } from "express";
import type { Front } from "../core/card.ts";
import type { Clock } from "../core/clock.ts";
import type { PairingView } from "../core/pairing.ts";
import { oursOnly } from "./guard.ts";
import { type Holds, within } from "./holds.ts";
import { plainPage } from "./page.ts";
import { pairPage, STAGES } from "./pair-page.ts";
import { jsonIn, pageOf } from "./passkey.ts";
import { forged, misunderstood, notAllowed } from "./refusals.ts";
import type { Seal } from "./seal.ts";
import type { SignIns } from "./sign-ins.ts";

export interface PairOptions {
  readonly front: Pick<Front, "pairing">;
  readonly clock: Clock;
  readonly seal: Seal;
  readonly holds: Holds;
  /** Signs the device in that was paired; absent where there is no inbox. */
  readonly signIns?: Pick<SignIns, "expect"> | undefined;
  /** Whether the inbox stays at this address once the pairing is done, or comes when the next agent asks; absent: there is none. */
  readonly inbox?: "here" | "later" | undefined;
  readonly onRefused: (what: string) => void;
  readonly originOf: (request: IncomingMessage) => string | undefined;
}

const TOKEN = /^[A-Za-z0-9_-]{16,128}$/;
const FORM = urlencoded({ extended: false, limit: "32kb", parameterLimit: 10 });
/** How often it is looked whether the terminal has gone on, ms. */
const LOOK_MS = 500;

/** The page on which an approver is enrolled or removed: GET shows, POST from that very page goes on. */
export function pairRoutes({ front, clock, seal, holds, signIns, inbox, onRefused, originOf }: PairOptions): Router {
  const router = Router({ strict: true, caseSensitive: true });

  const look = (request: Request): Promise<PairingView | undefined> => {
    const token = tokenOf(request);
    const device = deviceOf(request);
    return token === undefined
      ? Promise.resolve(undefined)
      : front.pairing(token, { do: "look", ...(device !== undefined && { device }) });
  };
  const show = (request: Request, response: Response, view: PairingView): void => {
    const token = tokenOf(request) ?? "";
    response.send(pairPage({ view, token, seal: seal.of(sealed(token), 0), now: clock.now(), inbox }));
  };

  router.get("/pair/:token", async (request, response) => {
    const view = await look(request);
    if (view === undefined) notFound(response);
    else show(request, response, view);
  });

  router.get("/pair/:token/live", async (request, response) => {
    const { version } = request.query;
    if (typeof version !== "string" || !/^\d{1,3}$/.test(version)) return misunderstood(response);
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    let view = await look(request);
    const held = await holds.hold(`pair ${tokenOf(request)}`, gone.signal, async (ended) => {
      while (view !== undefined && String(STAGES.indexOf(view.stage)) === version && !ended.aborted) {
        await within(clock, LOOK_MS, ended, aborted);
        view = await look(request);
      }
    });
    if (gone.signal.aborted) return;
    if (view === undefined) return notFound(response);
    if (held === undefined) return void response.status(429).set("Retry-After", "5").end();
    const now = String(STAGES.indexOf(view.stage));
    if (now === version) response.status(204).end();
    else response.json({ version: now });
  });

  const ours = (refuse: (response: Response) => void) => oursOnly(originOf, refuse);
  /** The fields of a form that we sealed for this page. */
  const formOf = (request: Request): Record<string, unknown> | undefined => {
    const body: unknown = request.body;
    if (!isRecord(body) || typeof body["seal"] !== "string") return undefined;
    return seal.revisionIn(sealed(tokenOf(request) ?? ""), body["seal"]) === 0 ? body : undefined;
  };

  router.post("/pair/:token/begin", ours(outdated), FORM, async (request, response) => {
    const [token, origin] = [tokenOf(request), originOf(request)];
    if (token === undefined || origin === undefined || formOf(request) === undefined) return outdated(response);
    const known = deviceOf(request);
    const device = known ?? randomBytes(32).toString("base64url");
    const view = await front.pairing(token, { do: "begin", device, origin });
    if (view === undefined) return void response.status(404).json({ say: "This pairing is gone." });
    if (known === undefined) response.append("Set-Cookie", cookieLine(token, device, origin));
    const { options, text } = view;
    if (options !== undefined) response.json({ options });
    else response.status(409).json(text === undefined ? { say: "", to: `/pair/${token}` } : { say: text });
  });

  router.post("/pair/:token", ours(forged), FORM, async (request, response) => {
    const [token, origin, device] = [tokenOf(request), originOf(request), deviceOf(request)];
    const form = formOf(request);
    if (token === undefined || origin === undefined || form === undefined) return forged(response);
    const signed = jsonIn(form["signed"]);
    if (device === undefined || !isRecord(signed)) return misunderstood(response);
    const before = await look(request);
    if (before && pageOf(signed["response"]) !== origin) {
      onRefused("a signature or passkey for a change of the approvers, of another page");
      return show(request, response.status(403), { ...before, text: ANOTHER_PAGE });
    }
    const view = await front.pairing(token, { do: "finish", device, origin, response: signed["response"] });
    if (view === undefined) return notFound(response);
    if (before?.stage === "ready" && (view.stage === "confirm" || view.stage === "compare")) {
      const cookie = signIns?.expect(credentialIn(signed["response"]), request, origin);
      if (cookie !== undefined) response.append("Set-Cookie", cookie);
    }
    // What went wrong is said to whoever did it, and only now.
    const isRefused = view.stage === before?.stage && view.text !== undefined;
    if (isRefused && (view.stage === "ready" || view.stage === "confirm")) {
      onRefused("a signature or passkey for a change of the approvers");
    }
    if (isRefused) show(request, response.status(403), view);
    else response.redirect(303, `/pair/${token}`);
  });

  router.all("/pair/:token", (_request, response) => notAllowed(response, "GET, HEAD, POST"));
  router.all("/pair/:token/live", (_request, response) => notAllowed(response, "GET, HEAD"));
  router.all("/pair/:token/begin", (_request, response) => notAllowed(response, "POST"));
  return router;
}

const ANOTHER_PAGE = "It was signed on another page, so nothing changed.";
const DEVICE = "agent-vault-device";

/** What tells this browser from another that has the link; known to none of its scripts. */
function deviceOf(request: IncomingMessage): string | undefined {
  return new RegExp(`(?:^|;\\s*)${DEVICE}=([\\w-]{22,64})(?:;|$)`).exec(request.headers.cookie ?? "")?.[1];
}

// Lax, so that it comes along when the link is opened once more from outside; it permits nothing by itself.
function cookieLine(token: string, device: string, origin: string): string {
  const secure = origin.startsWith("https:") ? "; Secure" : "";
  return `${DEVICE}=${device}; Path=/pair/${token}; Max-Age=900; HttpOnly; SameSite=Lax${secure}`;
}

function sealed(token: string): string {
  return `pair ${token}`;
}

function tokenOf(request: Request): string | undefined {
  const token: unknown = request.params["token"];
  return typeof token === "string" && TOKEN.test(token) ? token : undefined;
}

function notFound(response: Response): void {
  const lines = [
    "No pairing waits under this link.",
    "It may be over, or its terminal is closed. Nothing was changed.",
  ];
  response.status(404).send(plainPage("Not found", lines));
}

function outdated(response: Response): void {
  response.status(403).json({ say: "This page is out of date. Open the link again." });
}

/** The id of the passkey that a browser made; not looked into where it is none. */
function credentialIn(made: unknown): string {
  return isRecord(made) && typeof made["id"] === "string" ? made["id"] : "";
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
