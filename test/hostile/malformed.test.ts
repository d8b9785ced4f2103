import { expect, it } from "vitest";
import { eventsOf } from "../support/agent.ts";
import { world as makeWorld } from "../support/begin.ts";
import { endure, expectEndured, expectQuiet } from "../support/malformed-run.ts";
import { buildPatched } from "../support/patched.ts";
import { startRaw, statusOfAnswer } from "../support/raw.ts";

const WRITABLE = { vault: { writable: true } };

it("withstands 1,500 malformed lines: it answers, stays silent, keeps to the protocol, and ends well", async () => {
  expectEndured(await endure(makeWorld(WRITABLE), { lines: 1_500, seed: 4711 }));
});

it("would be seen to talk if it repeated what it did not understand", async () => {
  const plants = [
    {
      file: "src/mcp/server.ts",
      from: "if (!isOverlong(error)) return malformed();",
      to: "if (!isOverlong(error)) return options.say(error.message);",
    },
  ];
  const twin = await buildPatched("src/main.ts", plants);
  try {
    const endured = await endure(makeWorld(WRITABLE), { lines: 1_500, seed: 4711, program: twin.file });
    expect(() => expectQuiet(endured.stderr)).toThrow();
  } finally {
    twin.remove();
  }
});

it("ends well when a line is longer than it takes, and says so", async () => {
  const world = makeWorld();
  const raw = await startRaw(world);
  await raw.call("list_secrets", {});
  const waiting = raw.call("get_secret", { vault: "dev", name: "DATABASE_URL", reason: "wait for it" });
  await raw.link();
  const half = Buffer.alloc(1024 * 1024, "x");
  for (let at = 0; at < 12; at++) await raw.write(half);
  expect(await raw.exited).toEqual({ code: 0, signal: null });
  await expect(waiting).rejects.toThrow();
  expect(raw.impure).toEqual([]);
  expect(raw.stderr()).toContain("longer than 10 MB");
  expect(eventsOf(world).map(({ kind }) => kind)).toEqual(["started", "listed", "requested", "cancelled", "stopped"]);
});

it("takes what stands under __proto__ for nothing", async () => {
  const raw = await startRaw(makeWorld());
  for (const args of [
    '{"__proto__":{"vault":"dev","name":"DATABASE_URL","reason":"x"}}',
    '{"vault":"dev","name":"DATABASE_URL","__proto__":{"reason":"x"}}',
    '{"vault":"dev","names":{"__proto__":["DATABASE_URL"],"length":1,"0":"DATABASE_URL"},"reason":"x"}',
  ]) {
    const answer = raw.request("tools/call", JSON.parse(`{"name":"get_secret","arguments":${args}}`) as object);
    expect(statusOfAnswer(await answer)).toBe("invalid_arguments");
  }
  expect(statusOfAnswer(await raw.call("__proto__", {}))).toBe("invalid_arguments");
  expect(statusOfAnswer(await raw.call("get_secret", { vault: "__proto__", name: "x", reason: "x" }))).toBe(
    "vault_not_found",
  );
  expect(statusOfAnswer(await raw.call("get_secret", { vault: "dev", name: "__proto__", reason: "x" }))).toBe(
    "secret_not_found",
  );
});
