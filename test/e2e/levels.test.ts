import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventsOf, statusOf, textOf } from "../support/agent.ts";
import { agentIn, begin, world as makeWorld } from "../support/begin.ts";
import { approve } from "../support/person.ts";
import { buildPatched } from "../support/patched.ts";

describe("a vault that demands more than holds here", () => {
  it.each<[string, object, object, RegExp]>([
    ["another user", { minAssurance: "link/other-user" }, {}, /runs as same-user here.*\n.*run apart/],
    ["another host", { minAssurance: "link/other-host" }, {}, /runs as same-user here/],
    ["a passkey", { require: "passkey" }, {}, /signed by a passkey, and none is enrolled.*\n.*agent-vault pair/],
    ["a passkey, as all do", {}, { require: "passkey" }, /none is enrolled/],
    ["a passkey at least", { minAssurance: "passkey/same-user" }, {}, /none is enrolled/],
    ["a passkey, whatever all do", { require: "passkey" }, { require: "link" }, /none is enrolled/],
  ])("asks nobody for %s and hands out nothing", async (_, vault, approval, words) => {
    const { world, agent } = await begin({ vault: { writable: true, ...vault }, config: { approval } });
    const read = await agent.get("DATABASE_URL");
    const written = await agent.call("set_secret", {
      vault: "dev",
      name: "NEW",
      value: "hunter2-4712",
      reason: "to save it",
    });
    expect([statusOf(read), statusOf(written)]).toEqual(["assurance_unmet", "assurance_unmet"]);
    expect(textOf(read)).toMatch(words);
    expect(JSON.stringify(read)).not.toContain("hunter2");
    expect(agent.stderr()).not.toContain("/approve/");
    await agent.close();
    const kinds = eventsOf(world).map(({ kind }) => kind);
    expect(kinds).toContain("refused");
    expect(kinds).not.toContain("requested");
    expect(kinds).not.toContain("releasing");
  });

  it("would be handed out if the demand were dropped on the way", async () => {
    const twin = await buildPatched("src/main.ts", [
      { file: "src/config/build.ts", from: "{ minAssurance: least }", to: "{}" },
    ]);
    onTestFinished(twin.remove);
    const { agent } = await begin({ vault: { minAssurance: "link/other-user" } }, { program: twin.file });
    const waiting = agent.get("DATABASE_URL");
    await approve(await agent.link());
    expect(textOf(await waiting)).toContain("hunter2-4711");
  });

  it("is handed out as before where the demand holds, and starting looks at nothing", async () => {
    const world = makeWorld({ vault: { minAssurance: "link/same-user" } });
    const agent = await agentIn(world);
    expect(existsSync(join(world.env["XDG_STATE_HOME"] ?? "", "agent-vault"))).toBe(false);
    const waiting = agent.get("DATABASE_URL");
    await approve(await agent.link());
    expect(textOf(await waiting)).toContain("hunter2-4711");
  });
});
