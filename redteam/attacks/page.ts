import { type Attack, NOTHING } from "../attack.ts";
import type { HttpAsk, HttpReply } from "../attacker.ts";
import type { Asked, World } from "../world.ts";
import { eventually, finish, formHeaders, linkInReach, pathOf, portOf, postAsAgent, sealAsAgent } from "./steal.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];
const ROUTES = `
  / /style.css /live.js /icon.svg /favicon.ico
  /approve /approve/ /approve/aaaaaaaaaaaaaaaaaaaaaa /approve/aaaaaaaaaaaaaaaaaaaaaa/live?version=1 /approve/aaaaaaaaaaaaaaaaaaaaaa/passkey
  /inbox /inbox/ /inbox/live /pair /pair/aaaaaaaaaaaaaaaaaaaaaa
  /passkey.js /sign-in /overview /pending /requests
  /status /api /api/requests /health /metrics
  /debug /admin /.env /.git/config /sitemap.xml
  /robots.txt /revoke /log /audit /secrets
  /agent-vault.config.json /main.js.map /__proto__ /constructor
`
  .trim()
  .split(/\s+/);
const BOTS = [
  "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
  "TelegramBot (like TwitterBot)",
  "WhatsApp/2.23.20.0",
  "facebookexternalhit/1.1",
  "Mozilla/5.0 (compatible; SkypeUriPreview Preview/0.5)",
  "Discordbot/2.0",
];

/** Whether the request still waits exactly as it did: the person can say yes, and the agent gets what was asked for. */
async function isUntouched(world: World, { call, link }: Asked): Promise<boolean> {
  let isOver = false;
  void call.then(() => (isOver = true));
  // Whatever was answered so far has come by then.
  await (await world.session()).request("ping");
  if (isOver || endsOf(world).length > 0) return false;
  await world.person.deny(link);
  return (await call).status === "denied";
}

/** What an answer gives away about a request that waits. */
function leak(world: World, link: string, replies: readonly HttpReply[]): string | undefined {
  const token = link.slice(link.lastIndexOf("/") + 1);
  const all = replies.map(({ headers, body }) => JSON.stringify(headers) + body).join("\n");
  const told = [token, "API_KEY", "run migration", world.paths.home].find((text) => all.includes(text));
  return told && `an answer tells of the request: ${told === token ? "its link" : told}`;
}

export const pageAttacks: readonly Attack[] = [
  {
    id: "page-every-route",
    title: "asks the port for every route with every method, without a link",
    about: "page",
    expected: { "link/same-user": "stopped", "link/other-user": "stopped", "passkey/other-user": "stopped" },
    why: "without a link the page lists nothing and decides nothing",
    isLight: true,
    run: async (world) => {
      const asked = await world.ask();
      const asks = ROUTES.flatMap((path) =>
        METHODS.map((method): HttpAsk => {
          const body = ["POST", "PUT", "PATCH"].includes(method) ? { body: "verdict=approve&choice=once" } : {};
          return { method, path, headers: formHeaders(asked.link), ...body };
        }),
      );
      const replies = await world.attacker.http(portOf(asked.link), asks);
      const got = leak(world, asked.link, replies);
      if (got !== undefined) return { got };
      return (await isUntouched(world, asked)) ? NOTHING : { got: "a request was decided" };
    },
  },
  {
    id: "page-curl-approve",
    title: "takes the link from its client's log and sends the approval with made-up browser headers",
    about: "page",
    expected: {
      "link/same-user": "noticed",
      "passkey/same-user": "stopped",
      "link/other-user": "stopped",
      "passkey/other-user": "stopped",
    },
    why: "whoever has a bare link is the approver; a passkey has to sign, and another user cannot read the log",
    isLight: true,
    run: async (world) => {
      const asked = await world.ask();
      const link = await linkInReach(world, asked);
      if (link !== undefined) await postAsAgent(world, link, { verdict: "approve", choice: "once" });
      await finish(world, asked);
      return NOTHING;
    },
  },
  {
    id: "page-sandboxed",
    title: "does the same from a sandbox without a network",
    about: "page",
    expected: { "link/same-user": "stopped" },
    why: "a command that cannot reach loopback cannot reach the page",
    needs: () => (process.platform === "linux" ? undefined : "network namespaces are Linux's"),
    run: async (world) => {
      const asked = await world.ask();
      const link = (await linkInReach(world, asked)) ?? "";
      const replies = await world.attacker.http(portOf(link), [{ path: pathOf(link) }], { isOffline: true });
      const got = replies.some(({ status }) => status !== 0) ? "the page answered" : undefined;
      await finish(world, asked);
      return got === undefined ? NOTHING : { got };
    },
  },
  {
    id: "page-port-scan",
    title: "looks for a port that listens beyond loopback, and knocks at this computer's other addresses",
    about: "page",
    expected: { "link/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "the page listens on 127.0.0.1 and ::1 and nowhere else",
    control: [
      {
        file: "src/web/listen.ts",
        from: 'const LOOPBACK = ["127.0.0.1", "::1"];',
        to: 'const LOOPBACK = ["0.0.0.0"];',
      },
    ],
    isLight: true,
    run: async (world) => {
      const asked = await world.ask();
      const { out } = await world.attacker.tool("scan.mjs", [String(portOf(asked.link))]);
      const { listening, answered } = JSON.parse(out) as { listening: string[]; answered: string[] };
      if (listening.length === 0) throw new Error("the scan did not even find the page on loopback");
      await finish(world, asked);
      const beyond = [...listening.filter((address) => !["127.0.0.1", "::1"].includes(address)), ...answered];
      return beyond.length > 0 ? { got: `it listens on ${beyond.join(", ")}` } : NOTHING;
    },
  },
  {
    id: "page-guess-ids",
    title: "guesses 100,000 links on kept connections",
    about: "page",
    expected: { "link/same-user": "stopped" },
    why: "a link holds 128 random bits",
    control: [
      {
        file: "src/core/ids.ts",
        from: 'return randomBytes(16).toString("base64url");',
        to: 'const all = globalThis as { count?: number };\n  return String((all.count = (all.count ?? 0) + 1)).padStart(22, "0");',
      },
      {
        file: "src/core/ids.ts",
        from: 'return createHash("sha256").update(`agent-vault/token${key}`).digest().subarray(0, 16).toString("base64url");',
        to: "return key;",
      },
    ],
    run: async (world) => {
      const asked = await world.ask();
      const { out, err } = await world.attacker.tool("guess.mjs", [String(portOf(asked.link)), "100000"]);
      if (!/^\d+ tried/.test(out)) throw new Error(`the guessing broke: ${err}`);
      await finish(world, asked);
      const found = /found (\S+)/.exec(out)?.[1];
      return found === undefined ? NOTHING : { got: `the link ${found}` };
    },
  },
  {
    id: "page-link-previews",
    title: "lets 100 preview bots fetch the link with GET and HEAD",
    about: "page",
    expected: { "link/same-user": "stopped", "passkey/same-user": "stopped" },
    why: "only a POST from the page itself decides",
    control: [
      {
        file: "src/web/approve.ts",
        from: "const notTaken = notTakenIn(request.query, card);",
        to: 'await front.answer(token, { verdict: "deny" }, { proof: "link" });\n    const notTaken = notTakenIn(request.query, card);',
      },
    ],
    isLight: true,
    run: async (world) => {
      const asked = await world.ask();
      const path = pathOf(asked.link);
      const asks = Array.from({ length: 100 }, (_, n): HttpAsk => {
        const query = n % 3 === 0 ? "?verdict=approve&choice=once&_method=POST" : "";
        const headers = {
          "User-Agent": BOTS[n % BOTS.length] ?? "",
          Purpose: "prefetch",
          "Sec-Purpose": "prefetch;prerender",
        };
        return { method: n % 2 === 0 ? "GET" : "HEAD", path: path + query, headers, together: true };
      });
      await world.attacker.http(portOf(asked.link), asks);
      return (await isUntouched(world, asked)) ? NOTHING : { got: "the request was decided or is gone" };
    },
  },
  {
    id: "page-method-override",
    title: "dresses a GET up as a POST: override headers, query, other types of body",
    about: "page",
    expected: { "link/same-user": "stopped" },
    why: "only a real POST of a form counts",
    run: async (world) => {
      const asked = await world.ask();
      const seal = await sealAsAgent(world, asked.link);
      const form = new URLSearchParams({ seal, verdict: "approve", choice: "once" }).toString();
      const path = pathOf(asked.link);
      const headers = formHeaders(asked.link);
      const override = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"].map((name): HttpAsk => {
        return { path: `${path}?${form}`, headers: { ...headers, [name]: "POST" } };
      });
      const types = ["application/json", "text/plain", "multipart/form-data; boundary=x", ""].map((type): HttpAsk => {
        const body = type === "application/json" ? JSON.stringify(Object.fromEntries(new URLSearchParams(form))) : form;
        return { method: "POST", path, headers: { ...headers, "Content-Type": type }, body };
      });
      const methods = ["PUT", "PATCH", "DELETE", "OPTIONS", "REPORT"].map((method): HttpAsk => ({
        method,
        path,
        headers,
        body: form,
      }));
      await world.attacker.http(portOf(asked.link), [
        ...override,
        ...types,
        ...methods,
        { path: `${path}?_method=POST&${form}` },
      ]);
      return (await isUntouched(world, asked)) ? NOTHING : { got: "the request was decided" };
    },
  },
  {
    id: "page-missing-headers",
    title: "leaves out or changes what browsers vouch for: origin, site, seal, host",
    about: "page",
    expected: { "link/same-user": "stopped" },
    why: "whatever is absent, doubled or different counts as wrong",
    control: [
      {
        file: "src/web/guard.ts",
        from: 'if (only("origin") !== origin) return false;',
        to: "if (origin === undefined) return false;",
      },
    ],
    isLight: true,
    run: async (world) => {
      const asked = await world.ask();
      const [path, port] = [pathOf(asked.link), portOf(asked.link)];
      const seal = await sealAsAgent(world, asked.link);
      const body = new URLSearchParams({ seal, verdict: "approve", choice: "once" }).toString();
      const bad = new URLSearchParams({ seal: seal.replace(/.$/, "_"), verdict: "approve", choice: "once" }).toString();
      const with_ = (headers: HttpAsk["headers"], text = body): HttpAsk => ({
        method: "POST",
        path,
        headers: { ...formHeaders(asked.link), ...headers },
        body: text,
      });
      await world.attacker.http(port, [
        with_({ Origin: "null" }),
        with_({ Origin: "https://evil.example" }),
        with_({ Origin: [new URL(asked.link).origin, "https://evil.example"] }),
        with_({ Origin: `http://localhost:${port + 1}` }),
        with_({ "Sec-Fetch-Site": "cross-site" }),
        with_({ "Sec-Fetch-Site": "same-site" }),
        with_({ "Sec-Fetch-Site": "none" }),
        with_({ Host: "evil.example" }),
        with_({ Host: `localhost.evil.example:${port}` }),
        with_({ Host: [`localhost:${port}`, "evil.example"] }),
        with_({}, bad),
        with_({}, new URLSearchParams({ verdict: "approve", choice: "once" }).toString()),
        { method: "POST", path, headers: { "Content-Type": "application/x-www-form-urlencoded" }, body },
      ]);
      return (await isUntouched(world, asked)) ? NOTHING : { got: "the request was decided" };
    },
  },
  {
    id: "page-proxy-headers",
    title: "plays a proxy: X-Forwarded-Host, Forwarded and the like",
    about: "page",
    expected: { "link/same-user": "stopped" },
    why: "no such header is read: the host is the one of the connection, and links never come from a header",
    run: async (world) => {
      const asked = await world.ask();
      const [path, port] = [pathOf(asked.link), portOf(asked.link)];
      const evil = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "127.0.0.1",
        "X-Original-URL": "/approve/x",
        "X-Rewrite-URL": "/approve/x",
        "X-Host": "evil.example",
        Forwarded: "host=evil.example;proto=https",
      };
      const seal = await sealAsAgent(world, asked.link);
      const body = new URLSearchParams({ seal, verdict: "approve", choice: "once" }).toString();
      const replies = await world.attacker.http(port, [
        { path, headers: evil },
        { path: "/", headers: evil },
        {
          method: "POST",
          path,
          headers: { ...formHeaders(asked.link), ...evil, Origin: "https://evil.example" },
          body,
        },
        {
          method: "POST",
          path,
          headers: { ...formHeaders(asked.link), ...evil, Host: "evil.example", Origin: "https://evil.example" },
          body,
        },
      ]);
      if (replies.some(({ headers, body: text }) => (JSON.stringify(headers) + text).includes("evil.example")))
        return { got: "the page repeats a host that a header named" };
      return (await isUntouched(world, asked)) ? NOTHING : { got: "the request was decided" };
    },
  },
  {
    id: "page-open-redirect",
    title: "tries to be sent elsewhere: odd paths, hosts and targets",
    about: "page",
    expected: { "link/same-user": "stopped" },
    why: "the only redirect is back to the path of the request",
    run: async (world) => {
      const asked = await world.ask();
      const [path, port] = [pathOf(asked.link), portOf(asked.link)];
      const paths = [
        "//evil.example",
        "//evil.example/..",
        "/\\evil.example",
        "/%2f%2fevil.example",
        "/approve//evil.example",
        `${path}//evil.example`,
        `${path}/..//evil.example`,
        `${path}?next=//evil.example&url=//evil.example`,
        `/${encodeURIComponent("http://evil.example")}`,
      ];
      const seal = await sealAsAgent(world, asked.link);
      const body = new URLSearchParams({ seal, verdict: "again", note: "x", next: "//evil.example" }).toString();
      const raw = (target: string, host: string): HttpAsk => ({
        path: "",
        raw: `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      });
      const replies = await world.attacker.http(port, [
        ...paths.flatMap((each): HttpAsk[] => [
          { path: each },
          { method: "POST", path: each, headers: formHeaders(asked.link), body },
        ]),
        raw("http://evil.example/", `localhost:${port}`),
        raw(path, "evil.example"),
        { method: "POST", path: `${path}?next=//evil.example`, headers: formHeaders(asked.link), body },
      ]);
      await world.person.deny(asked.link);
      await asked.call;
      const away = replies.find(({ headers, body: text }) => {
        const location = headers["location"] ?? /^location: (.*)$/im.exec(text)?.[1];
        return location !== undefined && new URL(String(location), asked.link).origin !== new URL(asked.link).origin;
      });
      return away === undefined ? NOTHING : { got: `a redirect to ${String(away.headers["location"])}` };
    },
  },
  {
    id: "page-header-injection",
    title: "puts line breaks into paths, queries, forms and its reason, to write headers of its own",
    about: "page",
    expected: { "link/same-user": "stopped" },
    why: "nothing that a stranger says gets into a header",
    run: async (world) => {
      const asked = await world.ask("API_KEY", "ok\r\nSet-Cookie: evil=1\r\n\r\n<b>");
      const [path, port] = [pathOf(asked.link), portOf(asked.link)];
      const breaks = [
        "%0d%0aSet-Cookie:%20evil=1",
        "%0aSet-Cookie:evil=1",
        "%E5%98%8A%E5%98%8DSet-Cookie:evil=1",
        "%0d%0a%0d%0a<b>evil</b>",
      ];
      const seal = await sealAsAgent(world, asked.link);
      const body = new URLSearchParams({ seal, verdict: "again", note: "x\r\nSet-Cookie: evil=1" }).toString();
      const replies = await world.attacker.http(port, [
        ...breaks.flatMap((each): HttpAsk[] => [
          { path: `/${each}` },
          { path: `${path}?late=${each}` },
          { path: `/approve/${each}` },
        ]),
        { method: "POST", path, headers: formHeaders(asked.link), body },
        { path },
      ]);
      await world.person.deny(asked.link);
      await asked.call;
      const evil = replies.find(({ headers }) => JSON.stringify(headers).includes("evil"));
      return evil === undefined ? NOTHING : { got: "a header of its own" };
    },
  },
  {
    id: "page-path-traversal",
    title: "asks for files: ../, encoded, doubled, with null bytes",
    about: "page",
    expected: { "link/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "the page serves a handful of texts from memory and opens no file",
    run: async (world) => {
      const asked = await world.ask();
      const ups = ["../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%252f", "....//", "..\\", "..%5c", "..%c0%af"].map((up) =>
        up.repeat(12),
      );
      const files = [world.paths.secrets.slice(1), "etc/passwd", "proc/self/environ", "etc/passwd%00.css"];
      const asks = ups.flatMap((up) =>
        files.flatMap((file): HttpAsk[] => [
          { path: `/${up}${file}` },
          { path: `/style.css/${up}${file}` },
          { path: `/approve/${up}${file}` },
        ]),
      );
      const replies = await world.attacker.http(portOf(asked.link), asks);
      await finish(world, asked);
      return replies.some(({ body }) => /root:|OP_SERVICE/.test(body)) ? { got: "a file of this computer" } : NOTHING;
    },
  },
  {
    id: "page-malformed",
    title: "smuggles and breaks: two lengths, chunks within lengths, huge headers and bodies, half lines",
    about: "page",
    expected: { "link/same-user": "stopped" },
    why: "what is not one clear request is refused and the connection closed",
    run: async (world) => {
      const asked = await world.ask();
      const [path, port] = [pathOf(asked.link), portOf(asked.link)];
      const host = `Host: localhost:${port}\r\n`;
      const inner = `POST ${path} HTTP/1.1\r\n${host}Origin: ${new URL(asked.link).origin}\r\nSec-Fetch-Site: same-origin\r\n\r\n`;
      const raws = [
        `POST / HTTP/1.1\r\n${host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
        `POST / HTTP/1.1\r\n${host}Content-Length: 0\r\nContent-Length: 50\r\n\r\n${inner}`,
        `POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n${inner}`,
        `GET / HTTP/1.1\r\n${host}X: ${"a".repeat(100_000)}\r\n\r\n`,
        `GET /${"a".repeat(100_000)} HTTP/1.1\r\n${host}\r\n`,
        "\0".repeat(10_000),
        `GET / HTTP/1.1\r\nHost : localhost:${port}\r\n\r\n`,
        `GET / HTTP/9.9\r\n\r\n`,
        "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc",
      ];
      const replies = await world.attacker.http(port, [
        ...raws.map((raw): HttpAsk => ({ path: "", raw })),
        { method: "POST", path, headers: formHeaders(asked.link), body: `seal=${"a".repeat(2_000_000)}` },
        { method: "POST", path, headers: formHeaders(asked.link), body: "a=b&".repeat(10_000) },
      ]);
      const [page] = await world.attacker.http(port, [{ path: "/" }]);
      if (page?.status !== 200) return { got: "the page is gone" };
      if (replies.some(({ body }) => body.includes("API_KEY"))) return { got: "a page of a request" };
      return (await isUntouched(world, asked)) ? NOTHING : { got: "the request was decided" };
    },
  },
  {
    id: "page-slow-connections",
    title: "opens 600 connections and sends a byte now and then, so that the person cannot open the page",
    about: "page",
    expected: { "link/same-user": "stopped" },
    why: "when all connections are taken, the one that has kept the page waiting longest gives way",
    run: async (world) => {
      const asked = await world.ask();
      const slow = world.attacker.tool("slow.mjs", [String(portOf(asked.link)), "600", "4000"]);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const opened = await fetch(asked.link, { signal: AbortSignal.timeout(2_500) }).then(
        ({ status }) => status === 200,
        () => false,
      );
      await slow;
      await finish(world, asked);
      return opened ? NOTHING : { got: "while it lasts the person cannot open the page" };
    },
  },
  {
    id: "page-races",
    title: "lets 39 approvals, denials and notes race for one request",
    about: "page",
    expected: { "link/same-user": "stopped" },
    why: "exactly one answer counts, and a no while a yes is being written is that one",
    isLight: true,
    run: async (world) => {
      const asked = await world.ask();
      await world.person.tapAll(
        asked.link,
        Array.from({ length: 39 }, (_, n) => RACERS[n % RACERS.length] ?? {}),
      );
      const reply = await asked.call;
      await eventually(() => endsOf(world).length > 0);
      await world.session().then((session) => session.request("ping"));
      const ends = endsOf(world);
      const noes = ends.filter((kind) => kind !== "approved").length;
      if (noes > 1 || ends.length - noes > 1) return { got: `${ends.join(", ")} as answers to one request` };
      // A no that comes while the yes is still being written counts, and the value stays where it is.
      const isGiven = reply.status === "ok";
      return isGiven === (noes === 0)
        ? NOTHING
        : { got: `${ends.join(", ")} in the log, and the agent got ${reply.status}` };
    },
  },
];

const RACERS: readonly Record<string, string>[] = [
  { verdict: "approve", choice: "once" },
  { verdict: "deny" },
  { verdict: "again", note: "say more" },
];

function endsOf(world: World): string[] {
  return world.events().flatMap(({ kind }) => (["approved", "denied", "returned"].includes(kind) ? [kind] : []));
}
