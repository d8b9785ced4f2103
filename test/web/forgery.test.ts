import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { createWeb } from "../../src/web/server.ts";
import { loadPatched } from "../support/patched.ts";
import { formBody, browserHeaders, sealIn, send, startWeb } from "../support/web.ts";

const PUBLIC = "https://name.example";
const FORM = "application/x-www-form-urlencoded";

type Started = Awaited<ReturnType<typeof startWeb>>;

interface Case {
  readonly says: string;
  readonly headers: Record<string, string | string[]>;
  readonly seal: "right" | "of another request" | "of another process" | "absent" | "cut";
  readonly decides: boolean;
}

/** Every way to send an approval: hosts x origins x what the browser vouches for, then types and seals. */
function cases(port: number): Case[] {
  const origins: Record<string, string> = {
    [`localhost:${port}`]: `http://localhost:${port}`,
    [`LocalHost:${port}`]: `http://localhost:${port}`,
    [`127.0.0.1:${port}`]: `http://127.0.0.1:${port}`,
    [`[::1]:${port}`]: `http://[::1]:${port}`,
    "name.example": PUBLIC,
  };
  const hosts = [
    ...Object.keys(origins),
    "evil.test",
    `evil.test:${port}`,
    "localhost",
    `localhost:${port + 1}`,
    "0.0.0.0",
  ];
  const senders = [
    ...new Set(Object.values(origins)),
    "http://evil.test",
    "null",
    "",
    "https://name.example.evil.test",
  ];
  const vouched = ["same-origin", "same-site", "cross-site", "none", ""];
  const found: Case[] = [];
  for (const host of hosts) {
    for (const origin of senders) {
      for (const site of vouched) {
        const headers: Record<string, string> = { Host: host, "Content-Type": FORM };
        if (origin !== "") headers["Origin"] = origin;
        if (site !== "") headers["Sec-Fetch-Site"] = site;
        const decides = origins[host] === origin && site === "same-origin";
        found.push({
          says: `${host} from ${origin || "nowhere"}, ${site || "unvouched"}`,
          headers,
          seal: "right",
          decides,
        });
      }
    }
  }
  const good: Record<string, string> = { Host: `localhost:${port}`, ...browserHeaders(port) };
  for (const type of ["application/json", "text/plain", "multipart/form-data; boundary=x", `${FORM}, text/plain`, ""]) {
    found.push({
      says: `as ${type || "nothing"}`,
      headers: { ...good, "Content-Type": type },
      seal: "right",
      decides: false,
    });
  }
  found.push({
    says: "as a form in utf-8",
    headers: { ...good, "Content-Type": `${FORM}; charset=UTF-8` },
    seal: "right",
    decides: true,
  });
  for (const seal of ["of another request", "of another process", "absent", "cut"] as const) {
    found.push({ says: `with a seal ${seal}`, headers: good, seal, decides: false });
  }
  const twice = { ...good, Origin: [good["Origin"] ?? "", "http://evil.test"] };
  found.push({ says: "with two origins", headers: twice, seal: "right", decides: false });
  return found;
}

/** Plays all cases, each against a fresh request, and returns those in which the wrong thing happened. */
async function wrongOnes(
  { web, front, show }: Started,
  { enough = Infinity } = {},
): Promise<{ wrong: string[]; played: number }> {
  web.setPublicOrigin(PUBLIC);
  const stranger = await startWeb();
  const foreign = sealIn((await stranger.show(stranger.front.add())).text);
  await stranger.web.close();
  const other = sealIn((await show(front.add())).text);
  const wrong: string[] = [];
  const all = cases(web.port);
  for (const { says, headers, seal, decides } of all) {
    const token = front.add();
    const right = sealIn((await show(token)).text);
    const seals = {
      right,
      "of another request": other,
      "of another process": foreign,
      absent: "",
      cut: right.slice(0, -1),
    };
    const form = formBody({
      verdict: "approve",
      choice: "once",
      item: ["0", "1"],
      ...(seal === "absent" ? {} : { seal: seals[seal] }),
    });
    const { status } = await send(web.port, {
      method: "POST",
      path: `/approve/${token}`,
      headers,
      body: form,
    });
    const decided = front.cardAt(token)?.standing.is !== "waiting";
    const statusFits = decides ? status === 303 : status === 403 || status === 421;
    if (wrong.length >= enough) break;
    if (decided !== decides || !statusFits)
      wrong.push(`${says}: ${status}, ${decided ? "decided" : "nothing changed"}`);
  }
  return { wrong, played: all.length };
}

describe("an answer", () => {
  let started: Started;
  beforeAll(async () => void (started = await startWeb()));
  afterAll(() => started.web.close());

  it("counts only when a form on our own page sent it", async () => {
    const { wrong, played } = await wrongOnes(started);
    expect(played).toBeGreaterThan(300);
    expect(wrong).toEqual([]);
  });

  it("is not taken from the tunnel's address once the tunnel is closed", async () => {
    const token = started.front.add();
    const seal = sealIn((await started.show(token)).text);
    const headers = { ...browserHeaders(started.web.port), Host: "name.example", Origin: PUBLIC };
    const ask = { method: "POST", path: `/approve/${token}`, headers, body: `seal=${seal}&verdict=deny` };
    started.web.setPublicOrigin(undefined);
    expect((await send(started.web.port, ask)).status).toBe(421);
    started.web.setPublicOrigin(PUBLIC);
    expect((await send(started.web.port, ask)).status).toBe(303);
  });

  it("is refused before anything about the request can be learnt", async () => {
    const known = started.front.add();
    const headers = { ...browserHeaders(started.web.port), Origin: "http://evil.test" };
    const ask = (token: string) =>
      send(started.web.port, { method: "POST", path: `/approve/${token}`, headers, body: "x=1" });
    const [one, other] = [await ask(known), await ask("A".repeat(22))];
    expect([one.status, one.text]).toEqual([other.status, other.text]);
  });

  it("takes only an https origin for a tunnel's", () => {
    for (const origin of [
      "http://name.example",
      "https://name.example/path",
      "https://a:b@name.example",
      "name.example",
      "",
    ]) {
      expect(() => started.web.setPublicOrigin(origin)).toThrow("plain https origin");
    }
  });
});

describe("the matrix above", () => {
  it.each([
    ["the origin", "src/web/guard.ts", `if (only("origin") !== origin) return false;`, ""],
    [
      "any origin of ours",
      "src/web/guard.ts",
      `only("origin") !== origin`,
      `!/^https?:.*(localhost|127|::1|name.example)/.test(only("origin") ?? "")`,
    ],
    ["the browser's word", "src/web/guard.ts", `if (only("sec-fetch-site") !== "same-origin") return false;`, ""],
    [
      "a missing word",
      "src/web/guard.ts",
      `only("sec-fetch-site") !== "same-origin"`,
      `(only("sec-fetch-site") ?? "same-origin") !== "same-origin"`,
    ],
    ["the seal", "src/web/seal.ts", "timingSafeEqual(digest(of(token, revision)), digest(given))", "given.length > 0"],
    ["whose seal it is", "src/web/seal.ts", "digest(`form ${token} ${revision}`)", "digest(`form ${revision}`)"],
    [
      "the host",
      "src/web/origins.ts",
      "return local.get(name) ??",
      "return local.get(name) ?? local.get([...local.keys()][0] ?? '') ??",
    ],
  ])("goes red when %s is not checked", async (_what, file, from, to) => {
    const twin = (await loadPatched("src/web/server.ts", [{ file, from, to }])) as { createWeb: typeof createWeb };
    const started = await startWeb(twin.createWeb);
    const { wrong } = await wrongOnes(started, { enough: 1 });
    await started.web.close();
    expect(wrong.length).toBeGreaterThan(0);
  });

  it("goes red when neither the guard nor the parser checks the form's type", async () => {
    const twin = (await loadPatched("src/web/server.ts", [
      {
        file: "src/web/guard.ts",
        from: `.test(only("content-type") ?? "")`,
        to: `.test("application/x-www-form-urlencoded")`,
      },
      { file: "src/web/approve.ts", from: "extended: false,", to: "extended: false, type: () => true," },
    ])) as { createWeb: typeof createWeb };
    const started = await startWeb(twin.createWeb);
    const { wrong } = await wrongOnes(started, { enough: 1 });
    await started.web.close();
    expect(wrong.join()).toContain("as application/json");
  });
});
