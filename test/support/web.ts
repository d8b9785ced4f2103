import { request } from "node:http";
import { createWeb, type Web } from "../../src/web/server.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeFront } from "./fake-front.ts";

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

/** A running page over a fake desk and a fake clock, with the taps a browser would make. */
export async function startWeb(create: typeof createWeb = createWeb) {
  const clock = new FakeClock();
  const front = new FakeFront(clock);
  const faults: unknown[] = [];
  const web: Web = await create({ front, clock, port: 0, onFault: (error) => void faults.push(error) });
  const get = (path: string): Promise<Reply> => send(web.port, { path });
  const show = (token: string): Promise<Reply> => get(`/approve/${token}`);
  const post = (token: string, form: Record<string, string>, headers: Ask["headers"] = {}): Promise<Reply> =>
    send(web.port, {
      method: "POST",
      path: `/approve/${token}`,
      headers: { ...browserHeaders(web.port), ...headers },
      body: new URLSearchParams(form).toString(),
    });
  const tap = async (token: string, form: Record<string, string>): Promise<Reply> =>
    post(token, { seal: sealIn((await show(token)).text), ...form });
  return { web, front, clock, faults, get, show, post, tap };
}

/** What a browser sends along with a form of our own page. */
export function browserHeaders(port: number): Record<string, string> {
  return {
    Origin: `http://localhost:${port}`,
    "Sec-Fetch-Site": "same-origin",
    "Content-Type": "application/x-www-form-urlencoded",
  };
}

/** What a person reads: the page's text without its markup. */
export function textOf(page: string): string {
  const body = page.slice(page.indexOf("<body>")).replace(/<noscript.*?<\/noscript/gs, "");
  return decode(body.replace(/<\/?(?:bdi|strong|q|time|small|span)\b[^>]*>/g, "").replace(/<[^>]+>/g, " "))
    .replace(/\s+/g, " ")
    .trim();
}

/** Text as it was before it was escaped. */
export function decode(text: string): string {
  const names: Record<string, string> = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };
  return text.replace(/&(lt|gt|quot|#39|amp);/g, (_all, name: string) => names[name] ?? "");
}
