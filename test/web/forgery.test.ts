import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { createWeb } from "../../src/web/server.ts";
import { loadPatched } from "../support/patched.ts";
import { PUBLIC, startForgeries, WAYS, wrongOnes } from "../support/forgeries.ts";
import { browserHeaders, sealIn, send } from "../support/web.ts";

describe("a form", () => {
  let started: Awaited<ReturnType<typeof startForgeries>>;
  beforeAll(async () => void (started = await startForgeries()));
  afterAll(() => started.web.close());

  it.each(Object.entries(WAYS))("to %s counts only when a form on our own page sent it", async (_what, way) => {
    const { wrong, played } = await wrongOnes(started, way);
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
    const started = await startForgeries(twin.createWeb);
    const { wrong } = await wrongOnes(started, WAYS.approve, { enough: 1 });
    await started.web.close();
    expect(wrong.length).toBeGreaterThan(0);
  });

  it.each([
    [
      "sign",
      "src/web/approve.ts",
      `"/approve/:token/sign", ours(unsigned("forged")), FORM`,
      `"/approve/:token/sign", FORM`,
    ],
    ["begin a pairing", "src/web/pair.ts", "ours(outdated), FORM", "FORM"],
    ["finish a pairing", "src/web/pair.ts", "ours(forged), FORM", "FORM"],
    [
      "begin a pairing",
      "src/web/pair.ts",
      `seal.revisionIn(sealed(tokenOf(request) ?? ""), body["seal"]) === 0`,
      "true",
    ],
  ] as const)("goes red when what may %s is not looked at", async (what, file, from, to) => {
    const twin = (await loadPatched("src/web/server.ts", [{ file, from, to }])) as { createWeb: typeof createWeb };
    const started = await startForgeries(twin.createWeb);
    const { wrong } = await wrongOnes(started, WAYS[what], { enough: 1 });
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
    const started = await startForgeries(twin.createWeb);
    const { wrong } = await wrongOnes(started, WAYS.approve, { enough: 1 });
    await started.web.close();
    expect(wrong.join()).toContain("as application/json");
  });
});
