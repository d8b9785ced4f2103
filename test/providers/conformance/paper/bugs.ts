import { request } from "node:https";
import type { Clock } from "../../../../src/core/clock.ts";
import { VaultError } from "../../../../src/core/errors.ts";
import type { Http, HttpAnswer, HttpRequest } from "../../../../src/providers/http.ts";

/** What can be wrong with the paper vault's provider, one at a time, and the title of a sentence that has to notice. */
export const TWINS = [
  ["cannot what it says", "can do what its definition says, and no more"],
  ["lists values", "lists every name there is, and no value"],
  ["fetches values to list", "fetches no value to list the names"],
  ["fetches values to resolve", "fetches no value to find what a name means"],
  ["reads a value to check", "says how it stands without fetching a value"],
  ["keeps no names", "keeps names for a minute, and looks again after it"],
  ["keeps names for ever", "keeps names for a minute, and looks again after it"],
  ["knows no names to find", "finds twenty names among those it knows"],
  ["asks once for each", "asks for the names once when twenty ask at the same time"],
  ["suggests nothing", "answers an unknown name with the close ones there are"],
  ["takes a part of a name", "takes no part of a name for the name"],
  ["takes the first of several", "answers a name that several secrets have with which there are"],
  ["loses the order", "keeps the order of a batch and tells of each name"],
  ["reads all at once", "takes a hundred names in one batch, and is quiet about it"],
  ["fails a batch for one", "keeps the order of a batch and tells of each name"],
  ["reads by name", "never reads the secret that has taken the name of the one shown"],
  ["calls what is gone unknown", "reports a conflict for what was deleted after the question"],
  ["trims values", "hands out every kind of value exactly as it is kept"],
  ["talks on stdout", "reads the value as it is when it is read"],
  ["prints what it reads", "reads the value as it is when it is read"],
  ["warns with what it reads", "reads the value as it is when it is read"],
  ["notes what it reads", "reads the value as it is when it is read"],
  ["shows its token", "can do what its definition says, and no more"],
  ["means another field", "means the field that holds the secret when none is named"],
  ["gives every field", "reads the fields that were named, in that order, and no other"],
  ["gives all fields one address", "reads the fields that were named, in that order, and no other"],
  ["leaves fields out of *", "reads every field for *"],
  ["asks before it reads", "prepares at once and for nothing where nothing is pending"],
  ["complains when it closes", "hears that permissions ended, and closes, without complaint"],
  ["writes to plan", "tells create from replace, and writes nothing to find out"],
  ["writes beside", "changes what was planned and nothing beside it"],
  ["remembers what it has changed", "creates a secret that is there at once and once"],
  ["plans with old names", "plans by what is there, not by what it remembers"],
  ["overwrites whatever is there", "loses nothing that changed between the plan and the write"],
  ["says that it saved", "loses nothing that changed between the plan and the write"],
  ["creates a second one", "never makes a second of what somebody else has created"],
  ["brings back what is gone", "does not bring back what was deleted after the plan"],
  ["stops at the first that fails", "saves a batch in order and tells what of it was not saved"],
  ["takes one name twice", "refuses a batch that gives one name two values"],
  ["calls refusals unknown names", "says that credentials are not accepted"],
  ["knows one refusal", "says that credentials have run out"],
  ["quotes the server", "says that something is not permitted"],
  ["keeps the time to itself", "says when to come back after too many calls"],
  ["waits for ever", "gives up on a vault that never answers"],
  ["waits on though cancelled", "answers at once when the call is cancelled"],
  ["lets requests run on", "ends its request at the vault when the call is cancelled"],
  ["quotes what it cannot read", "takes a web page for no answer"],
  ["reads whatever comes", "takes no answer of two megabytes"],
  ["follows wherever it is sent", "follows nobody to another host"],
  ["trusts everybody", "trusts no certificate that vouches for itself"],
  ["blames with its headers", "says that nobody listens"],
  ["suggests nothing", "answers an unknown field with the fields there are"],
  ["finds fields of anything", "answers fields of an unknown name as that name"],
  ["takes the first of several", "answers fields of a name that several have with which there are"],
  ["takes the first of several", "writes to no name that several secrets have"],
  ["takes a part of a name", "takes what is no name for an unknown one"],
  ["knows no letters but ours", "finds a name in any script"],
  ["reads by name alone", "reads the secret that was shown, or nothing, once it is renamed"],
  ["calls what is gone unknown", "reports a conflict for the fields of what was deleted"],
  ["trims what it saves", "saves every kind of value exactly as it is given"],
  ["complains when it closes", "closes without complaint when the vault is gone"],
  ["creates a second one", "never makes two of one name when two create it at once"],
  ["writes by name", "writes to the secret that was planned, or not, once its name means two"],
  ["writes beside", "writes the field that it would read"],
  ["blames the token for everything", "says that the vault does not serve just now"],
  ["begins what was cancelled", "does nothing for a call that was cancelled before"],
  ["remembers a failure", "works again once the vault does"],
] as const satisfies readonly (readonly [string, string])[];

export type Bug =
  | (typeof TWINS)[number][0]
  /** Those that show only in a process of their own. */
  | "opens a connection early"
  | "stays awake"
  | "does not hang up";

interface Connection {
  readonly server: string;
  readonly token: string;
  readonly ca: string;
  readonly clock: Clock;
}

const NAIVE: readonly Bug[] = [
  "waits for ever",
  "quotes what it cannot read",
  "reads whatever comes",
  "follows wherever it is sent",
  "trusts everybody",
];

/** The client with what is wrong in how it talks; the good one where the bug is elsewhere. */
export function buggyHttp(bug: Bug, good: Http, connection: Connection): Http {
  const instead = (go: (asked: HttpRequest) => Promise<HttpAnswer>): Http => ({ ...good, request: go });
  if (NAIVE.includes(bug)) return instead((asked) => naive(bug, asked, connection));
  // The call ends and the request does not.
  if (bug === "lets requests run on")
    return instead(({ signal, ...asked }) => orAborted(good.request({ ...asked, signal: none }), signal));
  if (bug === "blames the token for everything")
    return instead((asked) =>
      good.request(asked).catch((error: unknown) => {
        throw new VaultError("provider_auth", "the paper vault does not know this token", { cause: error });
      }),
    );
  if (bug !== "keeps the time to itself" && bug !== "blames with its headers") return good;
  return instead(async (asked) => {
    try {
      return await good.request(asked);
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      const { code, message } = error;
      const told = Object.assign(new Error("fetch failed"), { headers: { authorization: connection.token } });
      const cause = bug === "blames with its headers" ? told : error.cause;
      throw new VaultError(code, message, { hint: "try again", cause });
    }
  });
}

const none = new AbortController().signal;

/** The promise, or `cancelled` once the signal aborts. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new VaultError("cancelled", "the call was cancelled", { hint: "call again" }));
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** A client as one writes it in a hurry. */
async function naive(bug: Bug, asked: HttpRequest, { server, token, ca }: Connection): Promise<HttpAnswer> {
  const trust = bug === "trusts everybody" ? { rejectUnauthorized: false } : { ca };
  const { status, text, to } = await new Promise<{ status: number; text: string; to: string | undefined }>(
    (resolve, reject) => {
      const { signal, method, path, body } = asked;
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const sent = request(new URL(path, server), { method, headers, signal, agent: false, ...trust }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => {
          const { statusCode = 0 } = answer;
          resolve({ status: statusCode, text: Buffer.concat(chunks).toString("utf8"), to: answer.headers.location });
        });
      });
      sent.on("error", (error: Error) => {
        const code = signal.aborted ? "cancelled" : "provider_unavailable";
        reject(new VaultError(code, "the paper vault cannot be reached", { hint: "try again", cause: error }));
      });
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    },
  );
  if (status >= 300 && status < 400 && to !== undefined && bug === "follows wherever it is sent")
    await fetch(to, { headers: { authorization: token } });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    const said = bug === "quotes what it cannot read" ? `: ${text}` : "";
    throw new VaultError("provider_unavailable", `the paper vault talks nonsense${said}`, { hint: "try again later" });
  }
  const long = text.length > 1024 * 1024 && bug === "reads whatever comes";
  // Two megabytes of JSON are an answer like any other, and an empty list of names.
  if (long) json = [];
  return { status, json, header: () => undefined };
}
