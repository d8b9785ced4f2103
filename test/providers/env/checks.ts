// What must hold when several processes share one env file, as checks that take the program to be checked: the real
// one, or a copy with a planted bug.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "dotenv";
import { expect } from "vitest";
import { start, type Answer } from "./bundle.ts";
import { must, tempFolder } from "./support.ts";

/** Five hundred lines that nobody writes to. */
export const OTHERS = Array.from({ length: 500 }, (_, index) => `OTHER_${index}='other value ${index}' # note\n`).join(
  "",
);

/** A private env file in a folder of its own. */
export function file(text = OTHERS): string {
  const path = join(tempFolder(), ".env.secrets");
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** What else lies in that folder. */
export const litter = (path: string): string[] =>
  readdirSync(join(path, "..")).filter((name) => name !== ".env.secrets");

/** Saves in the same instant, round after round; answers how many values are not there in the end. */
export async function lostUpdates(program: string, rounds: number): Promise<number> {
  const path = file();
  const agents = [start(program, path), start(program, path)];
  const wanted: Record<string, string> = parse(OTHERS);
  for (let round = 0; round < rounds; round++) {
    const orders = agents.map(async (agent, who) => {
      wanted[`KEY_${who}_${round}`] = `hunter2-${who}-${round}`;
      return agent.ask("set", `KEY_${who}_${round}`, `hunter2-${who}-${round}`);
    });
    await Promise.all(orders);
  }
  const found = parse(readFileSync(path));
  return Object.keys(wanted).filter((name) => found[name] !== wanted[name]).length;
}

/** Reads every millisecond while another process saves; answers how often the file was not whole. */
export async function halfFiles(program: string): Promise<number> {
  const path = file();
  const writer = start(program, path);
  let looks = 0;
  let halves = 0;
  const timer = setInterval(() => {
    looks++;
    if (!isWhole(path)) halves++;
  }, 1);
  writer.send("storm", "S");
  for (let saves = 0; saves < 30; saves++) expect(await writer.next()).toEqual({ ok: saves });
  clearInterval(timer);
  await writer.kill();
  expect(looks).toBeGreaterThan(30);
  return halves;
}

/** Kills the writer at random moments; answers how often that cost something that had been there or was saved. */
export async function damage(program: string, kills: number): Promise<number> {
  let damaged = 0;
  for (let kill = 0; kill < kills; kill++) {
    const path = file();
    const writer = start(program, path);
    writer.send("storm", "S");
    let last: Answer | undefined;
    // Let it save a little first, then strike somewhere within the time a few saves take.
    for (let saves = 0; saves < 3; saves++) last = await writer.next();
    await sleep(Math.random() * 15);
    await writer.kill();
    for (let answer = await writer.next(); answer; answer = await writer.next()) last = answer;
    const found = parse(readFileSync(path));
    const round = Number(must(last).ok);
    const kept = Object.values(found).some(
      (value) => value === `hunter2-4711-S-${round}` || value === `hunter2-4711-S-${round + 1}`,
    );
    if (!isWhole(path) || !kept) damaged++;
    // The next one finds no obstacle, and clears away what the killed one left.
    if (kill % 4 !== 0) continue;
    expect(await start(program, path).ask("set", "NEXT", "1")).toEqual({ ok: "saved" });
    expect(litter(path)).toEqual([]);
  }
  return damaged;
}

/** Four want the file in the moment its writer is killed; answers who of them failed to get it. */
export async function takeover(program: string): Promise<Answer[]> {
  const path = file();
  const takers = Array.from({ length: 4 }, () => start(program, path));
  await Promise.all(takers.map((taker) => taker.ask("list")));
  const failed: Answer[] = [];
  for (let round = 0; round < 5; round++) {
    const holder = start(program, path);
    await holder.ask("hold");
    await holder.kill();
    const answers = await Promise.all(takers.map((taker, who) => taker.ask("set", `T_${who}`, `${round}`)));
    failed.push(...answers.filter(({ ok }) => ok !== "saved"));
    const found = parse(readFileSync(path));
    for (let who = 0; who < 4 && failed.length === 0; who++) expect(found[`T_${who}`]).toBe(`${round}`);
    if (failed.length > 0) break;
  }
  return failed;
}

function isWhole(path: string): boolean {
  const found = parse(readFileSync(path));
  return Object.entries(parse(OTHERS)).every(([name, value]) => found[name] === value);
}
