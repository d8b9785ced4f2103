import type { Progress } from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, it, vi } from "vitest";
import type { serveMcp } from "../../src/mcp/server.ts";
import { statusOf, textOf } from "../support/agent.ts";
import { peopleOf } from "../support/fake-people.ts";
import { settle, startHouse } from "../support/house.ts";
import { loadPatched } from "../support/patched.ts";
import { asked, connect } from "./connect.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const VALUE = "postgres://hunter2-4711";
const ARGS = { vault: "dev", name: "DATABASE_URL", reason: "run migration 0042" };

/** A client before a vault that has people of its own, with everything that a test looks at. */
async function begin(name: string, { serve, token = true }: { serve?: typeof serveMcp; token?: boolean } = {}) {
  const house = startHouse();
  const people = peopleOf(house.vault, "the approvers of 12Port");
  const agent = await connect(house, { name, ...(serve && { serve }) });
  const told: Progress[] = [];
  const call = (options: { signal?: AbortSignal; tool?: string; args?: object } = {}) => {
    const { tool = "get_secret", args = ARGS, signal } = options;
    const reply = agent.call(tool, args, {
      ...(signal && { signal }),
      ...(token && { onprogress: (progress: Progress) => void told.push(progress) }),
    });
    const state = { status: "waiting" };
    reply.then(
      (result) => (state.status = String(statusOf(result))),
      () => (state.status = "cancelled"),
    );
    return { reply, state };
  };
  /** Lets time pass, and what belongs to it happen. */
  const pass = async (ms: number): Promise<void> => {
    house.clock.advance(ms);
    await settle();
  };
  /** The person says yes, and the vault finds that its own people are needed. */
  const approve = async (): Promise<void> => {
    await house.approve();
    await vi.waitFor(() => expect(people.submitted).toEqual(["id:DATABASE_URL"]), { interval: 5 });
    await settle();
  };
  const lines = (): string[] => told.map(({ message = "" }) => message);
  return { house, people, agent, call, pass, approve, lines };
}

type Begun = Awaited<ReturnType<typeof begin>>;

/** Whoever was asked was asked once, and every value that went out has its line. */
function expectOnce({ house, people }: Begun): void {
  expect(house.tokens).toHaveLength(1);
  expect(people.submitted).toEqual(["id:DATABASE_URL"]);
  expect(house.journal.kinds().filter((kind) => kind === "requested" || kind === "approved")).toHaveLength(2);
}

/** A client that bears `limit` in all: the person takes `first` of it, the vault's people the rest and more. */
async function bears(begun: Begun, limit: number, first: number): Promise<string> {
  const { house, call, pass, approve } = begun;
  const { reply, state } = call();
  await asked(house, 1);
  await pass(first);
  expect(state.status).toBe("waiting");
  await approve();
  await pass(limit - first - 1);
  expect(state.status).toBe("waiting");
  await pass(1);
  expect(state.status).toBe("pending");
  return textOf(await reply);
}

describe("an approved request that waits for the vault's own people", () => {
  it.each([
    ["Cursor, which sends no token", "Cursor", false, 50 * SECOND, 40 * SECOND],
    ["Codex, which progress does not keep alive", "codex-mcp-client", true, 280 * SECOND, 200 * SECOND],
    ["Gemini CLI, likewise", "gemini-cli-mcp-client", true, 580 * SECOND, 10 * SECOND],
  ])("%s, is told pending at its limit for both waits together, and gets the value later", async (...row) => {
    const [, name, token, limit, first] = row;
    const begun = await begin(name, { token });
    const { people, call, pass } = begun;
    const text = await bears(begun, limit, first);
    expect(text).toMatch(
      /^pending: a person approved reading DATABASE_URL from vault "dev"; waiting for the approvers of 12Port, for /,
    );
    expect(text).toContain("call get_secret again with the same arguments in a while (1 min or more)");
    expect(text).not.toMatch(/localhost|approve\//);

    // The next call has the whole of its time again.
    const second = call();
    await settle();
    await pass(limit - 1);
    expect(second.state.status).toBe("waiting");
    await pass(1);
    expect(textOf(await second.reply)).toMatch(/12Port, for (\d+ min|less than a minute)\./);

    // Its people agree while nobody is there, and the one who comes back gets it at once.
    await pass(MINUTE);
    people.agree();
    await pass(MINUTE);
    expect(textOf(await call().reply)).toBe(VALUE);
    expectOnce(begun);
  });

  it("would be kept beyond its limit if the second wait began anew", async () => {
    const twin = (await loadPatched("src/mcp/server.ts", [
      { file: "src/mcp/person.ts", from: "hold - (clock.mono() - started)", to: "hold" },
    ])) as { serveMcp: typeof serveMcp };
    const begun = await begin("Cursor", { serve: twin.serveMcp, token: false });
    await expect(bears(begun, 50 * SECOND, 40 * SECOND)).rejects.toThrow(/'waiting' to be 'pending'/);
  });

  it("Claude Code is kept waiting with progress that says for whom, and gets the value in the same call", async () => {
    const begun = await begin("claude-code");
    const { house, people, call, pass, approve, lines } = begun;
    const { reply, state } = call();
    await asked(house, 1);
    await pass(5 * MINUTE);
    expect(lines().at(-1)).toMatch(/^Waiting for you to approve .*localhost/);
    await approve();
    expect(lines().at(-1)).toBe("A person approved; waiting for the approvers of 12Port, for less than a minute.");
    const before = lines().length;
    await pass(14 * MINUTE);
    expect(state.status).toBe("waiting");
    expect(lines().length - before).toBe((14 * MINUTE) / (10 * SECOND));
    expect(lines().at(-1)).toBe("A person approved; waiting for the approvers of 12Port, for 14 min.");
    people.agree();
    expect(textOf(await reply)).toBe(VALUE);
    expectOnce(begun);
  });

  it("Claude Code too is told pending when a quarter of an hour was not enough", async () => {
    const begun = await begin("claude-code");
    const { house, people, call, pass, approve } = begun;
    const { reply } = call();
    await asked(house, 1);
    await approve();
    await pass(15 * MINUTE);
    expect(textOf(await reply)).toContain("12Port, for 15 min.");
    await pass(3 * 60 * MINUTE);
    const again = call();
    await settle();
    people.agree();
    expect(textOf(await again.reply)).toBe(VALUE);
    expectOnce(begun);
  });

  it("a client that gives up after a minute loses nothing, and is told pending in time from then on", async () => {
    const begun = await begin("claude-code");
    const { house, people, call, pass, approve } = begun;
    const controller = new AbortController();
    const { state } = call({ signal: controller.signal });
    await asked(house, 1);
    await pass(30 * SECOND);
    await approve();
    await pass(30 * SECOND);
    controller.abort("Request timed out");
    await vi.waitFor(() => expect(state.status).toBe("cancelled"));
    const second = call();
    await settle();
    await pass(50 * SECOND);
    expect(statusOf(await second.reply)).toBe("pending");
    people.agree();
    await settle();
    expect(textOf(await call().reply)).toBe(VALUE);
    expectOnce(begun);
  });

  it("says that its people said no, and bothers nobody with it again", async () => {
    const { house, people, call, approve } = await begin("claude-code");
    const { reply } = call();
    await asked(house, 1);
    await approve();
    people.refuse();
    expect(statusOf(await reply)).toBe("upstream_denied");
    expect(statusOf(await call().reply)).toBe("upstream_denied");
    expect(house.tokens).toHaveLength(1);
    expect(people.submitted).toEqual(["id:DATABASE_URL"]);
  });

  it("counts the fields of one secret where several are waited for", async () => {
    const { house, call, pass } = await begin("Cursor", { token: false });
    for (const key of ["username", "password"]) house.vault.secrets.set(`Stripe#${key}`, `canary-${key}-4711`);
    house.vault.hasFields();
    const { reply } = call({ args: { ...ARGS, name: "Stripe", fields: ["*"] } });
    await asked(house, 1);
    await house.approve();
    await settle();
    await pass(50 * SECOND);
    expect(textOf(await reply)).toMatch(
      /^pending: a person approved reading 2 fields of Stripe from vault "dev"; waiting /,
    );
  });

  it("puts up no dialog: there is nothing for the person to answer", async () => {
    const house = startHouse();
    const people = peopleOf(house.vault);
    let dialogs = 0;
    const agent = await connect(house, { name: "claude-code", elicit: () => void (dialogs += 1) });
    const reply = agent.call("get_secret", ARGS, { onprogress: () => {} });
    await asked(house, 1);
    await vi.waitFor(() => expect(dialogs).toBe(1));
    await house.approve();
    await settle();
    house.clock.advance(MINUTE);
    await settle();
    expect(people.submitted).toHaveLength(1);
    people.agree();
    await reply;
    expect(dialogs).toBe(1);
  });
});
