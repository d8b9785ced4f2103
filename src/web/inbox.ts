import type { IncomingMessage } from "node:http";
import { Router, urlencoded, type Request, type Response } from "express";
import * as z from "zod";
import type { Front } from "../core/card.ts";
import type { Clock } from "../core/clock.ts";
import { VaultError } from "../core/errors.ts";
import type { Event } from "../core/event.ts";
import type { Approvers } from "../core/proof.ts";
import { barePage } from "./bare-page.ts";
import { oursOnly } from "./guard.ts";
import type { Holds } from "./holds.ts";
import { inboxPage } from "./inbox-page.ts";
import { createInboxPoll } from "./inbox-poll.ts";
import { signersOn } from "./passkey.ts";
import type { Seal } from "./seal.ts";
import { createCeremony } from "./sign-in.ts";
import type { SignedIn, SignIns } from "./sign-ins.ts";

export interface InboxOptions {
  readonly front: Front;
  readonly approvers: Approvers;
  readonly signIns: SignIns;
  /** The newest events of the log, newest first. Throws `audit_unavailable`. */
  readonly recent: () => readonly Event[];
  readonly clock: Clock;
  readonly seal: Seal;
  readonly holds: Holds;
  readonly onRefused: (what: string) => void;
  readonly originOf: (request: IncomingMessage) => string | undefined;
}

/** What a stranger's form is sealed for. */
const STRANGER = "inbox of a stranger";

const Form = z.discriminatedUnion("do", [
  z.object({ do: z.literal("sign-in"), signed: z.string() }),
  z.object({ do: z.literal("sign-out") }),
  z.object({ do: z.literal("revoke"), approval: z.string().min(1).max(200) }),
  z.object({ do: z.literal("revoke-all") }),
]);
type Wanted = z.output<typeof Form>;

/**
 * Everything that waits and is open, for phones that are signed in. Whoever is not gets the same bare page everywhere,
 * whatever they bring along.
 */
export function inboxRoutes(options: InboxOptions): Router {
  const { front, approvers, signIns, recent, clock, seal, holds, onRefused, originOf } = options;
  const router = Router({ strict: true, caseSensitive: true });
  const poll = createInboxPoll({ front, holds });
  const ceremony = createCeremony({ approvers, signIns, seal, clock });

  const caller = (request: Request): SignedIn | undefined => {
    const origin = originOf(request);
    return origin === undefined ? undefined : signIns.of(request, origin);
  };
  const bare = (request: Request, response: Response, tried?: "refused" | "unkept"): void => {
    const canSignIn = isPairedOn(originOf(request), approvers);
    response.send(barePage({ ...(canSignIn && { seal: seal.of(STRANGER, 0) }), ...(tried && { tried }) }));
  };

  router.get("/", (request, response) => {
    if (caller(request)) response.redirect(303, "/inbox");
    else bare(request, response);
  });

  router.get("/inbox", async (request, response) => {
    const phone = caller(request);
    if (!phone) return bare(request, response);
    const overview = await front.overview();
    const own = seal.of(`inbox of ${phone.key}`, 0);
    const { name } = phone.approver;
    response.send(inboxPage({ overview, events: lately(recent), name, seal: own, now: clock.now() }));
  });

  router.get("/inbox/live", async (request, response) => {
    const { version } = request.query;
    const phone = caller(request);
    if (!phone || typeof version !== "string") return bare(request, response.status(404));
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const stamp = await poll(version, phone.key, gone.signal);
    if (gone.signal.aborted) return;
    // It was held for a while: whose phone it was may no longer be one that approves.
    if (!caller(request)) return bare(request, response.status(404));
    if (stamp === undefined) return void response.status(429).set("Retry-After", "5").end();
    if (stamp === version) return void response.status(204).end();
    response.json({ version: stamp });
  });

  const ours = oursOnly(originOf, (response, request) => bare(request, response.status(403)));
  const form = urlencoded({ extended: false, limit: "16kb", parameterLimit: 20 });

  router.post("/inbox/challenge", ours, form, (request, response) => {
    const origin = originOf(request);
    if (origin === undefined || !isSealed(request, seal, STRANGER) || !isPairedOn(origin, approvers)) {
      response.status(403).json({ say: "This page is too old. Load it again." });
      return;
    }
    response.json(ceremony.begin(origin));
  });

  router.post("/inbox", ours, form, async (request, response) => {
    const origin = originOf(request);
    const said = Form.safeParse(request.body).data;
    if (origin === undefined || !said) return bare(request, response.status(400));
    if (said.do === "sign-in") return signIn(said.signed, origin, request, response);
    const phone = caller(request);
    // Signed out meanwhile, or never in: the bare page says how to get in.
    if (!phone || !isSealed(request, seal, `inbox of ${phone.key}`)) return response.redirect(303, "/inbox");
    await act(said, phone, origin, response);
    response.redirect(303, "/inbox");
  });

  const signIn = async (signed: string, origin: string, request: Request, response: Response): Promise<void> => {
    if (!isSealed(request, seal, STRANGER)) return response.redirect(303, "/inbox");
    try {
      const approver = await ceremony.finish(signed, origin);
      response.append("Set-Cookie", signIns.open(approver, request, origin));
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      const isRefused = error.code === "not_proven";
      if (isRefused) onRefused("a sign-in to the inbox");
      return bare(request, response.status(isRefused ? 403 : 503), isRefused ? "refused" : "unkept");
    }
    response.redirect(303, "/inbox");
  };

  const act = async (said: Exclude<Wanted, { do: "sign-in" }>, phone: SignedIn, origin: string, response: Response) => {
    switch (said.do) {
      case "sign-out":
        response.append("Set-Cookie", signIns.close(phone, origin));
        return;
      case "revoke":
        await front.endApproval(said.approval);
        return;
      case "revoke-all": {
        const { windows } = await front.overview();
        await Promise.all(windows.map(({ approval }) => front.endApproval(approval)));
        return;
      }
    }
  };

  router.all(["/", "/inbox", "/inbox/live", "/inbox/challenge"], (request, response) => {
    bare(request, response.status(405).set("Allow", "GET, HEAD, POST"));
  });
  return router;
}

/** Whether the form came from the page that was sealed for this. */
function isSealed(request: Request, seal: Seal, whose: string): boolean {
  const body: unknown = request.body;
  const given: unknown = typeof body === "object" && body !== null && "seal" in body ? body.seal : undefined;
  return typeof given === "string" && seal.revisionIn(whose, given) === 0;
}

/** Whether somebody is enrolled whose passkey works on this page. */
function isPairedOn(origin: string | undefined, approvers: Approvers): boolean {
  try {
    return origin !== undefined && signersOn(origin, approvers.all()).length > 0;
  } catch (error) {
    // Who is enrolled cannot be known just now: then nobody can sign in either.
    if (error instanceof VaultError) return false;
    throw error;
  }
}

/** The log may be away, or not there yet; what waits and what is open can be seen all the same. */
function lately(recent: () => readonly Event[]): readonly Event[] | undefined {
  try {
    return recent();
  } catch (error) {
    if (error instanceof VaultError) return undefined;
    throw error;
  }
}
