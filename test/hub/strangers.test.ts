import { chmodSync, mkdirSync, statSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import { visitHub } from "../../src/hub/visit.ts";
import { codeOf } from "../support/house.ts";
import { share, stateFolder, until } from "../support/hub.ts";
import { HELLO, lineLike, peerOf } from "../support/peer.ts";
import { approve } from "../support/person.ts";

const empty = { waiting: [], windows: [], version: 1 };

/** A session that hosts, with one request that waits. */
async function hosting() {
  const folder = stateFolder();
  const session = share(folder);
  const call = session.house.get("DATABASE_URL");
  const link = await session.link();
  const line = session.house.desk.overview().waiting[0];
  if (!line) throw new Error("nothing waits");
  return { folder, session, call, link, line };
}

describe("a peer that does not keep to the protocol", () => {
  it.each<[string, unknown[]]>([
    ["what is no JSON", ["hunter2-4711\n"]],
    ["a line without an end", ["x".repeat(3_000_000)]],
    ["a call there is not", [{ do: "constructor", id: 1, with: {} }]],
    ["a call that only the host makes", [HELLO, { do: "card", id: 2, with: { token: "x".repeat(22) } }]],
    ["news before hello", [{ tell: "overview", with: empty }]],
    ["an overview that is none", [HELLO, { tell: "overview", with: { waiting: [{}], windows: [], version: 1 } }]],
    ["a reply to what nobody asked", [HELLO, { re: 4_711, value: true }]],
    ["the same call twice", [HELLO, HELLO, { do: "open", id: 5, with: {} }, { do: "open", id: 5, with: {} }]],
  ])("is cut off for %s, and harms nobody", async (_, lines) => {
    const { folder, call, link } = await hosting();
    const peer = peerOf(folder);
    peer.say(...lines);
    await until(peer.isCutOff);
    expect(await approve(link)).toBe(303);
    expect(await codeOf(call)).toBe("done");
  });

  it("learns no link of another session", async () => {
    const { folder, line } = await hosting();
    const visitor = peerOf(folder);
    visitor.say({ do: "hello", id: 1, with: { hub: 1, as: "visitor" } }, { do: "overview", id: 2, with: {} });
    const guest = peerOf(folder);
    guest.say(HELLO, { tell: "overview", with: empty }, { do: "open", id: 2, with: {} });
    await until(() => visitor.heard.length >= 2 && guest.heard.some(({ re }) => re === 2));
    const heard = JSON.stringify([visitor.heard, guest.heard]);
    expect(heard).toContain(line.request);
    expect(heard).not.toContain(line.token);
    expect(heard).not.toContain(line.key);
  });

  it("and never answers keeps nobody else from the page", async () => {
    const { folder, session, call, link, line } = await hosting();
    const peer = peerOf(folder);
    peer.say(HELLO);
    peer.claim([lineLike(line, { since: line.since - 1 })]);
    await until(async () => (await session.hosted[0]?.overview())?.waiting.length === 2);
    expect((await session.hosted[0]?.overview())?.waiting.map(({ request }) => request)).toEqual([
      "of-the-peer",
      line.request,
    ]);
    expect(await approve(link)).toBe(303);
    expect(await codeOf(call)).toBe("done");
  });
});

describe("a place that is not to be trusted", () => {
  const alone = async (folder: string): Promise<string> => {
    const session = share(folder);
    const call = session.house.get("DATABASE_URL");
    expect(await approve(await session.link())).toBe(303);
    expect(await codeOf(call)).toBe("done");
    return session.said.join("\n");
  };

  it("is not used when others can write there: the session has a page of its own, and says so", async () => {
    const folder = stateFolder();
    mkdirSync(join(folder, "desk"), { recursive: true });
    chmodSync(join(folder, "desk"), 0o777);
    expect(await alone(folder)).toMatch(
      /the approval page of this session is its own: .*can be changed by other users/,
    );
    await expect(visitHub({ folder })).rejects.toMatchObject({ code: "page_unavailable" });
  });

  it("is not used when it is a detour", async () => {
    const folder = stateFolder();
    mkdirSync(folder, { recursive: true });
    symlinkSync(dirname(folder), join(folder, "desk"));
    expect(await alone(folder)).toMatch(/is a symbolic link/);
  });

  it("is private although the state folder can be read", async () => {
    const folder = stateFolder();
    mkdirSync(join(folder, "desk"), { recursive: true, mode: 0o755 });
    const { hub } = share(folder);
    await hub.open();
    expect(statSync(join(folder, "desk")).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, "desk", "desk.sock")).mode & 0o777).toBe(0o600);
  });

  it("may have a path too long for a socket", async () => {
    const folder = stateFolder(`${"long-".repeat(30)}state`);
    const [host, guest] = [share(folder), share(folder)];
    await host.hub.open();
    void guest.house.get("DATABASE_URL");
    expect(new URL(await guest.link()).port).toBe(new URL(host.hub.link("x").local).port);
    expect([...host.said, ...guest.said]).toEqual([]);
  });
});

describe("a host of another version", () => {
  it("is not joined: the session has a page of its own, and says so", async () => {
    const folder = stateFolder();
    const { folder: _, ...other } = { folder, hub: share(folder).hub };
    await other.hub.open();
    await other.hub.close();
    const { holdFile } = await import("../../src/state/held-file.ts");
    const { loadDriver } = await import("../../src/state/driver.ts");
    const { AUDIT_LOG } = await import("../../src/audit/file.ts");
    const lock = holdFile(loadDriver(AUDIT_LOG), join(folder, "desk", "desk.lock"));
    onTestFinished(() => lock?.leave());
    const server = createServer((socket) => {
      socket.on("error", () => {});
      createInterface({ input: socket }).on("line", (line) => {
        const { id } = JSON.parse(line) as { id: number };
        socket.write(`${JSON.stringify({ re: id, value: { hub: 2, formKey: "x" } })}\n`);
      });
    });
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(join(folder, "desk", "desk.sock"), resolve));
    const session = share(folder);
    const call = session.house.get("DATABASE_URL");
    expect(await approve(await session.link())).toBe(303);
    expect(await codeOf(call)).toBe("done");
    expect(session.said.join()).toMatch(/its own: the approval page is hosted by another version of agent-vault/);
    await expect(visitHub({ folder })).rejects.toThrow(/another version/);
  });
});
