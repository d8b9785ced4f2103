import type { Authenticator } from "./authenticator.ts";

/** A person with a browser, as far as a test needs one: reads the page, then sends its form as a browser would. */
export interface Decision {
  readonly verdict: "approve" | "deny" | "again" | "revoke";
  readonly choice?: "window" | "once";
  readonly note?: string;
}

/** The page behind a link, as it stands now. */
export async function readPage(link: string): Promise<string> {
  const response = await fetch(link);
  return response.text();
}

/** Sends a decision from the page itself. The status is 303 when it was taken in. */
export async function decide(link: string, decision: Decision): Promise<number> {
  return (await send(link, link, await formOf(link, decision))).status;
}

/** What the form of a page says when a person taps. */
async function formOf(link: string, decision: Decision): Promise<URLSearchParams> {
  const page = await readPage(link);
  const seal = /name="seal" value="([^"]+)"/.exec(page)?.[1] ?? "";
  const body = new URLSearchParams({ seal, ...preselected(page, decision), ...decision });
  if (decision.verdict === "approve") for (const at of ticked(page)) body.append("item", at);
  return body;
}

function send(link: string, to: string, body: URLSearchParams): Promise<Response> {
  const headers = { origin: new URL(link).origin, "sec-fetch-site": "same-origin" };
  return fetch(to, { method: "POST", redirect: "manual", headers, body });
}

/** What a tap on Approve sends along when nothing else was chosen. */
function preselected(page: string, { verdict }: Decision): { choice?: string } {
  const choice = /name="choice"[^>]*value="(\w+)"(?:\s+checked|\s*\/>)/.exec(page)?.[1];
  return verdict === "approve" && choice !== undefined ? { choice } : {};
}

/** What is ticked when the page is opened: everything that can be. */
function ticked(page: string): readonly string[] {
  return [...page.matchAll(/<input\b[^>]*\bname="item"\s+value="(\d+)"[^>]*\schecked\b/g)].flatMap(
    ([, at]) => at ?? [],
  );
}

/** Taps Approve, with what the page preselects unless told otherwise. */
export const approve = (link: string, choice?: "window" | "once"): Promise<number> =>
  decide(link, { verdict: "approve", ...(choice && { choice }) });

/** Taps Approve and signs with a passkey, as the page's script would have it done. */
export async function approveSigned(link: string, phone: Authenticator, choice?: "window" | "once"): Promise<number> {
  const body = await formOf(link, { verdict: "approve", ...(choice && { choice }) });
  const answer = await send(link, `${link}/sign`, body);
  if (answer.status !== 200) return answer.status;
  const { options, decision } = (await answer.json()) as Signing;
  body.set("signed", JSON.stringify({ decision, response: phone.sign(options) }));
  return (await send(link, link, body)).status;
}

interface Signing {
  readonly options: Parameters<Authenticator["sign"]>[0];
  readonly decision: object;
}

export const deny = (link: string): Promise<number> => decide(link, { verdict: "deny" });
