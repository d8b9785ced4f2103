import { dirname } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { tellOfApprovers } from "../../src/approvers/told.ts";
import { tellOfApprovers as tell } from "../../src/approvers/told.ts";
import { ntfy } from "../../src/channels/ntfy.ts";
import type { Approver } from "../../src/core/proof.ts";
import { openNotes } from "../../src/state/notes.ts";
import { startFakeNtfy } from "../channels/fake-ntfy.ts";
import { createAuthenticator, enrolled } from "../support/authenticator.ts";
import { agentIn, world } from "../support/begin.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { loadPatched } from "../support/patched.ts";
import { fakeNotes } from "../support/provider-context.ts";

const MARIA: Approver = { id: "id-4711", name: "Maria's phone", origin: "https://desk.example.org", addedAt: 1 };
const PRINTER: Approver = { ...MARIA, id: "id-0815", name: "Printer" };

/** Some processes of one user, with a phone that ntfy reaches. */
async function phone(tellOf: typeof tellOfApprovers = tell) {
  const server = await startFakeNtfy();
  onTestFinished(server.close);
  const context = { clock: new FakeClock(), environment: {} };
  const channels = [ntfy.open({ topic: "canary-topic-4711", server: server.url }, context)];
  const notes = fakeNotes();
  const failed: string[] = [];
  return {
    server,
    failed,
    look: (now: readonly Approver[]) =>
      tellOf(now, { notes: notes("told"), channels, failed: (name, why) => void failed.push(`${name}: ${why}`) }),
  };
}

/** How many messages it makes when three processes see one enrolled, then another, and then each of them again. */
async function messages(tellOf?: typeof tellOfApprovers): Promise<number> {
  const { look, server } = await phone(tellOf);
  await Promise.all([look([]), look([])]);
  for (const now of [[MARIA], [MARIA, PRINTER], [PRINTER, MARIA]]) await Promise.all([look(now), look(now), look(now)]);
  return server.posted.length;
}

describe("a change of who may approve", () => {
  it("is told once, by whichever process sees it first", async () => {
    expect(await messages()).toBe(2);
  });

  it("would be told by each of them if nobody kept what was told", async () => {
    const twin = (await loadPatched("src/approvers/told.ts", [
      { file: "src/approvers/told.ts", from: "|| !isNews(now, notes)", to: "" },
    ])) as { tellOfApprovers: typeof tellOfApprovers };
    expect(await messages(twin.tellOfApprovers)).toBeGreaterThan(2);
  });

  it("says how many there are, and no name", async () => {
    const { look, server } = await phone();
    await look([MARIA, PRINTER]);
    await look([]);
    const bodies = server.posted.map(({ body }) => JSON.parse(body) as { message: string });
    expect(bodies).toMatchObject([
      { title: "Who may approve has changed", message: expect.stringContaining("2 passkeys may approve") as unknown },
      { message: expect.stringContaining("a link alone may approve") as unknown },
    ]);
    expect(JSON.stringify(bodies)).not.toMatch(/Maria|Printer|http/);
  });

  it("is said to have failed where a channel does not take it", async () => {
    const { look, server, failed } = await phone();
    await server.close();
    await look([MARIA]);
    expect(failed).toEqual([expect.stringMatching(/^ntfy: /)]);
  });
});

describe("a session", () => {
  it("tells of a passkey that was put into the store past this program, on the phone and on standard error", async () => {
    const server = await startFakeNtfy();
    onTestFinished(server.close);
    const made = world({ config: { channels: [{ type: "ntfy", topic: "canary-topic-4711", server: server.url }] } });
    const notes = openNotes(dirname(made.database));
    onTestFinished(() => notes.close());
    enrolled(createAuthenticator({ origin: "http://localhost:9999" }), "Printer", { notes: notes.of("approvers") });
    const agent = await agentIn(made);
    void agent.get("DATABASE_URL").catch(() => undefined);
    await vi.waitFor(
      () => expect(server.posted.map(({ body }) => body)).toContainEqual(expect.stringContaining("has changed")),
      { timeout: 10_000 },
    );
    await vi.waitFor(() => expect(agent.stderr()).toContain('look: "Printer" may approve, and the audit log'));
  });
});
