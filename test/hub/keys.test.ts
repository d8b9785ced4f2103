import { describe, expect, it, onTestFinished } from "vitest";
import { openPairing } from "../../src/approvers/pairing.ts";
import { openApprovers } from "../../src/approvers/store.ts";
import type { Front } from "../../src/core/card.ts";
import { frontOf } from "../../src/core/front.ts";
import type { WaitingLine } from "../../src/core/overview.ts";
import { createHub } from "../../src/hub/hub.ts";
import { visitHub } from "../../src/hub/visit.ts";
import { systemClock } from "../../src/wall-clock.ts";
import { startHouse } from "../support/house.ts";
import { now, share, stateFolder, until } from "../support/hub.ts";
import { loadPatched, type Plant } from "../support/patched.ts";
import { HELLO, lineLike, peerOf } from "../support/peer.ts";
import { approve, readPage } from "../support/person.ts";
import { fakeNotes } from "../support/provider-context.ts";

type Create = typeof createHub;

async function patched(plant: Omit<Plant, "file">, file = "src/hub/sessions.ts"): Promise<Create> {
  const { createHub: create } = (await loadPatched("src/hub/hub.ts", [{ file, ...plant }])) as { createHub: Create };
  return create;
}

/** A host that has nothing to do with it, with a page. */
async function hosting(create?: Create) {
  const folder = stateFolder();
  const host = share(folder, create && { create });
  void host.house.get("STRIPE_KEY");
  const link = await host.link();
  return { folder, host, link, front: host.hosted[0] as Front };
}

/** A session with one request that waits, at the same desk. */
async function joining(folder: string) {
  const session = share(folder);
  const call = session.house.get("DATABASE_URL", { session: "victim" });
  const link = await session.link();
  const line = session.house.desk.overview().waiting[0] as WaitingLine;
  return { session, call, link, line };
}

/** What `agent-vault pair` is for the others: a page, and nothing that waits. Joins when told. */
function pairingAt(folder: string) {
  const store = openApprovers({ notes: fakeNotes()("approvers"), clock: now });
  const journal = { record: () => Promise.resolve(), note: () => undefined };
  const pairing = openPairing("Maria's phone", { store, journal, clock: now });
  const desk = startHouse({ clock: now }).desk;
  const nothing = { waiting: [], windows: [], kept: [pairing.key], version: 1 };
  const hub = createHub({
    folder,
    clock: systemClock,
    own: { ...frontOf(desk, pairing.step), overview: () => Promise.resolve(nothing) },
    startDoor: () => {
      throw new Error("hosts nothing here");
    },
    onFault: () => undefined,
    say: () => undefined,
  });
  onTestFinished(() => hub.close());
  return { pairing, join: () => hub.open() };
}

/** Whether a peer that has learnt the links of others, but not their keys, comes to be asked what is behind them. */
async function isAskedFor(create?: Create): Promise<{ request: boolean; pairing: boolean }> {
  const { folder, host, front } = await hosting(create);
  const elsewhere = startHouse({ clock: now });
  void elsewhere.get("DATABASE_URL");
  await until(() => elsewhere.desk.overview().waiting.length > 0);
  const line = elsewhere.desk.overview().waiting[0] as WaitingLine;
  const { pairing } = pairingAt(folder);
  // Before whoever has them has come to this host, as just after the one before has gone.
  const peer = peerOf(folder);
  const { key: _key, ...bare } = line;
  peer.say(HELLO);
  peer.claim([bare, lineLike({ ...line }, { token: pairing.token })]);
  const { house } = host;
  await until(() => peer.isCutOff() || peer.heard.length > 0);
  await until(
    async () => peer.isCutOff() || (await front.overview()).waiting.length > house.desk.overview().waiting.length,
  );
  void front.card(bare.token).catch(() => undefined);
  void front.pairing(pairing.token, { do: "look" }).catch(() => undefined);
  const asked = (name: string): boolean => peer.heard.some((each) => each.do === name);
  await until(() => peer.isCutOff() || (asked("card") && asked("pairing")));
  return { request: asked("card"), pairing: asked("pairing") };
}

describe("the key of a link", () => {
  it("is what makes a page a session's own: who only knows the link is cut off, even where nobody has said it is theirs", async () => {
    expect(await isAskedFor()).toEqual({ request: false, pairing: false });
  });

  it("would be for nothing, if a session were believed (planted bug)", async () => {
    const create = await patched({
      from: "const holdings = new Map(keys.map((key) => [key, before.get(key) ?? tokenOf(key)]));",
      to: "const holdings = new Map([...keys.map((key) => [key, tokenOf(key)] as const), ...waiting.map(({ key, token }) => [key ?? token, token] as const)]); for (const line of waiting) (line as { key?: string }).key ??= line.token;",
    });
    expect(await isAskedFor(create)).toEqual({ request: true, pairing: true });
  });

  it("keeps a request with its session, however much a peer says before and after", async () => {
    const { folder, front } = await hosting();
    const { session, link, line, call } = await joining(folder);
    const { key: _key, ...bare } = line;
    const peer = peerOf(folder);
    peer.say(HELLO);
    for (let round = 0; round < 4; round++) {
      const many = Array.from({ length: 2_000 }, () => lineLike(line, { names: [], vault: "of-the-peer" }));
      peer.claim(many.map(({ twin: _twin, ...each }) => each));
    }
    await until(async () => (await front.overview()).waiting.some(({ vault }) => vault === "of-the-peer"));
    peer.claim([{ ...bare, vault: "of-the-peer" }]);
    await until(peer.isCutOff);
    expect((await front.card(line.token))?.vault).toBe("dev");
    // The session whose it is is heard as before.
    void session.house.get("STRIPE_KEY", { session: "victim" });
    await until(async () => (await front.overview()).waiting.filter(({ vault }) => vault === "dev").length === 3);
    expect([session.said, session.faults]).toEqual([[], []]);
    expect(await approve(link)).toBe(303);
    await call.reply;
  });

  it("is shown to the host and to nobody else: not to pages, not to commands, not to other sessions", async () => {
    expect(await keysSeen()).toEqual([]);
  });

  it("would be seen, if the host passed on what it is told (planted bug)", async () => {
    const create = await patched({ from: "waiting: waiting.map(unkeyed)", to: "waiting" });
    expect(await keysSeen(create)).toContain("the command");
  });

  it("is that of a page for pairing too: no peer is asked about it, and the person's steps reach the command", async () => {
    const { folder, front } = await hosting();
    const peer = peerOf(folder, () => undefined);
    peer.say(HELLO);
    peer.claim([]);
    const { pairing, join } = pairingAt(folder);
    await join();
    expect((await front.pairing(pairing.token, { do: "look" }))?.name).toBe("Maria's phone");
    expect(await front.pairing("n".repeat(22), { do: "look" })).toBeUndefined();
    expect(await front.card("n".repeat(22))).toBeUndefined();
    expect(peer.heard.filter((each) => each.do !== undefined)).toEqual([]);
  });

  it("has the page of what was decided found again at the next host", async () => {
    const folder = stateFolder();
    const [host, first, second] = [share(folder), share(folder), share(folder)];
    await host.hub.open();
    const links: string[] = [];
    for (const session of [first, second]) {
      const call = session.house.get("STRIPE_KEY");
      links.push(await session.link());
      expect(await approve(links.at(-1) ?? "")).toBe(303);
      await call.reply;
    }
    await host.hub.close();
    await until(() => first.hosted.length + second.hosted.length === 1);
    for (const link of links) {
      await until(() =>
        readPage(link).then(
          (page) => page.includes("Approved"),
          () => false,
        ),
      );
    }
  });
});

/** Who of those who look sees a key of the desk. */
async function keysSeen(create?: Create): Promise<string[]> {
  const { folder, host, front } = await hosting(create);
  const { session, link, line } = await joining(folder);
  const peer = peerOf(folder, () => undefined);
  peer.say(HELLO, { do: "open", id: 2, with: {} });
  await until(() => peer.heard.some(({ re }) => re === 2));
  const visit = await visitHub({ folder });
  const seen = {
    "the command": JSON.stringify(await visit?.overview()),
    "the inbox": JSON.stringify(await front.overview()),
    "the page": (await readPage(link)) + JSON.stringify(await front.card(line.token)),
    "a peer": JSON.stringify(peer.heard),
  };
  visit?.close();
  const keys = [host, session].map(({ house }) => house.desk.overview().waiting[0]?.key ?? "none at all");
  return Object.entries(seen).flatMap(([who, text]) => (keys.some((key) => text.includes(key)) ? who : []));
}
