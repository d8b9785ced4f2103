import { spawn } from "node:child_process";
import { describe, expect, it } from "vitest";
import { PROGRAM, statusOf, type World } from "../support/agent.ts";
import { agentIn, begin, world } from "../support/begin.ts";
import { approve } from "../support/person.ts";

/** A command as a person, or an agent with a shell, types it. */
function typed(made: World, ...args: readonly string[]): Promise<{ status: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: made.project, env: made.env, stdio: "pipe" });
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, out, err }));
  });
}

interface Status {
  readonly running: boolean;
  readonly waiting: readonly { id: string; names: string[]; client: string }[];
  readonly open: readonly { id: string; names: string[]; client: string; isOnce: boolean }[];
}
const statusIn = async (made: World): Promise<Status> =>
  JSON.parse((await typed(made, "status", "--json")).out) as Status;

describe("status and revoke", () => {
  it("say that no agent-vault runs, and start none", async () => {
    const made = world();
    expect(await typed(made, "status")).toMatchObject({
      status: 0,
      out: expect.stringContaining("no agent-vault of this user runs") as string,
    });
    expect(await typed(made, "revoke", "--all")).toMatchObject({ status: 0, err: "" });
  });

  it("show what all sessions wait for and have open, never a link, and end it", async () => {
    const { world: made, agent: one } = await begin({ vault: { ttl: 15 } }, { name: "client-one" });
    const two = await agentIn(made, { name: "client-two" });
    const first = one.get("DATABASE_URL");
    const link = await one.link();
    expect(await approve(link, "window")).toBe(303);
    expect(statusOf(await first)).toBe("ok");
    const second = two.get("STRIPE_KEY");
    second.catch(() => undefined);
    const waitingLink = await two.link();

    const text = await typed(made, "status");
    expect(text).toMatchObject({ status: 0, err: "" });
    expect(text.out).toMatch(/left\s+read STRIPE_KEY of dev\s+for client-two/);
    expect(text.out).toMatch(/left\s+DATABASE_URL of dev\s+for client-one/);
    const before = await statusIn(made);
    expect(before).toMatchObject({ running: true, waiting: [{ names: ["STRIPE_KEY"] }], open: [{ isOnce: false }] });
    const said = text.out + JSON.stringify(before);
    for (const each of [link, waitingLink]) expect(said).not.toContain(new URL(each).pathname.split("/").at(-1));
    expect(said).not.toMatch(/https?:|approve\//);
    expect(said).not.toMatch(/hunter2-4711|sk_live_canary_0815/);

    const ended = await typed(made, "revoke", before.open[0]?.id ?? "");
    expect(ended).toMatchObject({ status: 0, err: "" });
    expect(ended.out).toContain("ended: DATABASE_URL of dev, for client-one");
    expect((await statusIn(made)).open).toEqual([]);
    // What was open is asked for again.
    const third = one.get("DATABASE_URL");
    third.catch(() => undefined);
    expect(await one.link()).not.toBe(link);
    expect((await statusIn(made)).waiting).toHaveLength(2);
  });

  it("end what was approved just once and nobody has come for yet", async () => {
    const { world: made, agent } = await begin({ config: { approval: { waitSeconds: 1 } } });
    const asked = agent.get("DATABASE_URL");
    const link = await agent.link();
    expect(statusOf(await asked)).toBe("pending");
    expect(await approve(link)).toBe(303);
    expect((await statusIn(made)).open).toMatchObject([{ isOnce: true, names: ["DATABASE_URL"] }]);
    expect(await typed(made, "revoke", "--all")).toMatchObject({ status: 0, err: "" });
    const again = agent.get("DATABASE_URL");
    expect(statusOf(await again)).toBe("pending");
  });
});
