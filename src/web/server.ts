import type { IncomingMessage } from "node:http";
import express, { type ErrorRequestHandler, type NextFunction, type Request, type Response } from "express";
import type { Front } from "../core/card.ts";
import type { Clock } from "../core/clock.ts";
import type { Event } from "../core/event.ts";
import type { Notes } from "../core/ports.ts";
import type { Approvers } from "../core/proof.ts";
import { approveRoutes } from "./approve.ts";
import { barePage } from "./bare-page.ts";
import { HEADERS, hostOf } from "./guard.ts";
import { createHolds } from "./holds.ts";
import { ICON } from "./icon.ts";
import { INBOX_STYLE } from "./inbox-style.ts";
import { inboxRoutes } from "./inbox.ts";
import { listen } from "./listen.ts";
import { createOrigins, type Origins } from "./origins.ts";
import { plainPage } from "./page.ts";
import { pairRoutes } from "./pair.ts";
import { PASSKEY_SCRIPT } from "./passkey-script.ts";
import { SCRIPT } from "./script.ts";
import { createSeal } from "./seal.ts";
import { createSignIns } from "./sign-ins.ts";
import { STYLE } from "./style.ts";

export interface WebOptions {
  readonly front: Front;
  /** Whose passkeys count. */
  readonly approvers: Approvers;
  readonly clock: Clock;
  /** The wanted port; 0 for any free one. */
  readonly port: number;
  /**
   * Key of the seal in each form, 32 bytes or more as base64url: whoever takes over this page with the same one takes the
   * forms of its predecessor. Absent: a random one.
   */
  readonly formKey?: string;
  /** What the inbox needs besides: notes of its own, and the newest events of the log. Absent: there is no inbox. */
  readonly inbox?: {
    readonly notes: Notes;
    readonly recent: () => readonly Event[];
    /** Set where this process ends when a pairing is done, and the page with it. */
    readonly isPassing?: boolean;
  };
  /** Told of a proof that did not count, in a few words: a sign-in, a signature, a passkey to be paired. */
  readonly onRefused?: (what: string) => void;
  /** Told of what should not happen: the person only sees that something failed here. */
  readonly onFault?: (error: unknown) => void;
}

/** The running page. */
export interface Web {
  /** The port it really has. */
  readonly port: number;
  /** The address of a request's page for a browser on this machine. */
  readonly link: (token: string) => string;
  /** Makes the page answer under a tunnel's https origin too, or with undefined no longer. */
  readonly setPublicOrigin: (origin: string | undefined) => void;
  /** Stops listening and ends every connection at once, waiting ones included. */
  readonly close: () => Promise<void>;
}

/** Starts the person's side on this machine's loopback. Resolves once it listens; throws `page_unavailable`. */
export async function createWeb(options: WebOptions): Promise<Web> {
  const { front, approvers, clock, port: wanted, formKey, inbox, onRefused = () => {}, onFault } = options;
  const seal = createSeal(formKey);
  const closing = new AbortController();
  const holds = createHolds({ clock, closing: closing.signal });
  const signIns = inbox && createSignIns({ notes: inbox.notes, approvers, clock });
  let origins: Origins | undefined;
  const originOf = (request: IncomingMessage): string | undefined => origins?.of(hostOf(request));
  const ourOrigins = (): readonly string[] => origins?.all() ?? [];

  const app = express();
  app.disable("x-powered-by").disable("etag").enable("strict routing").enable("case sensitive routing");
  app.use((_request, response, next) => {
    response.set(HEADERS);
    next();
  });
  app.use((request, response, next) => {
    if (originOf(request) === undefined) misdirected(response);
    else next();
  });
  app.get("/style.css", (_request, response) => void response.type("css").send(STYLE + INBOX_STYLE));
  app.get("/live.js", (_request, response) => void response.type("js").send(SCRIPT));
  app.get("/passkey.js", (_request, response) => void response.type("js").send(PASSKEY_SCRIPT));
  app.get(["/icon.svg", "/favicon.ico"], (_request, response) => void response.type("svg").send(ICON));
  if (inbox && signIns) {
    const { recent } = inbox;
    app.use(inboxRoutes({ front, approvers, signIns, recent, clock, seal, holds, onRefused, originOf }));
  }
  app.get("/", (_request, response) => void response.send(barePage()));
  const pairs = inbox && (inbox.isPassing ? "later" : "here");
  app.use(pairRoutes({ front, clock, seal, holds, signIns, inbox: pairs, onRefused, originOf }));
  app.use(approveRoutes({ front, approvers, clock, seal, holds, signIns, onRefused, originOf, ourOrigins }));
  app.all(["/", "/style.css", "/live.js", "/passkey.js", "/icon.svg", "/favicon.ico"], (_request, response) => {
    response.status(405).set("Allow", "GET, HEAD").send(page405());
  });
  app.use((_request, response) => void response.status(404).send(page404()));
  app.use(faults(onFault));

  const { port, servers } = await listen(app, wanted);
  const mine = createOrigins(port);
  origins = mine;

  return {
    port,
    link: (token) => `http://localhost:${port}/approve/${token}`,
    setPublicOrigin: mine.setPublic,
    close: async () => {
      closing.abort();
      await Promise.all(
        servers.map((server) => {
          const closed = new Promise((resolve) => server.close(resolve));
          server.closeAllConnections();
          return closed;
        }),
      );
    },
  };
}

function misdirected(response: Response): void {
  response.status(421).send(plainPage("Wrong address", ["This page does not answer under that name."]));
}

function page404(): string {
  return plainPage("Not found", ["There is nothing at this address."]);
}

function page405(): string {
  return plainPage("Not possible", ["This address can only be looked at."]);
}

function faults(onFault: WebOptions["onFault"]): ErrorRequestHandler {
  // Express knows error handlers by their four arguments.
  return (error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    const status = statusOf(error);
    if (status === 500) onFault?.(error);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const text =
      status === 500 ? "Something failed here. Nothing was decided." : "That was not understood. Nothing was decided.";
    response.status(status).send(plainPage(status === 413 ? "Too long" : "Not possible", [text]));
  };
}

function statusOf(error: unknown): number {
  const status: unknown = error instanceof Error && "status" in error ? error.status : undefined;
  return typeof status === "number" && status >= 400 && status < 500 ? status : 500;
}
