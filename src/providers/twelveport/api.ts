import { VaultError } from "../../core/errors.ts";
import type { Http, HttpAnswer } from "../http.ts";
import type { Discovery } from "./discovery.ts";
import { callOf, findOperation, type Subject } from "./operations.ts";
import type { OperationName, TwelvePortOptions } from "./options.ts";
import { ABOUT, type Refuse } from "./refusals.ts";
import {
  type Credentials,
  credentialsOf,
  messageCode,
  type Page,
  pageOf,
  requestIdOf,
  type RequestState,
  stateOf,
} from "./replies.ts";

/** What 12Port says when an asset may only be read once its people have agreed. */
const RESTRICTED_BY_WORKFLOW = "MSG-00863";

/** Entries of a page of a search, as the vendor's own guide asks for them. */
export const PAGE_SIZE = 25;

/** A server may have pages of its own size, within reason. */
const LARGEST_PAGE = 1_000;

/** The five calls. Each rejects with the `VaultError` that says what 12Port has against it. */
export interface Api {
  readonly search: (text: string, page: number, signal: AbortSignal) => Promise<Page>;
  /** "restricted": its people have to be asked first. */
  readonly credentials: (asset: string, signal: AbortSignal) => Promise<Credentials | "restricted">;
  /** Looks up how access is requested, which the signal ends. Nothing is requested before that is called. */
  readonly createRequest: (asset: string, signal: AbortSignal) => Promise<Submit>;
  readonly requestStatus: (asset: string, action: string, signal: AbortSignal) => Promise<Standing>;
  /** Takes the id of the workflow's request, which only `requestStatus` tells. */
  readonly completeRequest: (workflow: string, signal: AbortSignal) => Promise<void>;
}

/**
 * Sends a request for access at once, looking nothing up: nobody's leaving stops it, and it is never tried twice. The id
 * of the new request, where the answer tells it.
 */
export type Submit = (wish: Wish) => Promise<string | undefined>;

/** How a request stands. */
export interface Standing {
  readonly state: RequestState;
  readonly workflow?: string;
  /** What time it is for the server, epoch ms; undefined where it does not say. */
  readonly at?: number;
}

/** What is asked of the vault's people. Times are epoch ms. */
export interface Wish {
  readonly message: string;
  readonly from: number;
  readonly to: number;
}

/** The calls of one tenant, by way of its own document. */
export function createApi(
  where: Pick<TwelvePortOptions, "tenant" | "operations">,
  http: Http,
  discovery: Discovery,
  refuse: Refuse,
): Api {
  const { tenant, operations } = where;
  const lookUp = async (
    name: OperationName,
    subject: Omit<Subject, "tenant">,
    signal: AbortSignal,
  ): Promise<(sending: Sending) => Promise<HttpAnswer>> => {
    const spec = await discovery.spec(signal);
    const operation = findOperation(spec, name, operations);
    const target = callOf(spec, operation, { tenant, ...subject });
    const isRead = target.method === "GET";
    return ({ query, body, signal: ending }) => {
      const sent = isRead ? undefined : (body ?? (operation.takesBody ? {} : undefined));
      return http.request({
        ...target,
        query: { ...target.query, ...query },
        ...(sent !== undefined && { body: sent }),
        signal: ending,
      });
    };
  };
  const call = async (name: OperationName, subject: Omit<Subject, "tenant">, sending: Sending): Promise<HttpAnswer> =>
    (await lookUp(name, subject, sending.signal))(sending);

  return {
    search: async (text, page, signal) => {
      // The document lists the parameter as "f"; only this form of it works.
      const query = { "q.1.f": text, ctp: "1", pgp: String(page), pgs: String(PAGE_SIZE) };
      const answer = await call("search", {}, { query, signal });
      if (answer.status !== 200) throw refuse(answer, "search");
      const found = pageOf(answer.json) ?? unknownShape("search");
      if (found.size <= LARGEST_PAGE) return found;
      const message = `12Port answered the search with ${found.size} assets at once, where ${PAGE_SIZE} were asked for`;
      throw new VaultError("provider_unavailable", message, {
        hint: "tell the user to put names and ids into the vault's assets option: these need no search",
      });
    },

    credentials: async (asset, signal) => {
      const answer = await call("credentials", { asset }, { signal });
      const found = answer.status === 200 ? credentialsOf(answer.json) : undefined;
      if (found) return found;
      if (messageCode(answer.json) === RESTRICTED_BY_WORKFLOW) return "restricted";
      if (answer.status === 200) return unknownShape("credentials");
      if (answer.status !== 404) throw refuse(answer, "credentials");
      throw new VaultError("secret_not_found", `there is no asset with the id ${asset} in 12Port`, {
        hint: "call list_secrets for the names there are",
      });
    },

    createRequest: async (asset, signal) => {
      const send = await lookUp("createRequest", { asset }, signal);
      return async ({ message, from, to }) => {
        const body = { message, requestedFrom: seconds(from), requestedTo: seconds(to) };
        const answer = await send({ body, signal: new AbortController().signal });
        if (!isSuccess(answer)) throw refuse(answer, "createRequest");
        return requestIdOf(answer.json);
      };
    },

    requestStatus: async (asset, action, signal) => {
      const answer = await call("requestStatus", { asset, action }, { signal });
      if (answer.status !== 200) throw refuse(answer, "requestStatus");
      const at = Date.parse(answer.header("date") ?? "");
      return { ...stateOf(answer.json), ...(!Number.isNaN(at) && { at }) };
    },

    completeRequest: async (workflow, signal) => {
      const answer = await call("completeRequest", { workflow }, { signal });
      if (!isSuccess(answer)) throw refuse(answer, "completeRequest");
    },
  };
}

interface Sending {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

function isSuccess({ status }: HttpAnswer): boolean {
  return status >= 200 && status < 300;
}

function unknownShape(about: OperationName): never {
  throw new VaultError(
    "provider_unavailable",
    `12Port answered ${ABOUT[about].call} in a form that is not known here`,
    {
      hint: "tell the user that this version of agent-vault may not fit that version of 12Port: please report it, without the answer's text",
    },
  );
}

/** ISO 8601 without fractions, as the vendor's own guide writes it. */
function seconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
