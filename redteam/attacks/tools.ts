import { startFakeNtfy } from "../../test/channels/fake-ntfy.ts";
import { visibleProse } from "../../src/core/text.ts";
import { hasBrowser, startBrowser } from "../../test/support/browser.ts";
import { HOSTILE_TEXTS, rawIn } from "../../test/support/hostile-texts.ts";
import { type Attack, type Gain, NOTHING } from "../attack.ts";
import type { World } from "../world.ts";
import { eventually, finish, postAsAgent } from "./steal.ts";

const PATIENT = { progressToken: "p1" };
const LINK = /https?:\/\/[^\s"\\]+\/approve\/[\w-]+/;
/** More requests than this at once are nobody's to read. */
const MOST_CARDS = 3;

/** How often a person's phone rang while something went on. */
async function ringsDuring(world: World, act: () => Promise<void>): Promise<number> {
  const before = world.said().match(/\/approve\//g)?.length ?? 0;
  await act();
  return (world.said().match(/\/approve\//g)?.length ?? 0) - before;
}

function textIn(html: string, pattern: RegExp): string {
  const names: Record<string, string> = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&" };
  return (pattern.exec(html)?.[1] ?? "").replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => names[entity] ?? entity);
}

/** Where the agent's own words stand on the page. */
const REASON = /<blockquote[^>]*>([^<]*)</;

/** A request for each of these reasons, one after the other: the page each time, then a denial. */
async function withReasons(
  world: World,
  reasons: readonly string[],
  look: (reason: string, link: string) => Promise<string | undefined>,
): Promise<Gain> {
  for (const reason of reasons) {
    const asked = await world.ask("API_KEY", reason);
    const got = await look(reason, asked.link);
    await finish(world, asked);
    if (got !== undefined) return { got: `${got}: ${JSON.stringify(reason.slice(0, 60))}` };
  }
  return NOTHING;
}

export const toolAttacks: readonly Attack[] = [
  {
    id: "tools-elicitation-accept",
    title: "is a client that says yes to every dialog by itself",
    about: "tools",
    expected: { "link/same-user": "stopped", "passkey/same-user": "stopped", "link/other-user": "stopped" },
    why: "a dialog can show a person the way to the page; what it answers decides nothing",
    isLight: true,
    world: {
      client: {
        capabilities: { elicitation: { form: {}, url: {} }, roots: {}, sampling: {} },
        reply: () => ({
          action: "accept",
          content: { approve: true, confirm: true, verdict: "approve", choice: "window" },
        }),
      },
    },
    run: async (world) => {
      const asked = await world.ask();
      const session = await world.session();
      await eventually(() => session.notices.some(({ method }) => method === "elicitation/create"));
      await session.request("ping");
      await finish(world, asked);
      if (!session.notices.some(({ method }) => method === "elicitation/create")) throw new Error("no dialog came");
      return NOTHING;
    },
  },
  {
    id: "tools-hostile-client",
    title: "is a client that takes the link out of progress messages and dialogs, and answers it itself",
    about: "tools",
    expected: {
      "link/same-user": "noticed",
      "passkey/same-user": "stopped",
      "link/other-user": "noticed",
      "passkey/other-user": "stopped",
    },
    why: "those messages are for the person who uses the client; a client that is not theirs reads them too, so only a passkey helps",
    world: { client: { capabilities: { elicitation: { form: {}, url: {} } } } },
    run: async (world) => {
      const session = await world.session();
      const call = session.get("API_KEY", "run migration 0042", PATIENT);
      const link = await world.link();
      const found = (): string | undefined => LINK.exec(JSON.stringify(session.notices))?.[0];
      await eventually(() => found() !== undefined);
      const known = found();
      if (known !== undefined) await postAsAgent(world, known, { verdict: "approve", choice: "once" });
      await finish(world, { call, link });
      return NOTHING;
    },
  },
  {
    id: "tools-odd-tokens",
    title: "abuses progress tokens, ids and cancellations: objects, doubles, other calls' ids",
    about: "tools",
    expected: { "link/same-user": "stopped" },
    why: "a token only names where progress goes, and a cancellation only detaches a call",
    run: async (world) => {
      const asked = await world.ask();
      const session = await world.session();
      for (const token of [{}, [], -1, 1e308, "x".repeat(100_000), null, true, "__proto__"]) {
        session.write(
          `${JSON.stringify({ jsonrpc: "2.0", id: `t${JSON.stringify(token).slice(0, 9)}`, method: "tools/call", params: { name: "list_secrets", arguments: {}, _meta: { progressToken: token } } })}\n`,
        );
      }
      for (const requestId of ["r1", "r2", 0, null, "__proto__", { a: 1 }])
        session.notify("notifications/cancelled", { requestId, reason: "approved" });
      for (const method of ["notifications/approved", "approve", "elicitation/create", "sampling/createMessage"])
        session.notify(method, { action: "accept", approved: true });
      await session.request("ping");
      await world.person.deny(asked.link);
      return NOTHING;
    },
  },
  {
    id: "tools-oversized",
    title: "sends messages of many megabytes, deep nests and a million names",
    about: "tools",
    expected: { "link/same-user": "stopped" },
    why: "what is too long is refused before anybody is asked; if a message ends the program, access ends with it",
    run: async (world) => {
      const session = await world.session();
      const big = "x".repeat(20_000_000);
      const replies = await Promise.all([
        session.call("get_secret", { vault: "dev", name: "API_KEY", reason: big.slice(0, 2_000_000) }),
        session.call("get_secret", { vault: big.slice(0, 2_000_000), name: "API_KEY", reason: "x" }),
        session.call("get_secrets", {
          vault: "dev",
          names: Array.from({ length: 50_000 }, (_, n) => `K${n}`),
          reason: "x",
        }),
      ]);
      session.write(`${"[".repeat(100_000)}\n`);
      session.write(
        '{"jsonrpc":"2.0","id":"deep","method":"tools/call","params":' +
          '{"a":'.repeat(5_000) +
          "1" +
          "}".repeat(5_000) +
          "}\n",
      );
      if (replies.some(({ isError }) => !isError)) return { got: "it was taken" };
      const asked = await world.ask();
      session.write(
        `${JSON.stringify({ jsonrpc: "2.0", id: "big", method: "tools/call", params: { name: big, arguments: {} } })}\n`,
      );
      await session.exited;
      return (await asked.call.catch(() => undefined)) === undefined ? NOTHING : { got: "an answer after the end" };
    },
  },
  {
    id: "tools-spoofed-reasons",
    title: "gives 500 reasons that want to be more than text: markup, terminal codes, bidi, forged lines",
    about: "tools",
    expected: { "link/same-user": "stopped" },
    why: "whatever cannot be seen is shown as its code point, and the page holds text only",
    world: { approval: { denyCooldownSeconds: 0, maxWaiting: 100 } },
    control: [
      {
        file: "src/core/text.ts",
        from: "return text.replace(UNSEEN, escape).replace(PILED_MARKS, escape);",
        to: "return text;",
      },
    ],
    run: async (world) => {
      const fit = HOSTILE_TEXTS.filter((text) => text.trim() !== "" && text.trim().length <= 1_000);
      const gain = await withReasons(world, fit, async (reason, link) => {
        const html = await world.person.page(link);
        if (rawIn(html) !== undefined) return "the page holds what cannot be seen";
        return textIn(html, REASON) === visibleProse(reason) ? undefined : "the page shows other words than were said";
      });
      return rawIn(world.said().replaceAll("\n", "")) === undefined
        ? gain
        : { got: "a terminal got control characters" };
    },
  },
  {
    id: "tools-fake-facts",
    title: 'writes our own labels into its reason, its name and its folders: "We saw", "Approved", another secret',
    about: "tools",
    expected: { "link/same-user": "stopped" },
    why: "what the agent says stands in its own place, in quotes, apart from what was seen",
    needs: () => (hasBrowser ? undefined : "there is no Chromium"),
    world: {
      approval: { denyCooldownSeconds: 0 },
      client: { clientInfo: { name: "We saw: root — approved by you. Secret: HARMLESS", version: "1" } },
    },
    run: async (world) => {
      const browser = await startBrowser();
      try {
        const page = await browser.newPage({ viewport: { width: 320, height: 568 } });
        const lies = [
          "</blockquote><h2>We saw</h2><dl><dt>User</dt><dd>root</dd></dl>",
          "Please approve. ".repeat(60),
          "\u202Etnemyolped\u202C We saw: user root on host prod",
          "Secret: HARMLESS\n\n\n\n\n\n\n\n\nWe saw\nUser: you",
        ];
        return await withReasons(world, lies, async (reason, link) => {
          await page.goto(link);
          const quoted = await page.locator("blockquote").first().innerText();
          const shown = visibleProse(reason);
          if (quoted.replaceAll(/\s+/g, " ").trim() !== shown.replaceAll(/\s+/g, " ").trim())
            return "other words are shown";
          if ((await page.locator(".name").first().innerText()) !== "API_KEY") return "another secret is shown";
          const facts = await page.locator("dl.facts, .facts").allInnerTexts();
          if (facts.some((text) => /root on host prod|HARMLESS/.test(text))) return "its words stand among the facts";
          const deny = page.locator('button[value="deny"]').first();
          const box = await deny.boundingBox();
          return box !== null && box.y + box.height <= 568 ? undefined : "Deny is out of sight on a small phone";
        });
      } finally {
        await browser.close();
      }
    },
  },
  {
    id: "tools-fifty-requests",
    title: "asks for 50 different things within a minute",
    about: "tools",
    expected: { "link/same-user": "stopped", "passkey/same-user": "stopped" },
    why: "three cards at a time are before a person; the rest wait behind them or are refused, and ring nobody",
    isLight: true,
    control: [{ file: "src/house.ts", from: "const MOST_CARDS = 3;", to: "const MOST_CARDS = 1000;" }],
    world: { vault: { ttl: 0, writable: true } },
    run: async (world) => {
      const session = await world.session();
      let calls: Promise<unknown>[] = [];
      const rings = await ringsDuring(world, async () => {
        calls = Array.from({ length: 50 }, (_, n) =>
          session.call("set_secret", {
            vault: "dev",
            name: `NEW_${n}`,
            value: `hunter2-${n}-4711`,
            reason: `step ${n}`,
          }),
        );
        await session.request("ping");
        await eventually(() => world.events().filter(({ kind }) => kind === "requested").length >= MOST_CARDS);
        await session.request("ping");
      });
      await session.close();
      await Promise.allSettled(calls);
      return rings > MOST_CARDS ? { got: `${rings} rings` } : NOTHING;
    },
  },
  {
    id: "tools-ring-the-phone",
    title: "asks, is cancelled and asks again 60 times, to ring a phone until somebody taps",
    about: "tools",
    expected: { "link/same-user": "stopped" },
    why: "the same request is one card and rings once, however often it is called",
    run: async (world) => {
      const ntfy = await startFakeNtfy();
      try {
        const session = await openWith(world, { channels: [{ type: "ntfy", topic: "topic-0815", server: ntfy.url }] });
        const calls: Promise<unknown>[] = [];
        for (let n = 0; n < 60; n += 1) {
          const call = session.get("API_KEY");
          call.catch(() => {}); // Most of them are never answered.
          calls.push(call);
          if (n === 0) await ntfy.received(1);
          await session.request("ping");
          session.notify("notifications/cancelled", { requestId: `r${2 * n + 2}`, reason: "timeout" });
        }
        await session.request("ping");
        const rings = ntfy.posted.length;
        await session.close();
        await Promise.allSettled(calls);
        return rings > 1 ? { got: `${rings} rings` } : NOTHING;
      } finally {
        await ntfy.close();
      }
    },
  },
  {
    id: "tools-deny-then-again",
    title: "asks again at once after a no: the same, in a batch, for another reason",
    about: "tools",
    expected: { "link/same-user": "stopped", "passkey/same-user": "stopped" },
    why: "a no holds for five minutes, and longer the more often it is said; nobody is rung meanwhile",
    isLight: true,
    run: async (world) => {
      const asked = await world.ask();
      await finish(world, asked);
      const session = await world.session();
      const replies = await Promise.all([
        session.get("API_KEY"),
        session.get("API_KEY", "another reason altogether"),
        session.call("get_secrets", { vault: "dev", names: ["OTHER_KEY", "API_KEY"], reason: "both" }),
        session.call("get_secrets", { vault: "dev", names: ["API_KEY", "API_KEY"], reason: "twice" }),
      ]);
      const taken = replies.find(({ isError }) => !isError);
      return taken === undefined ? NOTHING : { got: `a person was asked again: ${taken.status}` };
    },
  },
  {
    id: "tools-value-in-words",
    title: "writes a secret whose name or reason holds the value, to have it shown on pages and in the log",
    about: "tools",
    expected: { "link/same-user": "stopped" },
    why: "such a write is refused before anybody is asked",
    world: { vault: { writable: true } },
    run: async (world) => {
      const value = "hunter2-4711-to-be-seen";
      const session = await world.session();
      const replies = await Promise.all([
        session.call("set_secret", { vault: "dev", name: "NEW_KEY", value, reason: `store ${value} please` }),
        session.call("set_secret", {
          vault: "dev",
          name: value.replaceAll("-", "_"),
          value: value.replaceAll("-", "_"),
          reason: "x y z",
        }),
        session.call("set_secrets", {
          vault: "dev",
          secrets: [
            { name: "A", value },
            { name: "B", value: "other-4711" },
          ],
          reason: `A is ${value}`,
        }),
      ]);
      const isSaid = world.said().includes(value) || JSON.stringify(world.events()).includes(value);
      return replies.every(({ isError }) => isError) && !isSaid ? NOTHING : { got: "a value on a surface" };
    },
  },
  {
    id: "tools-write-over-window",
    title: "has an open window for reading and saves over the secret with it",
    about: "tools",
    expected: { "link/same-user": "stopped" },
    why: "a window never covers a write",
    world: { vault: { writable: true } },
    run: async (world) => {
      const asked = await world.ask();
      await world.person.approve(asked.link, { choice: "window" });
      await asked.call;
      const session = await world.session();
      const saving = session.call("set_secret", {
        vault: "dev",
        name: "API_KEY",
        value: "evil-4711-evil",
        reason: "save it",
      });
      const first = await world.linkOr(saving);
      if (typeof first !== "string") return { got: "it was saved without a question" };
      await world.person.deny(first);
      const { isError } = await saving;
      return isError ? NOTHING : { got: "it was saved after a no" };
    },
  },
  {
    id: "tools-wider-than-window",
    title: "reads another secret, from another client, and after a restart, with an open window",
    about: "tools",
    expected: { "link/same-user": "stopped" },
    why: "a window is for the secrets shown, for the session that asked, and lives in memory alone",
    control: [
      {
        file: "src/core/grants.ts",
        from: 'if (window.scope === "secret" && !window.refs.has(item.handle.ref)) continue;',
        to: "",
      },
      {
        file: "src/core/statement.ts",
        from: 'return scope === "vault" || secrets.some(({ ref }) => ref === wanted.ref);',
        to: 'return wanted.ref !== "" || scope === "vault" || secrets.length > 0;',
      },
    ],
    run: async (world) => {
      const asked = await world.ask();
      await world.person.approve(asked.link, { choice: "window" });
      await asked.call;
      const session = await world.session();
      const tries = [await tryGet(world, session, "OTHER_KEY"), await tryGet(world, await world.open(), "API_KEY")];
      await session.close();
      tries.push(await tryGet(world, await world.open(), "API_KEY"));
      const open = tries.find((status) => status === "ok");
      return open === undefined ? NOTHING : { got: "a value under a window that was not for it" };
    },
  },
  {
    id: "tools-hidden-in-a-batch",
    title: "hides one secret among a hundred names in one request",
    about: "tools",
    expected: { "link/same-user": "stopped" },
    why: "the page lists every name that an answer opens",
    run: async (world) => {
      const names = Array.from({ length: 100 }, (_, n) => (n === 66 ? "API_KEY" : `${"A".repeat(150)}_${n}`));
      const saved = names.filter((name) => name !== "API_KEY").map((name) => `${name}=x${name.length}-harmless\n`);
      await world.attacker.run(["sh", "-c", `cat >> "${world.paths.secrets}"`], { input: saved.join("") });
      const session = await world.session();
      const call = session.call("get_secrets", { vault: "dev", names, reason: "all of them" });
      const link = await world.link();
      const html = await world.person.page(link);
      const shown = names.filter((name) => html.includes(`>${name}<`));
      await finish(world, { call, link });
      return shown.length === names.length ? NOTHING : { got: `${names.length - shown.length} names are not shown` };
    },
  },
  {
    id: "tools-odd-names",
    title: "asks for names that mean something else: paths, __proto__, lookalikes, the value itself",
    about: "tools",
    expected: { "link/same-user": "stopped" },
    why: "a name is looked up in the vault before anybody is asked, letter by letter",
    isLight: true,
    run: async (world) => {
      const session = await world.session();
      const names = [
        "../secrets.env",
        "__proto__",
        "constructor",
        "API_KEY\u200B",
        "\u0410PI_KEY",
        "api_key",
        "API_KEY ",
        "*",
        ".*",
        "env:OP_SERVICE_ACCOUNT_TOKEN",
        "$OP_SERVICE_ACCOUNT_TOKEN",
      ];
      const replies = await Promise.all([
        ...names.map((name) => session.get(name)),
        session.call("list_secrets", { search: world.values.API_KEY.slice(0, 6) }),
        session.call("list_secrets", {}),
      ]);
      const asked = world.said().includes("/approve/");
      const bad = replies.slice(0, names.length).find(({ isError }) => !isError);
      return asked || bad ? { got: "a name was taken for another" } : NOTHING;
    },
  },
];

async function tryGet(world: World, session: Awaited<ReturnType<World["session"]>>, name: string): Promise<string> {
  const call = session.get(name, "a try");
  const first = await world.linkOr(call);
  if (typeof first === "string") await world.person.deny(first);
  return (await call).status;
}

/** A client with a configuration of its own, for this attack alone. */
async function openWith(world: World, config: object): ReturnType<World["open"]> {
  const text = (await world.attacker.read(world.paths.config)) ?? "{}";
  const all = JSON.stringify({ ...(JSON.parse(text) as object), ...config });
  await world.attacker.run(["sh", "-c", `cat > "${world.paths.config}"`], { input: all });
  return world.open();
}
