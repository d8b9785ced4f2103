import { expect, it } from "vitest";
import { newDesk } from "../support/desk-sessions.ts";
import { until } from "../support/hub.ts";
import { share } from "../support/share.ts";
import { expectNothingLost, killHosts } from "../support/takeover.ts";

it("200 kills of the host at random moments, ten sessions: nothing lost, decided twice or without proof", async () => {
  const aftermath = await killHosts({ rounds: share(200), sessions: 10, seed: Math.floor(Math.random() * 2 ** 31) });
  const { kills, served, gapsMs } = aftermath;
  const [median, worst] = [gapsMs[Math.floor(gapsMs.length / 2)] ?? 0, gapsMs.at(-1) ?? 0];
  console.log(
    `${kills} kills, ${served} values, the page back after ${median.toFixed(0)} ms, ${worst.toFixed(0)} at most`,
  );
  expectNothingLost(aftermath);
});

it("a host that hangs and keeps its lock: the others have pages of their own, and people are told where", async () => {
  const secrets = { KEY_0: "hunter2-4711-0", KEY_1: "hunter2-4711-1", KEY_2: "hunter2-4711-2" };
  const desk = newDesk({ secrets, isEnrolled: false });
  const [host, guest] = [desk.start(), desk.start()];
  await host.ask("KEY_0").link;
  const waiting = guest.ask("KEY_1");
  await waiting.link;
  host.child.kill("SIGSTOP");
  const late = desk.start();
  const call = late.ask("KEY_2");
  expect(await desk.approveUnsigned(await call.link)).toBe(true);
  expect(await call.outcome).toBe("hunter2-4711-2");
  const linksOf = (): string[] => guest.stderr().match(/http:\S+approve\/[\w-]+/g) ?? [];
  await until(() => linksOf().length === 2);
  expect(await desk.approveUnsigned(linksOf().at(-1) ?? "")).toBe(true);
  expect(await waiting.outcome).toBe("hunter2-4711-1");
  for (const { stderr } of [guest, late]) expect(stderr()).toMatch(/the approval page of this session is its own/);
  await host.kill();
  await desk.close();
});
