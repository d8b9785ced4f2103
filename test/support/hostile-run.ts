import { expect } from "vitest";
import { visible, visibleProse } from "../../src/core/text.ts";
import { type FakeNtfy, startFakeNtfy } from "../channels/fake-ntfy.ts";
import { query, type World } from "./agent.ts";
import { world as makeWorld } from "./begin.ts";
import { rawIn } from "./hostile-texts.ts";
import { decide } from "./person.ts";
import { type Raw, type RpcAnswer, startRaw, statusOfAnswer } from "./raw.ts";

export const BENIGN = "run migration 0042";

/** A house with every surface there is: page, stderr, ntfy, progress, dialogs, log. */
export interface Stage {
  readonly world: World;
  readonly ntfy: FakeNtfy;
  readonly raw: Raw;
  /** Waits for the next link and looks at its page; then the request is denied. */
  readonly look: () => Promise<Page>;
}

export interface Page {
  readonly link: string;
  readonly html: string;
  /** Texts of the places where the agent's words stand, as a reader gets them. */
  readonly reason: string;
  readonly names: readonly string[];
  readonly client: string;
  readonly roots: readonly string[];
  /** Tags and attributes, without any text or value. */
  readonly skeleton: string;
}

export async function openStage(as: Parameters<typeof startRaw>[1] = {}): Promise<Stage> {
  const ntfy = await startFakeNtfy();
  const world = makeWorld({
    vault: { writable: true, ttl: 5 },
    config: {
      channels: [{ type: "ntfy", topic: "topic-0815", server: ntfy.url }],
      approval: { maxWaiting: 10_000, denyCooldownSeconds: 0 },
    },
  });
  const raw = await startRaw(world, { capabilities: { elicitation: { form: {} } }, ...as });
  const look = async (): Promise<Page> => {
    const link = await raw.link();
    const page = readPage(link, await (await fetch(link)).text());
    await decide(link, { verdict: "deny" });
    return page;
  };
  return { world, ntfy, raw, look };
}

export function readPage(link: string, html: string): Page {
  const all = (pattern: RegExp): string[] => [...html.matchAll(pattern)].map((found) => unescape(found[1] ?? ""));
  return {
    link,
    html,
    reason: all(/<blockquote[^>]*>([^<]*)</g).join(),
    names: all(/<bdi class="name"[^>]*>([^<]*)</g),
    client: all(/<span class="who"><bdi>([^<]*)</g).join(),
    roots: [
      ...(/<p class="fine">It says it works in(.*?)<\/p>/s.exec(html)?.[1] ?? "").matchAll(/<bdi[^>]*>([^<]*)</g),
    ].map(([, root]) => unescape(root ?? "")),
    skeleton: [...html.matchAll(/<(\/?[a-zA-Z!][^\s>]*)([^>]*)>/g)]
      .map(([, tag, rest]) => `${tag} ${(rest ?? "").replace(/"[^"]*"/g, "").replace(/\s+/g, " ")}`)
      .join("\n"),
  };
}

function unescape(text: string): string {
  const names: Record<string, string> = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&" };
  return text.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => names[entity] ?? entity);
}

/** A client that gives itself this name, this version and this folder: the page shows all of it, bounded, and only so. */
export async function expectShown(text: string): Promise<void> {
  const reply = (method: string): object | undefined =>
    method === "roots/list" ? { roots: [{ uri: `file:///${text}`, name: text }] } : undefined;
  const stage = await openStage({
    clientInfo: { name: text, version: text },
    capabilities: { roots: {}, elicitation: { form: {} } },
    reply,
  });
  const asked = stage.raw.call("get_secret", { vault: "dev", name: "DATABASE_URL", reason: "x" }, { progressToken: 1 });
  const page = await stage.look();
  await asked;
  expect(page.client).toBe(shown(`${text} ${text}`.trim(), 80));
  expect(page.roots).toEqual([shown(`file:///${text}`, 200)]);
  expect(rawIn(page.html)).toBeUndefined();
  await expectClean(stage);
}

function shown(text: string, max: number): string {
  const chars = [...visible(text)];
  return chars.length <= max ? chars.join("") : `${chars.slice(0, max - 1).join("")}…`;
}

/** Everything an agent can say in one text, said to the real program; what a person would see of it is looked at. */
export async function sayEverywhere({ raw, look }: Stage, text: string, plain: readonly Page[]): Promise<void> {
  const dev = { vault: "dev", reason: BENIGN };
  const meta = { progressToken: "p" };
  const fits = (max: number): boolean => text.length <= max;
  await expectRefused(raw.call("get_secret", { ...dev, name: text }), fits(256) ? "secret_not_found" : undefined);
  await expectRefused(raw.call("get_secrets", { ...dev, names: ["DATABASE_URL", text] }));
  await expectRefused(
    raw.call("get_secret", { ...dev, name: "DATABASE_URL", vault: text }),
    fits(200) ? "vault_not_found" : undefined,
  );
  await expectRefused(raw.call(text, {}), "invalid_arguments");
  await expectRefused(raw.call("list_secrets", { cursor: text }), "invalid_arguments");
  // What stands under __proto__ is taken for nothing, here as everywhere.
  if (text !== "__proto__")
    await expectRefused(raw.call("get_secret", { ...dev, name: "DATABASE_URL", [text]: text }), "invalid_arguments");
  await raw.call("list_secrets", { search: text });

  const saving = raw.call("set_secret", { ...dev, name: text, value: "hunter2-4711-written" });
  if (/^[A-Za-z_][\w.-]{0,199}$/.test(text) && text !== "__proto__") {
    expect((await look()).names).toEqual([text]);
    await expectRefused(saving, "denied");
  } else await expectRefused(saving, fits(256) ? "invalid_name" : undefined);

  const asked = raw.call("get_secret", { ...dev, name: "DATABASE_URL", reason: text }, meta);
  if (text.trim() !== "" && text.trim().length <= 1_000) {
    const page = await look();
    expect(page.reason).toBe(visibleProse(text));
    expect(page.names).toEqual(["DATABASE_URL"]);
    expect(plain.map(({ skeleton }) => skeleton)).toContain(page.skeleton);
    expect(rawIn(page.html)).toBeUndefined();
    await expectRefused(asked, "denied");
  } else await expectRefused(asked, "invalid_arguments");
}

async function expectRefused(answer: Promise<RpcAnswer>, status?: string): Promise<void> {
  const given = await answer;
  expect(given.result?.isError).toBe(true);
  if (status !== undefined) expect(statusOfAnswer(given)).toBe(status);
  expect(JSON.stringify(given).length).toBeLessThan(4_000);
}

/** Two pages of an honest agent, with a short and with a long reason: every other page must be built as one of them. */
export async function plainPages({ raw, look }: Stage): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for (const reason of [BENIGN, `${BENIGN} `.repeat(10)]) {
    const asked = raw.call("get_secret", { vault: "dev", name: "DATABASE_URL", reason });
    pages.push(await look());
    await asked;
  }
  return pages;
}

/** After everything was said: nothing raw on any surface, nothing beyond bounds, and the program is well. */
export async function expectClean({ world, ntfy, raw }: Stage): Promise<void> {
  const ping = await raw.request("ping");
  expect(ping.result).toEqual({});
  const { code } = await raw.close();
  expect(code).toBe(0);
  expect(raw.impure).toEqual([]);
  expect(rawIn(raw.stderr())).toBeUndefined();
  for (const line of raw.stderr().split("\n")) expect(line).toMatch(/^(?:agent-vault: |$)/);
  expect(raw.stderr()).not.toContain("evil.example");
  for (const line of raw.lines) for (const said of wordsOf(JSON.parse(line))) expect(rawIn(said)).toBeUndefined();
  for (const { body, headers } of ntfy.posted) {
    const { topic, message, title } = JSON.parse(body) as Record<string, string>;
    expect(topic).toBe("topic-0815");
    expect(rawIn(`${title}\n${message}`)).toBeUndefined();
    expect(JSON.stringify(headers)).not.toContain("evil");
    expect(body).not.toContain("evil");
  }
  for (const row of query(world, "SELECT * FROM event")) {
    for (const [column, value] of Object.entries(row)) {
      if (typeof value !== "string") continue;
      expect(rawIn(value), `column ${column}`).toBeUndefined();
      expect(value.includes("\n"), `column ${column}`).toBe(false);
      expect(value.length, `column ${column}`).toBeLessThanOrEqual(20_000);
    }
  }
  expect(query(world, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
  await ntfy.close();
}

/** Every text the server wrote itself into a message: what it only returns to its sender (ids, tokens) is left out. */
function wordsOf(message: unknown): string[] {
  if (typeof message === "string") return [message];
  if (typeof message !== "object" || message === null) return [];
  return Object.entries(message)
    .filter(([key]) => key !== "id" && key !== "progressToken")
    .flatMap(([, value]) => wordsOf(value));
}
