import { describe, expect, it } from "vitest";
import type { Context, Services, Visit } from "../../src/cli/command.ts";
import { runCommand } from "../../src/cli/run-command.ts";
import { VaultError } from "../../src/core/errors.ts";
import type { Overview, WaitingLine, WindowLine } from "../../src/core/overview.ts";
import { makeFolder } from "../config/folder.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { loadPatched } from "../support/patched.ts";

const clock = new FakeClock();
const now = clock.now();
const WAITS: WaitingLine = {
  request: "request-1",
  token: "hunter2-4711-token",
  vault: "prod",
  action: "read",
  names: ["DATABASE_URL", "STRIPE_KEY"],
  client: "Claude Code",
  folder: "~/shop",
  since: now,
  expiresAt: now + 252_000,
  isBehind: false,
};
const OPEN: WindowLine = {
  approval: "approval-1",
  vault: "prod",
  scope: "secret",
  names: ["STRIPE_KEY"],
  client: "Claude Code",
  folder: "~/shop",
  since: now,
  until: now + 900_000,
  by: "Maria's phone",
};
const USE: WindowLine = { ...OPEN, approval: "approval-2", vault: "dev", isOnce: true, until: now + 60_000 };
const ALL: WindowLine = { ...OPEN, approval: "approval-3", vault: "lab", scope: "vault", until: now + 4_000_000 };

/** A desk of other processes, as a visit sees it. */
class FakeDesk {
  readonly ended: string[] = [];
  closed = 0;
  /** Approvals that do not end, as those of a session that hangs. */
  readonly stuck = new Set<string>();
  readonly folders: string[] = [];
  #overview: Overview;

  constructor(waiting: readonly WaitingLine[] = [], windows: readonly WindowLine[] = []) {
    this.#overview = { waiting, windows, version: 1 };
  }

  readonly visit = (folder: string): Promise<Visit> => {
    this.folders.push(folder);
    return Promise.resolve({
      overview: () => Promise.resolve(this.#overview),
      endApproval: (approval) => {
        const { windows } = this.#overview;
        const left = windows.filter((line) => line.approval !== approval);
        if (this.stuck.has(approval) || left.length === windows.length) return Promise.resolve(false);
        this.ended.push(approval);
        this.#overview = { ...this.#overview, windows: left };
        return Promise.resolve(true);
      },
      close: () => void (this.closed += 1),
    });
  };
}

/** Runs a command line beside this desk; without one no agent-vault runs. */
async function run(args: readonly string[], desk?: Pick<FakeDesk, "visit">) {
  let [out, err] = ["", ""];
  const io = { out: (text: string) => void (out += text), err: (text: string) => void (err += text) };
  const visit = desk?.visit ?? (() => Promise.resolve(undefined));
  const services: Partial<Services> = { clock, visit };
  // What else a command may use is not given: one that reaches for it fails.
  const status = await runCommand(args, io, services as Services, {
    variables: { HOME: "/nowhere" },
    cwd: "/nowhere",
  });
  return { status, out, err };
}

describe("agent-vault status", () => {
  it("shows what waits and what is open, with ids and time left", async () => {
    const desk = new FakeDesk([WAITS, { ...WAITS, request: "request-2", isBehind: true }], [USE, OPEN, ALL]);
    const { status, out, err } = await run(["status"], desk);
    expect({ status, err, closed: desk.closed }).toEqual({ status: 0, err: "", closed: 1 });
    expect(out).toBe(`Waiting:
  request-1  4:12 left           read DATABASE_URL, STRIPE_KEY of prod  for Claude Code in ~/shop
  request-2  waits for its turn  read DATABASE_URL, STRIPE_KEY of prod  for Claude Code in ~/shop

Open:
  approval-2  1:00 left     STRIPE_KEY of dev, just once  for Claude Code in ~/shop, approved by Maria's phone
  approval-1  15:00 left    STRIPE_KEY of prod            for Claude Code in ~/shop, approved by Maria's phone
  approval-3  1:06:40 left  ALL of lab                    for Claude Code in ~/shop, approved by Maria's phone

agent-vault revoke ID ends one of these, agent-vault revoke --all all of them.
`);
  });

  it("shows no token, whatever the host of the desk says", async () => {
    const desk = new FakeDesk([WAITS], [OPEN]);
    for (const args of [["status"], ["status", "--json"]]) {
      expect((await run(args, desk)).out).not.toContain("hunter2-4711");
    }
  });

  it("would be seen to show one", async () => {
    const from = "      id: visible(request),\n";
    const to = "      id: visible(request), link: `/approve/${waiting[0]?.token}`,\n";
    const twin = (await loadPatched("src/cli/status.ts", [
      { file: "src/cli/status.ts", from, to },
    ])) as typeof import("../../src/cli/status.ts");
    let out = "";
    const services = { clock, visit: new FakeDesk([WAITS]).visit };
    const load = () => Promise.resolve({ ok: false, surroundings: { stateDir: "/nowhere" } });
    const context = { options: { json: true }, services, load, out: (text: string) => void (out += text) };
    // As much of a context as this command uses.
    await twin.status(context as unknown as Context);
    expect(out).toContain("hunter2-4711");
  });

  it("prints one object of JSON", async () => {
    const { out } = await run(["status", "--json"], new FakeDesk([WAITS], [OPEN]));
    const { token: _secret, request, ...waits } = WAITS;
    const { approval, ...open } = OPEN;
    expect(JSON.parse(out)).toEqual({
      running: true,
      waiting: [{ id: request, ...waits }],
      open: [{ id: approval, ...open, isOnce: false }],
    });
    expect(JSON.parse((await run(["status", "--json"])).out)).toEqual({ running: false, waiting: [], open: [] });
  });

  it("says when no agent-vault runs, and when one runs that waits for nobody", async () => {
    const none = await run(["status"]);
    expect(none).toMatchObject({ status: 0, err: "" });
    expect(none.out).toContain("no agent-vault of this user runs");
    expect((await run(["status"], new FakeDesk())).out).toBe("Nothing waits.\n\nNothing is open.\n");
  });

  it("says why the desk cannot be asked", async () => {
    const hint = "restart the clients";
    const visit = () => Promise.reject(new VaultError("page_unavailable", "the desk is of another version", { hint }));
    expect(await run(["status"], { visit })).toEqual({
      status: 1,
      out: "",
      err: "agent-vault: the desk is of another version\nhint: restart the clients\n",
    });
  });

  it("lets nothing through that a terminal obeys", async () => {
    const evil = { client: "\u001b[2Jgone", names: ["\u202ename"], vault: "v\u0007", folder: "\u001b]0;x" };
    const desk = new FakeDesk([{ ...WAITS, ...evil }], [{ ...OPEN, ...evil, by: "\u001b[1m" }]);
    for (const args of [["status"], ["status", "--json"], ["revoke", "--all"]]) {
      expect((await run(args, desk)).out).not.toMatch(/[^\P{C}\n]|\\u001b/u);
    }
  });

  it("works beside a configuration that does not", async () => {
    const folder = makeFolder();
    folder.write("agent-vault.config.json", "{ broken");
    const world = { cwd: folder.cwd, variables: { HOME: folder.home } };
    const desk = new FakeDesk([], [OPEN]);
    let out = "";
    const services: Partial<Services> = { clock, visit: desk.visit };
    const io = { out: (text: string) => void (out += text), err: () => undefined };
    expect(await runCommand(["revoke", "--all"], io, services as Services, world)).toBe(0);
    expect(out).toContain("ended: STRIPE_KEY of prod");
    expect(desk.folders).toEqual([expect.stringContaining(folder.home)]);
  });
});

describe("agent-vault revoke", () => {
  it("ends one approval by its id and says what ended", async () => {
    const desk = new FakeDesk([], [OPEN, ALL]);
    const { status, out, err } = await run(["revoke", "approval-3"], desk);
    expect({ status, out, err }).toEqual({ status: 0, out: "ended: ALL of lab, for Claude Code in ~/shop\n", err: "" });
    expect(desk.ended).toEqual(["approval-3"]);
    expect(desk.closed).toBe(1);
  });

  it("ends everything, uses that are still to come included", async () => {
    const desk = new FakeDesk([WAITS], [USE, OPEN, ALL]);
    const { status, out } = await run(["revoke", "--all"], desk);
    expect(status).toBe(0);
    expect(out.trim().split("\n")).toHaveLength(3);
    expect(desk.ended).toEqual(["approval-2", "approval-1", "approval-3"]);
    expect(await run(["revoke", "--all"], desk)).toMatchObject({ status: 0, out: "nothing is open\n" });
  });

  it("fails loudly where something stays open", async () => {
    const desk = new FakeDesk([], [OPEN, ALL]);
    desk.stuck.add("approval-1");
    const { status, err } = await run(["revoke", "--all"], desk);
    expect({ status, err }).toEqual({ status: 1, err: "still open: STRIPE_KEY of prod, for Claude Code in ~/shop\n" });
    expect(desk.ended).toEqual(["approval-3"]);
  });

  it("says so when there is nothing under that id, and where it belongs to what still waits", async () => {
    const desk = new FakeDesk([WAITS], [OPEN]);
    expect(await run(["revoke", "nothing"], desk)).toMatchObject({ status: 1, out: "" });
    const { status, err } = await run(["revoke", "request-1"], desk);
    expect({ status, err }).toEqual({
      status: 1,
      err: '"request-1" waits for a person: nothing is open yet, and its page is where to deny it\n',
    });
    expect(desk.ended).toEqual([]);
  });

  it("is done where no agent-vault runs", async () => {
    expect(await run(["revoke", "--all"])).toMatchObject({ status: 0, err: "" });
  });

  it.each([[["revoke"]], [["revoke", "approval-1", "--all"]], [["revoke", "a", "b"]]])(
    "does not guess what %j means",
    async (args) => {
      const desk = new FakeDesk([], [OPEN]);
      expect((await run(args, desk)).status).toBe(2);
      expect(desk.ended).toEqual([]);
    },
  );
});
