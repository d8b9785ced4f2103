import { Agent, request } from "node:http";
import { expect, it } from "vitest";
import { browserHeaders, sealIn, startWeb } from "../support/web.ts";

const PARTS = [
  "..",
  "%2e%2e",
  "%00",
  "%",
  "%zz",
  "approve",
  "live",
  "__proto__",
  "constructor",
  "a".repeat(2_000),
  "<script>",
  "\\",
  "//",
  ";",
  "?",
  "?version=",
  "version[]=1",
  "?version=1&version=2",
  "#",
  "%E0%A4%A",
  "*",
  "~",
  "%F0%9F%92%A9",
  "?late=<script>",
  "hasOwnProperty",
  ":token",
  "(",
  "[",
  "..;/",
];
const BODIES = [
  "",
  "seal=",
  "verdict=approve",
  "verdict[]=approve&verdict[]=deny",
  "verdict=approve&verdict=deny",
  "__proto__[x]=1",
  "seal[__proto__]=1",
  "%",
  "%E0%A4%A",
  "=&=&=",
  "&".repeat(500),
  "a=".repeat(9_000),
  '{"verdict":"approve"}',
  "\0\0\0",
  "seal=%00",
  "note=" + "%F0%9F%92%A9".repeat(600),
];
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"];

it("survives 5,000 hostile requests: none fails inside, none changes anything, and the page still works", async () => {
  const { web, front, faults, show, tap } = await startWeb();
  const token = front.add();
  const seal = sealIn((await show(token)).text);
  const agent = new Agent({ keepAlive: true, maxSockets: 24 });
  let at = 0;
  const pick = <T>(from: readonly T[], salt: number): T => from[(at * salt + (at >> 3)) % from.length] as T;
  const statuses = new Map<number, number>();

  const play = async (): Promise<void> => {
    while (at < 5_000) {
      at += 1;
      const known = at % 3 === 0 ? `/approve/${token}` : "";
      const path = `${known}/${[pick(PARTS, 7), pick(PARTS, 11), pick(PARTS, 13)].slice(0, at % 4).join("/")}`.replace(
        /\/$/,
        at % 2 ? "/" : "",
      );
      const body = at % 5 === 0 ? `seal=${seal}&${pick(BODIES, 5)}` : pick(BODIES, 5);
      const method = pick(METHODS, 3);
      const headers = { ...(at % 7 ? browserHeaders(web.port) : {}), Host: `localhost:${web.port}` };
      const status = await shoot({ agent, port: web.port, method, path: path === "" ? "/" : path, headers }, body);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 24 }, play));
  agent.destroy();

  expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([]);
  expect(statuses.size).toBeGreaterThan(4);
  expect(faults).toEqual([]);
  expect(front.decided).toEqual([]);
  expect((await tap(token, { verdict: "approve", choice: "once" })).status).toBe(303);
  await web.close();
});

/** The status, or 0 where Node's own client refuses to send such a thing. */
function shoot(options: Parameters<typeof request>[1] & object, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    try {
      const outgoing = request({ host: "127.0.0.1", ...options }, (answer) => {
        answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
      });
      // An answer to a body that is too long may come before the body is sent; the connection then ends early.
      outgoing.on("error", (error: NodeJS.ErrnoException) =>
        ["EPIPE", "ECONNRESET"].includes(error.code ?? "") ? resolve(413) : reject(error),
      );
      outgoing.end(body);
    } catch (error) {
      if (error instanceof TypeError) resolve(0);
      else reject(error instanceof Error ? error : new Error(String(error)));
    }
  });
}
