import { describe, expect, it } from "vitest";
import { twelveport } from "../../../src/providers/twelveport/index.ts";
import type { FakeFault, FakeTwelvePortOptions } from "../../support/fake-twelveport.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { loadPatched } from "../../support/patched.ts";
import { providerContext } from "../../support/provider-context.ts";
import { selfSigned } from "../../tunnels/self-signed.ts";
import { ask, never, refusal, scene, settle } from "./support.ts";

const PASSWORD = "hunter2-4711";

/** A JWT as far as anybody here looks: `claims` between two dots. */
const jwt = (claims: object): string => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;

describe("the server's own document", () => {
  it.each([
    ["no servers", undefined],
    ["its own address in full", (origin: string) => `${origin}/ztna/acme`],
    ["a path from the root", () => "/ztna/acme"],
    ["a path from the document", () => "../"],
    ["nothing but the root", () => "/"],
    ["a variable", () => "/ztna/{tenant}/"],
  ] as const)("is followed where it names %s", async (_, server) => {
    const { fake, open } = await scene(server ? { server } : {});
    fake.add({ name: "db", password: PASSWORD });
    expect(await ask(await open(), "db")).toEqual([PASSWORD]);
  });

  it("is not followed to another host: the token stays here", async () => {
    const elsewhere = await scene();
    const { fake, open } = await scene({ server: () => `${elsewhere.fake.origin}/ztna/acme` });
    fake.add({ name: "db" });
    const error = await refusal((await open()).resolve(["db"], never), fake.token);
    expect(error).toMatchObject({
      code: "config_invalid",
      message: `12Port says its operations are at ${elsewhere.fake.origin}, and not at ${fake.origin}`,
      hint: `if ${new URL(elsewhere.fake.origin).host} is right, write it into "server"; the token is sent nowhere else`,
    });
    expect(Object.values(elsewhere.fake.calls).every((count) => count === 0)).toBe(true);
  });

  it.each(["//127.0.0.2:1/x", "http://127.0.0.1@127.0.0.2:1/"])("nor by way of %s", async (server) => {
    const { open } = await scene({ server: () => server });
    expect(await refusal((await open()).resolve(["db"], never))).toMatchObject({ code: "config_invalid" });
  });

  it("a copy that follows it anywhere is noticed", async () => {
    const { fake } = await scene({ server: () => "http://127.0.0.2:1/ztna/acme" });
    fake.add({ name: "db" });
    const plant = {
      file: "src/providers/twelveport/spec.ts",
      from: "if (target.origin !== document.origin) {",
      to: "if (target.origin === undefined) {",
    };
    const twin = (
      (await loadPatched("src/providers/twelveport/index.ts", [plant])) as { twelveport: typeof twelveport }
    ).twelveport;
    const provider = await twin.open(twin.options.parse(fake.options), providerContext());
    const [outcome] = await provider.resolve(["db"], never);
    await provider.close?.();
    // Even then the client itself stays on its host.
    expect(outcome).toMatchObject({ name: "db" });
  });

  it("is asked for once in ten minutes, and then only whether it has changed", async () => {
    const { fake, open, clock } = await scene();
    fake.add({ name: "db" });
    const provider = await open();
    await Promise.all([1, 2, 3].map(() => provider.resolve(["db"], never)));
    await provider.resolve(["db"], never);
    expect(fake.calls.document).toBe(1);
    clock.advance(10 * 60_000);
    await provider.resolve(["db"], never);
    expect(fake.calls.document).toBe(2);
  });

  it("is not lost to others when the one who asked for it leaves", async () => {
    const { fake, open } = await scene();
    fake.add({ name: "db" });
    const provider = await open();
    const stop = new AbortController();
    fake.watch = (operation) => void (operation === "document" && stop.abort());
    const [leaving, staying] = [refusal(provider.resolve(["db"], stop.signal)), provider.resolve(["db"], never)];
    expect((await leaving).code).toBe("cancelled");
    expect(await staying).toMatchObject([{ name: "db" }]);
  });

  it("that lacks an operation is told with what it has, and the configuration can name the right one", async () => {
    const { fake, open } = await scene({ without: ["search"] });
    const { id } = fake.add({ name: "db", password: PASSWORD });
    const provider = await open();
    expect(await refusal(provider.resolve(["db"], never))).toMatchObject({
      code: "config_invalid",
      message:
        "12Port's document has no operation for search; it has credentials_1, createAssetRequest, get-request-status, complete-request, findRequests_2",
      hint: "tell the user to put the right operationId into operations.search of the vault",
    });
    expect(await ask(provider, id)).toEqual([PASSWORD]);
    const odd = await scene({ spelling: "unknown" });
    odd.fake.add({ name: "db", password: PASSWORD });
    expect(await ask(await odd.open({ operations: { search: "opA", credentials: "opB" } }), "db")).toEqual([PASSWORD]);
    expect(await refusal((await odd.open({ operations: { search: "opZ" } })).resolve(["db"], never))).toMatchObject({
      code: "config_invalid",
      message: expect.stringMatching(
        /^operations\.search is "opZ", which is not in 12Port's document; it has op[A-Z], /,
      ) as string,
    });
  });

  it.each(["createRequest", "completeRequest"] as const)(
    "is not followed where %s is a GET: those are tried again on the way",
    async (name) => {
      const ids = { createRequest: "createAssetRequest", completeRequest: "complete-request" };
      const { fake, open, clock, warnings } = await scene({
        edit: (document) => {
          const paths = Object.entries(document.paths).map(([path, item]) => {
            const [operation] = Object.values(item as Record<string, { operationId: string }>);
            return [path, operation?.operationId === ids[name] ? { get: operation } : item];
          });
          return { ...document, paths: Object.fromEntries(paths) as object };
        },
      });
      fake.add({ name: "db", password: PASSWORD, way: "approvers" });
      fake.watch = (operation) => {
        if (operation === "other") throw new Error("the line breaks");
      };
      const provider = await open({ operations: { [name]: ids[name] } });
      const waiting = (text: string): void => void (/approvers(?: of|:)/.test(text) && fake.approve("db"));
      const asking = settle(clock, ask(provider, "db", { waiting }));
      if (name === "createRequest") {
        expect(await refusal(asking)).toMatchObject({
          code: "config_invalid",
          message: expect.stringMatching(/createAssetRequest for createRequest, and it is a GET/) as string,
        });
      } else {
        expect(await asking).toEqual([PASSWORD]);
        await settle(clock, provider.close?.() ?? Promise.resolve());
        expect(warnings).toHaveLength(1);
      }
      expect(fake.calls.other).toBe(0);
    },
  );

  it("may list the actions elsewhere, or nowhere", async () => {
    for (const actions of ["parameter", "nowhere"] as const) {
      const { fake, open, clock } = await scene({ actions });
      const action = actions === "nowhere" ? "AssetAccess" : "TestDelete";
      fake.add({ name: "db", password: PASSWORD, way: "approvers", action });
      const waiting = (text: string): void => void (text.includes("12Port's approvers: ") && fake.approve("db"));
      expect(await settle(clock, ask(await open(), "db", { waiting }))).toEqual([PASSWORD]);
      expect(fake.calls.requestStatus).toBeLessThan(12);
    }
  });

  it("that is none, or not there, is a mistake in the configuration", async () => {
    const { open } = await scene();
    expect(await refusal((await open({ tenant: "other" })).resolve(["db"], never))).toMatchObject({
      code: "config_invalid",
      message: "12Port has no MCP document for this tenant (/ztna/other/.well-known/mcp-agent.json)",
    });
  });
});

describe("trouble", () => {
  it.each<[FakeFault, string, RegExp]>([
    ["wrong", "provider_auth", /^12Port does not accept the API token$/],
    ["expired", "provider_expired", /^the API token for 12Port has expired$/],
    [
      "insufficient",
      "provider_forbidden",
      /^12Port does not let this token's user (?:read|search) .* \(MSG-00403, status 403\)$/,
    ],
    ["limited", "rate_limited", /takes no more calls for now$/],
    ["outage", "provider_unavailable", /is out of order \(status 503\)$/],
    ["gateway", "provider_unavailable", /answered with a web page instead of JSON \(status 502\)$/],
    ["page", "provider_unavailable", /answered with a web page instead of JSON \(status 200\)$/],
    ["huge", "provider_unavailable", /answered with more than 1 MiB$/],
    ["deep", "provider_unavailable", /answered with something that is not JSON \(status 500\)$/],
    ["redirect", "provider_unavailable", /sends us on to localhost:\d+, which is not followed$/],
    ["reset", "provider_unavailable", /broke the connection off$/],
    ["silent", "provider_unavailable", /did not answer within 15 s$/],
  ])("%s is told as %s, at first and in the middle, without a word of the answer", async (fault, code, message) => {
    const { fake, open, clock } = await scene();
    const { id } = fake.add({ name: "db", password: PASSWORD });
    const provider = await open();
    const pass = async (promise: Promise<unknown>) => {
      const refused = refusal(promise, fake.token, PASSWORD);
      if (fault !== "silent") return settle(clock, refused);
      for (let settled = false; !settled; clock.step()) {
        settled = await Promise.race([
          refused.then(() => true),
          new Promise<boolean>((turn) => setTimeout(turn, 20, false)),
        ]);
      }
      return refused;
    };
    fake.break(fault);
    const first = await pass(provider.resolve(["db"], never));
    expect(first).toMatchObject({ code, message: expect.stringMatching(message) as string });
    fake.mend();
    const handles = [{ name: id, ref: JSON.stringify([id, "password"]), checked: false }];
    await provider.resolve(["db"], never);
    fake.break(fault);
    expect(await pass(provider.read(handles, never))).toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
    if (fault === "limited") expect(first.hint).toBe("try again in 137 s");
    expect(fake.elsewhere()).toBe(0);
    fake.mend();
    expect(await ask(provider, "db")).toEqual([PASSWORD]);
  });

  it("a token that says itself that it is over has expired, whatever the server calls it", async () => {
    const { fake, open, clock } = await scene();
    fake.add({ name: "db" });
    const token = jwt({ exp: Math.floor(clock.now() / 1_000) - 60 });
    expect(await refusal((await open({ token })).resolve(["db"], never), token)).toMatchObject({
      code: "provider_expired",
    });
    const other = jwt({ exp: Math.floor(clock.now() / 1_000) + 60 });
    expect(await refusal((await open({ token: other })).resolve(["db"], never), other)).toMatchObject({
      code: "provider_auth",
    });
  });

  it("a certificate of the vault's own is taken where ca holds it, and only there", async () => {
    const { fake, open } = await scene({ tls: selfSigned() });
    fake.add({ name: "db", password: PASSWORD });
    expect(await ask(await open(), "db")).toEqual([PASSWORD]);
    const error = await refusal((await open({ ca: undefined })).resolve(["db"], never));
    expect(error).toMatchObject({ code: "provider_unavailable", hint: expect.stringContaining("ca option") as string });
    expect(await refusal(open({ ca: "nowhere.pem" }))).toMatchObject({ code: "config_invalid" });
  });

  it("a call that is given up ends on the wire too", async () => {
    const { fake, open } = await scene();
    fake.add({ name: "db" });
    const provider = await open();
    await provider.resolve(["db"], never);
    fake.break("silent");
    const stop = new AbortController();
    const called = fake.called();
    const pending = refusal(provider.resolve(["db"], stop.signal));
    const { over } = await called;
    stop.abort();
    expect((await pending).code).toBe("cancelled");
    await over;
  });
});

describe("doctor", () => {
  const check = async (options: FakeTwelvePortOptions = {}, more: object = {}) => {
    const { fake, open, warnings } = await scene(options);
    fake.add({ name: "db", password: PASSWORD });
    const lines = (await (await open(more)).check?.(never)) ?? [];
    expect(fake.calls.credentials).toBe(0);
    for (const secret of [PASSWORD, fake.token]) expect([...lines, ...warnings].join("\n")).not.toContain(secret);
    return { lines, warnings };
  };

  it("is told that the vault is there, what was found in its document, and what the actions are", async () => {
    const { lines, warnings } = await check();
    expect(warnings).toEqual([]);
    expect(lines[0]).toMatch(/^12Port at 127\.0\.0\.1:\d+, tenant "acme": reached, with 1 or more assets to be found$/);
    expect(lines[1]).toMatch(/^operation search: polySearch_1 \(GET \/api\/mcp\/\w+\/assets\/search\)$/);
    expect(lines.filter((line) => line.startsWith("operation "))).toHaveLength(5);
    expect(lines).toContain("the document lists 6 operations in all");
    expect(lines).toContain(
      "request actions: TestSession, TestConnect, AssetUnlock, TestRotate, TestExecute, AssetAccess, TestShare, TestDelete",
    );
  });

  it("is warned of an operation that is missing, and told that a search for everything is refused", async () => {
    const { lines, warnings } = await check({ without: ["completeRequest"], emptySearch: false });
    expect(lines[0]).toContain("it does not answer a search for everything");
    expect(lines.filter((line) => line.startsWith("operation "))).toHaveLength(4);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^operation completeRequest: not found, so what was approved cannot be closed early; .*operations\.completeRequest of the vault$/,
      ),
    ]);
  });

  it.each([
    [-1, [], ["the token says that it expired on 2026-11-19: have a new one made in 12Port"]],
    [1, [], ["the token expires on 2026-11-21: have a new one made in 12Port before that"]],
    [60, ["the token expires on 2027-01-19"], []],
  ])("is told when the token runs out, and warned before it does (%i days)", async (days, said, warned) => {
    const exp = Math.floor(new FakeClock().now() / 1_000) + days * 86_400;
    const { fake, open, warnings } = await scene({ token: jwt({ exp }) });
    fake.add({ name: "db" });
    const lines = (await (await open()).check?.(never)) ?? [];
    expect(lines.filter((line) => line.startsWith("the token"))).toEqual(said);
    expect(warnings).toEqual(warned);
  });

  it("is told that the token is not accepted", async () => {
    const { fake, open } = await scene();
    fake.break("wrong");
    expect(await refusal((await open()).check?.(never) ?? Promise.resolve())).toMatchObject({ code: "provider_auth" });
  });

  it("is told nothing of a token that names no day", async () => {
    const { fake, open } = await scene({ token: jwt({ exp: 1e15, sub: "svc" }) });
    fake.add({ name: "db" });
    const lines = (await (await open()).check?.(never)) ?? [];
    expect(lines.filter((line) => line.startsWith("the token"))).toEqual([]);
  });

  it("is told what waits with the vault's people", async () => {
    const { fake, open, clock } = await scene();
    fake.add({ name: "db", way: "approvers" });
    const stop = new AbortController();
    const provider = await open();
    const waiting = (text: string): void => void (text.includes("12Port's approvers: ") && stop.abort());
    await refusal(settle(clock, ask(provider, "db", { waiting, signal: stop.signal })));
    const line = "request 4711 for db is with 12Port's approvers or on the way there, until 2026-11-20 15:32 UTC";
    expect(await provider.check?.(never)).toContain(line);
    // Another process has heard no name yet.
    expect(await (await open()).check?.(never)).toContain(line);
    fake.remove("db");
    expect((await (await open()).check?.(never))?.at(-1)).toMatch(
      /^request 4711 for asset [0-9a-f-]{36}, name unknown /,
    );
  });

  it("is told what was turned down", async () => {
    const { fake, open, clock } = await scene();
    fake.add({ name: "db", way: "approvers" });
    const provider = await open();
    const waiting = (text: string): void => void (text.includes("12Port's approvers: ") && fake.reject("db"));
    await refusal(settle(clock, ask(provider, "db", { waiting })));
    expect(await provider.check?.(never)).toContain(
      "request 4711 for db was turned down; that counts until 2026-11-20 15:32 UTC",
    );
  });
});

describe("the options", () => {
  const good = { server: "https://vault.example:6443", tenant: "acme", token: "tok-hunter2-4711" };

  it("have the defaults that the documentation names", () => {
    expect(twelveport.options.parse(good)).toMatchObject({
      assets: {},
      requestMinutes: 60,
      pollSeconds: 20,
      onReject: "giveUp",
      complete: "window",
    });
    expect(twelveport.options.safeParse({ server: "env:S", tenant: "env:T", token: "env:K" }).success).toBe(true);
  });

  it.each([
    { server: "http://vault.example" },
    { server: "https://vault.example/ztna/acme" },
    { tenant: ".." },
    { tenant: "a/b" },
    { tenant: "" },
    { token: "" },
    { assets: { db: "../x" } },
    { pollSeconds: 4 },
    { pollSeconds: 301 },
    { requestActions: [] },
    { requestActions: ["a/b"] },
    { operations: { other: "x" } },
    { surprise: true },
  ])("refuse %j", (wrong) => {
    expect(twelveport.options.safeParse({ ...good, ...wrong }).success).toBe(false);
  });

  it.each([
    [{ server: "vault.example" }, "must be https://host or https://host:port, with nothing behind it"],
    [{ tenant: "a/b" }, "must be its name alone, without / ? # and \\"],
  ])("say how %j is written", (wrong, message) => {
    const { error } = twelveport.options.safeParse({ ...good, ...wrong });
    expect(error?.issues.map((issue) => issue.message)).toEqual([message]);
  });

  it("say of an empty tenant and an empty token one thing each", () => {
    const { error } = twelveport.options.safeParse({ ...good, tenant: "", token: "" });
    expect(error?.issues.map(({ code, path }) => [code, path])).toEqual([
      ["too_small", ["tenant"]],
      ["too_small", ["token"]],
    ]);
  });

  it.each([
    ["Bearer hunter2-4711", /^what is set as token is not a token: no spaces in it, and no "Bearer" before it$/],
    ["hunter2\n4711", /^what is set as token is not a token: no spaces in it, and no "Bearer" before it$/],
    [" \t", /^what is set as token is not a token: it is blank$/],
  ])("take a token that cannot be one (%#) for credentials that are not accepted", async (token, message) => {
    const options = twelveport.options.parse({ ...good, token });
    expect(await refusal(twelveport.open(options, providerContext()), "hunter2")).toMatchObject({
      code: "provider_auth",
      message: expect.stringMatching(message) as string,
      hint: expect.stringMatching(/^tell the user to /) as string,
    });
  });

  it("take a token with a line break at its end, as a file has it", async () => {
    const { fake, open } = await scene();
    fake.add({ name: "db", password: PASSWORD });
    expect(await ask(await open({ token: `${fake.token}\n` }), "db")).toEqual([PASSWORD]);
  });

  it("refuse to wait for longer than is requested", () => {
    const problems = twelveport.problems?.(twelveport.options.parse({ ...good, timeoutMinutes: 90 }), {
      writable: false,
    });
    expect(problems).toMatchObject([{ path: ["timeoutMinutes"] }]);
    expect(
      twelveport.problems?.(twelveport.options.parse({ ...good, timeoutMinutes: 60 }), { writable: false }),
    ).toEqual([]);
  });
});
