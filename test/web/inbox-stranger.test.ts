import { afterEach, describe, expect, it } from "vitest";
import type { createWeb } from "../../src/web/server.ts";
import { startInbox, WITH_KEY } from "../support/inbox.ts";
import { loadPatched, type Plant } from "../support/patched.ts";
import { type Ask, browserHeaders, type Reply, send } from "../support/web.ts";

type Started = Awaited<ReturnType<typeof startInbox>>;

const open: Started[] = [];
afterEach(async () => {
  for (const { web } of open.splice(0)) await web.close();
});

async function start(create?: typeof createWeb): Promise<Started> {
  const started = await startInbox(create ? { create } : {});
  open.push(started);
  return started;
}

/**
 * Everything a stranger can ask the inbox, with and without cookies of their own making, and with the cookie of a phone
 * that is signed in, which browsers send to every port of this computer.
 */
function questions(port: number, seal: string, stolen: string): readonly Ask[] {
  const form = browserHeaders(port);
  const post = (path: string, fields: Record<string, string>, headers: Ask["headers"] = {}): Ask => ({
    method: "POST",
    path,
    headers: { ...form, ...headers },
    body: new URLSearchParams({ seal, ...fields }).toString(),
  });
  const name = `agent-vault-${port}`;
  const cookies = [
    undefined,
    `${name}=${"A".repeat(43)}`,
    `${name}=`,
    `${name}=${"x".repeat(43)}; ${name}=${"y".repeat(43)}`,
    `__Host-agent-vault=${"A".repeat(43)}`,
    `${name}=nonce`,
    "garbage; =; ;;",
    stolen,
  ];
  // Only what is stolen lacks what its page keeps for itself.
  const bringing = (cookie: string | undefined): Record<string, string> =>
    cookie === undefined ? {} : { Cookie: cookie, ...(cookie !== stolen && WITH_KEY) };
  const looks = ["/", "/inbox", "/inbox/live", "/inbox/live?version=0", "/inbox?approval=approval-1"];
  return [
    ...cookies.flatMap((cookie) => looks.map((path): Ask => ({ path, headers: bringing(cookie) }))),
    { path: "/inbox", method: "HEAD" },
    { path: "/inbox", method: "DELETE" },
    { path: "/inbox", headers: WITH_KEY },
    ...cookies.flatMap((cookie) => {
      const headers = bringing(cookie);
      return [
        post("/inbox", { do: "revoke", approval: "approval-1" }, headers),
        post("/inbox", { do: "revoke-all" }, headers),
        post("/inbox", { do: "sign-out" }, headers),
        post("/inbox", { do: "sign-in", signed: "{}" }, headers),
        post("/inbox", { do: "look" }, headers),
      ];
    }),
    post("/inbox", { do: "revoke-all" }, { Origin: "http://evil.test" }),
    post("/inbox", { do: "revoke-all" }, { "Sec-Fetch-Site": "cross-site" }),
    post("/inbox/challenge", {}, { Origin: "null" }),
    post("/inbox/challenge", { seal: "0-forged" }),
  ];
}

/** What came back, without what differs between two pages that are run at different times on different ports. */
const plain = ({ status, headers, text }: Reply, port: number): string =>
  JSON.stringify([status, { ...headers, date: "" }, text])
    .replaceAll(String(port), "PORT")
    .replace(/0-[\w-]{43}/g, "SEAL");

/** All that a stranger is told, asked in every way, while nothing waits and nothing is open, or while much is. */
async function told(create: typeof createWeb | undefined, much: boolean): Promise<readonly string[]> {
  const { web, front, signIn, get } = await start(create);
  const stolen = await signIn();
  if (much) {
    for (let n = 0; n < 5; n++) front.waits({ names: ["hunter2-4711"], client: "canary-client" });
    front.opens({ vault: "canary-vault" });
    front.opens();
  }
  const seal = /name="seal" value="([\w-]+)"/.exec((await get("/inbox")).text)?.[1] ?? "";
  const answers: string[] = [];
  for (const ask of questions(web.port, seal, stolen)) answers.push(plain(await send(web.port, ask), web.port));
  return [...answers, `ended ${front.ended.join()}`];
}

/** What tells a stranger an empty desk from a full one, or names somebody; empty where nothing does. */
async function tells(create?: typeof createWeb): Promise<readonly string[]> {
  const [empty, full] = [await told(create, false), await told(create, true)];
  return full.filter((answer, at) => answer !== empty[at] || /hunter2-4711|canary|Maria/.test(answer));
}

describe("a stranger", () => {
  it("is told nothing, whatever they ask and whatever they bring along", async () => {
    expect(await tells()).toEqual([]);
  });

  it("gets the same bytes everywhere, with and without a guessed cookie", async () => {
    const { web, get, front } = await start();
    front.waits();
    const bytes = (await get("/inbox")).text;
    for (const cookie of [undefined, `agent-vault-${web.port}=${"Z".repeat(43)}`]) {
      for (const path of ["/", "/inbox", "/inbox/live?version=x"]) {
        expect({ path, text: (await get(path, cookie)).text }).toEqual({ path, text: bytes });
      }
    }
    expect(bytes).toContain("Sign in with your passkey");
  });

  it("is offered to sign in only where a passkey was paired", async () => {
    const { web, front } = await start();
    front.waits();
    const { text } = await send(web.port, { path: "/inbox", headers: { Host: `127.0.0.1:${web.port}` } });
    expect(text).not.toContain("Sign in");
    expect(text).toContain("Each request has its own link.");
    const challenge = await send(web.port, {
      method: "POST",
      path: "/inbox/challenge",
      headers: { ...browserHeaders(web.port), Host: `127.0.0.1:${web.port}`, Origin: `http://127.0.0.1:${web.port}` },
      body: `seal=${/value="([\w-]+)"/.exec((await send(web.port, { path: "/inbox" })).text)?.[1]}`,
    });
    expect(challenge.status).toBe(403);
  });

  it("cannot use the form of a phone that is signed in, nor can one phone use another's", async () => {
    const { front, signIn, get, post } = await start();
    front.opens();
    const [mine, other] = [await signIn(), await signIn()];
    const seal = /name="seal" value="([\w-]+)"/.exec((await get("/inbox", mine)).text)?.[1] ?? "";
    await post("/inbox", { seal, do: "revoke-all" });
    await post("/inbox", { seal, do: "revoke-all" }, { Cookie: other });
    await post("/inbox", { seal, do: "revoke-all" }, { Cookie: mine, "Sec-Fetch-Site": "cross-site" });
    expect(front.ended).toEqual([]);
    await post("/inbox", { seal, do: "revoke-all" }, { Cookie: mine });
    expect(front.ended).toEqual(["approval-1"]);
  });
});

describe("the check on strangers", () => {
  it.each<[string, Plant]>([
    [
      "any cookie counted as a sign-in",
      {
        file: "src/web/sign-ins.ts",
        from: "    if (!record || isOver(record.since, LASTS_MS)) return undefined;\n",
        to: "    if (!record) return approvers.all()[0];\n",
      },
    ],
    [
      "the cookie were enough on this computer",
      {
        file: "src/web/page-key.ts",
        from: 'if (origin.startsWith("https:")) return "";',
        to: 'if (origin !== "") return "";',
      },
    ],
    [
      "the bare page said how much waits",
      {
        file: "src/web/inbox.ts",
        from: "    if (!phone) return bare(request, response);\n    const overview",
        to: "    if (!phone) response.set('X-Waiting', String((await front.overview()).waiting.length));\n    if (!phone) return bare(request, response);\n    const overview",
      },
    ],
    [
      "a poll was held for anybody",
      {
        file: "src/web/inbox.ts",
        from: '    if (!phone || typeof version !== "string") return bare(request, response.status(404));\n',
        to: '    if (!phone || typeof version !== "string") return void response.json(await front.overview());\n',
      },
    ],
    [
      "revoking was open to all",
      {
        file: "src/web/inbox.ts",
        from: "    const phone = caller(request);\n    // Signed out",
        to: "    if (said.do === 'revoke-all') for (const { approval } of (await front.overview()).windows) await front.endApproval(approval);\n    const phone = caller(request);\n    // Signed out",
      },
    ],
  ])("would see it if %s", async (_what, plant) => {
    const twin = (await loadPatched("src/web/server.ts", [plant])) as { createWeb: typeof createWeb };
    expect(await tells(twin.createWeb)).not.toEqual([]);
  });
});
