import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { openNotes } from "../../src/state/notes.ts";
import { startFakeNtfy } from "../channels/fake-ntfy.ts";
import { eventsOf, makeWorld, type World } from "../support/agent.ts";
import { atTerminal, hasTerminals } from "../support/at-terminal.ts";
import { type Authenticator, createAuthenticator, enrolled } from "../support/authenticator.ts";
import { world } from "../support/begin.ts";
import { getAtTerminal, getInPipes, getInto, type Getting } from "../support/getting.ts";
import { buildPatched, type Plant } from "../support/patched.ts";
import { approve, approveSigned, deny, readPage } from "../support/person.ts";

const VALUE = "postgres://hunter2-4711";
const ASK = ["dev", "DATABASE_URL", "--reason", "deploy 1.4 to staging"];
const LINK = /https?:\/\/\S+\/approve\/[\w-]{22}/;
/** The secret part of a link, however it is written. */
const TOKEN = /approve\/[\w-]{22}/;

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A world with a phone whose passkey works on the local page. */
function paired(options: Parameters<typeof makeWorld>[0] = {}): { made: World; phone: Authenticator } {
  const port = 12_000 + Math.floor(Math.random() * 20_000);
  const made = world({ ...options, config: { port, ...options.config } });
  const phone = createAuthenticator({ origin: `http://localhost:${port}` });
  const notes = openNotes(dirname(made.database));
  enrolled(phone, "Maria's phone", { notes: notes.of("approvers") });
  notes.close();
  return { made, phone };
}

function kinds(made: World): unknown[] {
  return eventsOf(made)
    .map(({ kind }) => kind)
    .filter((kind) => kind !== "started" && kind !== "stopped");
}

function streams({ out, err }: Getting): string {
  return out() + err();
}

describe("agent-vault get, with a phone that is paired", () => {
  it("shows the link on stderr, and the value alone on stdout when it was signed for", async () => {
    const { made, phone } = paired({ vault: { ttl: 15 } });
    const getting = getInPipes(made, ASK);
    const [link] = await getting.shows("err", LINK);
    const page = await readPage(link);
    expect(page).toContain("agent-vault get");
    expect(page).toContain("deploy 1.4 to staging");
    expect(page, "there is no window to choose").not.toContain('value="window"');
    expect(await approve(link), "the link alone does nothing").not.toBe(303);
    expect(getting.out()).toBe("");
    expect(await approveSigned(link, phone)).toBe(303);
    expect(await readPage(link), "the page is still there to say how it ended").toContain("Approved");
    expect(await getting.ended).toBe(0);
    expect(getting.out(), "without a line break").toBe(VALUE);
    expect(getting.err()).not.toContain(VALUE);
    const approved = eventsOf(made).find(({ kind }) => kind === "approved");
    expect(approved).toMatchObject({ proof: "passkey", until: null, reason: "deploy 1.4 to staging" });
  });
});

describe.runIf(existsSync("/dev/full"))("agent-vault get, where its output takes nothing", () => {
  const OUTPUTS = ["disk", "nobody"] as const;

  async function statusInto(output: (typeof OUTPUTS)[number], program?: string): Promise<[number | null, string]> {
    const { made, phone } = paired();
    const getting = getInto(made, ASK, output, program);
    const [link] = await getting.shows("err", LINK);
    expect(await approveSigned(link, phone)).toBe(303);
    const status = await getting.ended;
    expect(eventsOf(made).at(-1), "it ended in order").toMatchObject({ kind: "stopped" });
    return [status, getting.err()];
  }

  it.each(OUTPUTS)("says that the value could not be written (%s), and fails", async (output) => {
    const [status, said] = await statusInto(output);
    expect(status).toBe(1);
    expect(said).toContain("could not be written to standard output");
    expect(said).not.toContain(VALUE);
  });

  it("would take it for done if it did not look", async () => {
    const from = "(error) => taken(!error)";
    const twin = await buildPatched("src/main.ts", [{ file: "src/main.ts", from, to: "() => taken(true)" }]);
    closing.push(twin.remove);
    expect((await statusInto("disk", twin.file))[0]).toBe(0);
  });
});

describe("agent-vault get, while the link alone approves", () => {
  it("refuses where nobody can be told without the agent reading along", async () => {
    const made = world();
    const getting = getInPipes(made, ASK);
    expect(await getting.ended).toBe(1);
    expect(getting.out()).toBe("");
    expect(getting.err()).toMatch(/nobody can be told where to approve.*\nhint: .*agent-vault pair/s);
    expect(streams(getting)).not.toMatch(TOKEN);
    expect(kinds(made)).toEqual(expect.arrayContaining(["requested", "withdrawn"]));
  });

  it("says it through a channel, and nowhere else", async () => {
    const ntfy = await startFakeNtfy();
    closing.push(ntfy.close);
    const made = world({ config: { channels: [{ type: "ntfy", topic: "canary-topic-4711", server: ntfy.url }] } });
    const getting = getInPipes(made, ASK);
    await ntfy.received(1);
    const link = LINK.exec(JSON.stringify(ntfy.posted[0]?.body))?.[0] ?? "no link";
    await getting.shows("err", /told through: ntfy/);
    expect(await approve(link)).toBe(303);
    expect(await getting.ended).toBe(0);
    expect(getting.out()).toBe(VALUE);
    expect(streams(getting)).not.toMatch(TOKEN);
  });

  it("refuses when the channel there is could not be reached", async () => {
    const ntfy = await startFakeNtfy();
    await ntfy.close();
    const made = world({ config: { channels: [{ type: "ntfy", topic: "canary-topic-4711", server: ntfy.url }] } });
    const getting = getInPipes(made, ASK);
    expect(await getting.ended).toBe(1);
    expect(getting.err()).toContain("nobody can be told");
    expect(getting.err()).toContain("ntfy");
    expect(streams(getting)).not.toMatch(TOKEN);
  });

  it.runIf(hasTerminals)("shows it on the terminal it was started from, whatever becomes of its output", async () => {
    const made = world();
    const getting = getAtTerminal(made, ASK);
    const [link] = await getting.shows("screen", LINK);
    expect(streams(getting)).not.toMatch(TOKEN);
    expect(await approve(link)).toBe(303);
    expect(await getting.ended).toBe(0);
    expect(getting.out()).toBe(VALUE);
    expect(streams(getting)).not.toMatch(TOKEN);
    expect(getting.screen()).not.toContain(VALUE);
  });

  it.runIf(hasTerminals)("ends the value with a line break where a person reads it", async () => {
    const command = atTerminal(world(), ["get", ...ASK]);
    closing.push(command.kill);
    const [link] = await command.shows(LINK);
    await approve(link);
    expect(await command.ended).toBe(0);
    expect(command.screen()).toMatch(new RegExp(`${VALUE}\\r?\\n$`));
  });

  it.runIf(hasTerminals)("withdraws at Ctrl-C", async () => {
    const made = world();
    const getting = getAtTerminal(made, ASK);
    await getting.shows("screen", LINK);
    getting.interrupt();
    expect(await getting.ended).toBe(3);
    expect(getting.out()).toBe("");
    expect(getting.err()).toContain("withdrawn");
    expect(kinds(made)).toEqual(expect.arrayContaining(["requested", "withdrawn"]));
  });

  it.runIf(hasTerminals)("says that a person denied it", async () => {
    const made = world();
    const getting = getAtTerminal(made, ASK);
    const [link] = await getting.shows("screen", LINK);
    expect(await deny(link)).toBe(303);
    expect(await getting.ended).toBe(3);
    expect(getting.out()).toBe("");
    expect(getting.err()).toContain("a person denied this request");
  });

  /** Three ways to say too much, each in the one place that decides it. */
  const LEAKS: readonly (readonly [where: string, plant: Plant])[] = [
    [
      "the house announced it, as it does for an agent's client",
      { file: "src/house.ts", from: "...(!whose.looked && {", to: "...({" },
    ],
    [
      "the link were taken for one that alone approves nothing",
      { file: "src/cli/get.ts", from: "if (!linkApproves) {", to: "if (linkIsFinal) {" },
    ],
  ];

  it.each(LEAKS)("would be seen on a stream if %s", async (_, plant) => {
    const twin = await buildPatched("src/main.ts", [plant]);
    closing.push(twin.remove);
    const getting = getInPipes(world(), ASK, twin.file);
    await Promise.race([getting.ended, getting.shows("err", TOKEN)]);
    expect(streams(getting)).toMatch(TOKEN);
    getting.interrupt();
    await getting.ended;
  });
});

describe("agent-vault get", () => {
  it("says what is wrong before anybody is asked, with the status of each", async () => {
    const made = world();
    const wrong: readonly (readonly [status: number, said: RegExp, args: readonly string[]])[] = [
      [2, /there is no vault "prod"/, ["prod", "DATABASE_URL", "--reason", "deploy"]],
      [1, /"NO_SUCH_NAME"/, ["dev", "NO_SUCH_NAME", "--reason", "deploy"]],
      [2, /needs --reason/, ["dev", "DATABASE_URL"]],
      [2, /needs NAME/, ["dev", "--reason", "deploy"]],
      [2, /have no fields/, [...ASK, "--field", "user"]],
    ];
    for (const [status, said, args] of wrong) {
      const getting = getInPipes(made, args);
      expect([await getting.ended, getting.out(), getting.err()]).toEqual([status, "", expect.stringMatching(said)]);
    }
    expect(kinds(made)).not.toContain("requested");
  });
});
