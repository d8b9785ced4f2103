import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect, vi } from "vitest";
import { type FakeNtfy, startFakeNtfy } from "../channels/fake-ntfy.ts";
import { query, type World } from "./agent.ts";
import { world as makeWorld } from "./begin.ts";
import { decide, deny } from "./person.ts";
import { type Raw, startRaw, statusOfAnswer } from "./raw.ts";

const MAX_WAITING = 20;
/** How many requests of one session are before a person at a time. */
const MOST_CARDS = 3;

interface Bells {
  readonly world: World;
  readonly ntfy: FakeNtfy;
  readonly raw: Raw;
  /** When the browser was opened, epoch ms. */
  readonly openings: () => readonly number[];
  readonly links: () => number;
}

/** A house in which everything rings: a push server, and a browser that writes down when it was opened. */
async function startBells(names: number, program?: string): Promise<Bells> {
  const ntfy = await startFakeNtfy();
  const secrets = Object.fromEntries(Array.from({ length: names }, (_, at) => [`KEY_${at}`, `hunter2-${at}`]));
  const world = makeWorld({
    secrets,
    config: {
      channels: [{ type: "ntfy", topic: "topic-0815", server: ntfy.url }],
      approval: { browser: "always" },
    },
  });
  const bin = join(world.project, "bin");
  const opened = join(world.project, "opened");
  mkdirSync(bin);
  writeFileSync(join(bin, "xdg-open"), `#!/bin/sh\ndate +%s%3N >> "${opened}"\n`);
  chmodSync(join(bin, "xdg-open"), 0o755);
  const env = { PATH: [bin, world.env["PATH"]].join(delimiter) };
  const raw = await startRaw(world, { env, ...(program !== undefined && { program }) });
  return {
    world,
    ntfy,
    raw,
    openings: () => (existsSync(opened) ? readFileSync(opened, "utf8").trim().split("\n").map(Number) : []),
    links: () => raw.stderr().split("/approve/").length - 1,
  };
}

/** What a flood of requests came to. */
export interface Flood {
  readonly requests: number;
  readonly rings: {
    readonly links: number;
    /** How many rang at most that were not answered. */
    readonly together: number;
    readonly pushes: number;
    readonly openings: readonly number[];
  };
  readonly refused: number;
  readonly ms: number;
  readonly pageMs: number;
  readonly rows: number;
  readonly logBytes: number;
}

/** Asks for that many secrets at once, each for itself; then a person sends back one after the other. */
export async function flood(requests: number, program?: string): Promise<Flood> {
  const bells = await startBells(requests, program);
  const { raw, ntfy, world, links } = bells;
  const started = performance.now();
  let refused = 0;
  const calls = Array.from({ length: requests }, async (_, at) => {
    const answer = await raw.call("get_secret", { vault: "dev", name: `KEY_${at}`, reason: `number ${at}` });
    if (statusOfAnswer(answer) === "too_many_waiting") refused += 1;
  });
  for (const call of calls) call.catch(() => {});
  await raw.request("ping");
  const waiting = (): number => requests - refused;
  await vi.waitFor(() => expect(requestedIn(world)).toBe(waiting()), { timeout: 300_000, interval: 100 });
  await ntfy.received(MOST_CARDS);
  await vi.waitFor(() => expect(bells.openings().length).toBeGreaterThan(0), { timeout: 20_000 });
  const first = await raw.link();
  const asked = performance.now();
  expect((await fetch(first)).status).toBe(200);
  const pageMs = performance.now() - asked;
  let together = links();
  for (let answered = 0; answered < waiting(); answered++) {
    const link = answered === 0 ? first : await raw.link();
    together = Math.max(together, links() - answered);
    expect(await decide(link, { verdict: "again", note: "not now" })).toBe(303);
  }
  await raw.request("ping");
  const ms = performance.now() - started;
  const rings = { links: links(), together, pushes: ntfy.posted.length, openings: bells.openings() };
  await raw.close();
  await ntfy.close();
  return { requests, rings, refused, ms, pageMs, ...logOf(world) };
}

function requestedIn(world: World): number {
  return Number(query(world, "SELECT count(*) AS n FROM event WHERE kind = 'requested'")[0]?.["n"]);
}

/** The promise, whatever the count. */
export function expectFew({ requests, rings, refused, ms, rows, logBytes }: Flood): void {
  expect(rings.links).toBe(MAX_WAITING);
  expect(rings.together).toBe(MOST_CARDS);
  expect(rings.pushes).toBeLessThanOrEqual(MAX_WAITING);
  expect(rings.openings.length).toBeLessThanOrEqual(1 + ms / 10_000);
  expect(refused).toBe(requests - MAX_WAITING);
  // Each that rang has its beginning and its end, the rest share two lines.
  expect(rows).toBeLessThan(2 * MAX_WAITING + 10);
  expect(logBytes).toBeLessThan(500_000);
}

/** Asks and stops, again and again, as an agent would that wants to ring without anything waiting. */
export async function askAndStop(
  times: number,
  program?: string,
): Promise<{ readonly links: number; readonly pushes: number }> {
  const { raw, ntfy, links } = await startBells(1, program);
  for (let at = 0; at < times; at++) {
    const call = raw.call("get_secret", { vault: "dev", name: "KEY_0", reason: `number ${at}` });
    const rang = await Promise.race([raw.link().then(() => true), call.then(() => false)]);
    if (!rang) continue;
    await raw.notify("notifications/cancelled", { requestId: call.id, reason: "user-cancel" });
    await raw.request("ping");
  }
  await raw.close();
  await ntfy.close();
  return { links: links(), pushes: ntfy.posted.length };
}

/** Calls that are refused in every way there is; what is left in the log of them. */
export async function refuseMany(calls: number): Promise<{ readonly rows: number; readonly logBytes: number }> {
  const { raw, ntfy, world } = await startBells(2);
  const dev = { vault: "dev", reason: "run migration 0042" };
  const denied = raw.call("get_secret", { ...dev, name: "KEY_1" });
  await deny(await raw.link());
  await denied;
  const ways: readonly ((at: number) => Promise<unknown>)[] = [
    (at) => raw.call("get_secret", { ...dev, name: `NOPE_${at}` }),
    (at) => raw.call("get_secret", { ...dev, vault: `vault ${at}`, name: "KEY_0" }),
    (at) => raw.call("get_secrets", { ...dev, names: ["KEY_0", `NOPE_${at}`] }),
    (at) => raw.call("set_secret", { ...dev, name: `KEY_${at}`, value: `hunter2-4711-${at}` }),
    (at) =>
      raw.call("set_secret", { ...dev, name: "KEY", value: `hunter2-4711-${at}`, reason: `it is hunter2-4711-${at}` }),
    () => raw.call("get_secret", { ...dev, name: "KEY_1" }),
    (at) => raw.call("get_secret", { ...dev, name: "KEY_1", reason: "", more: at }),
    (at) => raw.call(`tool_${at}`, {}),
    () => raw.call("list_secrets", {}),
  ];
  for (let at = 0; at < calls; at += 100)
    await Promise.all(Array.from({ length: 100 }, async (_, part) => ways[(at + part) % ways.length]?.(at + part)));
  await raw.close();
  await ntfy.close();
  return logOf(world);
}

function logOf(world: World): { rows: number; logBytes: number } {
  const rows = Number(query(world, "SELECT count(*) AS n FROM event")[0]?.["n"]);
  const sizes = [world.database, `${world.database}-wal`].map((file) => (existsSync(file) ? statSync(file).size : 0));
  return { rows, logBytes: sizes.reduce((sum, size) => sum + size, 0) };
}
