import { request } from "node:http";
import { createWeb, type Web } from "../../src/web/server.ts";
import type { Approvers } from "../../src/core/proof.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeFront } from "./fake-front.ts";
import { NOBODY } from "./house.ts";

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Ask {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/** Sends exactly these headers; `fetch` would not let a test forge Host, Origin or Sec-Fetch-Site. */
export function send(port: number, ask: Ask): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { method = "GET", path, headers = {}, body = "", signal } = ask;
    const all: Record<string, string | string[]> = { Host: `localhost:${port}`, ...headers };
    if (body !== "") all["Content-Length"] = String(Buffer.byteLength(body));
    const setHost = false;
    const outgoing = request({
      host: "127.0.0.1",
      port,
      method,
      path,
      headers: all,
      setHost,
      agent: false,
      ...(signal ? { signal } : {}),
    });
    outgoing.on("response", (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString() });
      });
      answer.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** The seal inside a page. */
export function sealIn(text: string): string {
  return /name="seal" value="([\w-]+)"/.exec(text)?.[1] ?? "";
}

/** A form field: a list where its name comes several times. */
export type Field = string | readonly string[];

/** Form fields as a browser sends them. */
export function formBody(form: Readonly<Record<string, Field>>): string {
  const fields = Object.entries(form).flatMap(([name, value]): [string, string][] =>
    (typeof value === "string" ? [value] : value).map((each) => [name, each]),
  );
  return new URLSearchParams(fields).toString();
}

/** The boxes that are ticked when a page is opened. */
export function tickedIn(text: string): readonly string[] {
  return [...text.matchAll(/<input\b[^>]*\bname="item"\s+value="(\d+)"[^>]*\schecked\b/g)].flatMap(
    ([, at]) => at ?? [],
  );
}

/** A running page over a fake desk and a fake clock, with the taps a browser would make. */
export async function startWeb(
  create: typeof createWeb = createWeb,
  { approvers = NOBODY, clock = new FakeClock() }: { approvers?: Approvers; clock?: FakeClock } = {},
) {
  const front = new FakeFront(clock);
  front.approvers = approvers;
  const faults: unknown[] = [];
  const refused: string[] = [];
  const told = { onRefused: (what: string) => void refused.push(what), onFault: (e: unknown) => void faults.push(e) };
  const web: Web = await create({ front, approvers, clock, port: 0, ...told });
  const get = (path: string): Promise<Reply> => send(web.port, { path });
  const show = (token: string): Promise<Reply> => get(`/approve/${token}`);
  const post = (token: string, form: Record<string, Field>, headers: Ask["headers"] = {}): Promise<Reply> =>
    send(web.port, {
      method: "POST",
      path: `/approve/${token}`,
      headers: { ...browserHeaders(web.port), ...headers },
      body: formBody(form),
    });
  const tap = async (token: string, form: Record<string, Field>): Promise<Reply> => {
    const { text } = await show(token);
    const ticked = form["verdict"] === "approve" ? { item: tickedIn(text) } : {};
    return post(token, { seal: sealIn(text), ...ticked, ...form });
  };
  return { web, front, clock, faults, refused, get, show, post, tap };
}

/** What a browser sends along with a form of our own page. */
export function browserHeaders(port: number): Record<string, string> {
  return {
    Origin: `http://localhost:${port}`,
    "Sec-Fetch-Site": "same-origin",
    "Content-Type": "application/x-www-form-urlencoded",
  };
}

/** What a person reads when the page is opened: its text without its markup, and without what shows only later. */
export function textOf(page: string): string {
  const body = without(LATER, page.slice(page.indexOf("<body>")).replace(/<noscript.*?<\/noscript\s*>/gs, ""));
  return decode(body.replace(/<\/?(?:bdi|strong|q|time|small|span)\b[^>]*>/g, "").replace(/<[^>]+>/g, " "))
    .replace(/\s+/g, " ")
    .trim();
}

/** Words for when something is unticked, a shorter window chosen or a passkey asked for. */
const LATER =
  /^<(\w+)\b[^>]*(?:class="[^"]*\b(?:for-some|for-none|for-signing|for-shorter-\d|unsupported)\b|\shidden\b)/;

/** The page without each element whose opening tag is like that. */
function without(opening: RegExp, page: string): string {
  let inside: { name: string; depth: number } | undefined;
  const kept = page.split(/(<[^>]*>)/).filter((part) => {
    const [, end, name] = /^<(\/?)(\w+)/.exec(part) ?? [];
    if (inside === undefined) {
      const begun = opening.exec(part)?.[1];
      if (begun !== undefined) inside = { name: begun, depth: 1 };
      return begun === undefined;
    }
    if (name === inside.name) inside.depth += end === "/" ? -1 : 1;
    if (inside.depth === 0) inside = undefined;
    return false;
  });
  return kept.join("");
}

/** Text as it was before it was escaped. */
export function decode(text: string): string {
  const names: Record<string, string> = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };
  return text.replace(/&(lt|gt|quot|#39|amp);/g, (_all, name: string) => names[name] ?? "");
}
