import type { Authenticator } from "../test/support/authenticator.ts";
import type { Decision } from "../src/core/proof.ts";

/** The person with the phone. What they do is what they may be held to; the rest is not theirs. */
export interface Person {
  /** Whose passkey is enrolled; undefined where nobody's is. */
  readonly phone: Authenticator | undefined;
  /** How many requests they approved so far. */
  readonly approvals: () => number;
  readonly page: (link: string) => Promise<string>;
  /** Taps Approve, and signs where that is asked for. What was sent, and the status the browser got. */
  readonly approve: (link: string, options?: Yes) => Promise<Sent>;
  /** Taps all of these at once, as several impatient fingers; one of them may be a yes to the API key. */
  readonly tapAll: (link: string, forms: readonly Form[]) => Promise<void>;
  readonly deny: (link: string) => Promise<number>;
}

/** What a yes is to, and what stays ticked of it. */
interface Yes {
  readonly choice?: string;
  readonly names?: readonly Name[];
  readonly items?: readonly string[];
}

const API_KEY: readonly Name[] = ["API_KEY"];

export type Name = "API_KEY" | "OTHER_KEY";
export type Form = Readonly<Record<string, string | readonly string[]>>;

/** An answer as it went over the network, where somebody may have seen it. */
export interface Sent {
  readonly form: Form;
  readonly status: number;
}

/** What a page is told to have signed. */
export interface Signing {
  readonly options: { readonly challenge: string; readonly rpId?: string };
  readonly decision: Decision;
}

export function personOf(phone: Authenticator | undefined, gives: (names: readonly Name[]) => void): Person {
  let approvals = 0;
  const page = async (link: string): Promise<string> => (await fetch(link)).text();
  return {
    phone,
    approvals: () => approvals,
    page,
    approve: async (link, { choice = "once", names = API_KEY, items = [] } = {}) => {
      gives(names);
      approvals += 1;
      const plain: Form = { seal: sealIn(await page(link)), verdict: "approve", choice, item: items };
      const form = phone ? { ...plain, signed: signedBy(phone, await signingOf(link, plain)) } : plain;
      return { form, status: (await post(link, form)).status };
    },
    tapAll: async (link, forms) => {
      gives(["API_KEY"]);
      approvals += 1;
      const seal = sealIn(await page(link));
      await Promise.all(forms.map((form) => post(link, { seal, ...form })));
    },
    deny: async (link) => (await post(link, { seal: sealIn(await page(link)), verdict: "deny" })).status,
  };
}

/** What the page would have signed for this answer. Throws when there is nothing to sign. */
export async function signingOf(link: string, form: Form): Promise<Signing> {
  const answer = await post(`${link}/sign`, form);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`there is nothing to sign: ${answer.status} ${text}`);
  return JSON.parse(text) as Signing;
}

/** The form field that carries a signature. */
export function signedBy(phone: Authenticator, { options, decision }: Signing): string {
  return JSON.stringify({ decision, response: phone.sign(options) });
}

/** Sends a form as a browser sends one of the page itself. */
export function post(link: string, form: Form): Promise<Response> {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(form))
    for (const each of typeof value === "string" ? [value] : value) body.append(name, each);
  return fetch(link, {
    method: "POST",
    redirect: "manual",
    headers: { origin: new URL(link).origin, "sec-fetch-site": "same-origin" },
    body,
  });
}

/** The seal in the form of a page; empty when there is none. */
export function sealIn(page: string): string {
  return /name="seal" value="([^"]+)"/.exec(page)?.[1] ?? "";
}
