import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ElicitationCompleteNotificationSchema, type Progress } from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, it, vi } from "vitest";
import { eventsOf, PROGRAM, statusOf, textOf } from "../support/agent.ts";
import { begin, world as makeWorld } from "../support/begin.ts";
import { approve } from "../support/person.ts";

const LINK = /http:\/\/localhost:\d+\/approve\/[\w-]{22}/;
const VALUE = "postgres://hunter2-4711";

function progressLog(): { seen: Progress[]; onprogress: (progress: Progress) => void; link: () => Promise<string> } {
  const seen: Progress[] = [];
  const link = (): Promise<string> =>
    vi.waitFor(() => {
      const found = seen.map(({ message = "" }) => LINK.exec(message)?.[0]).find((each) => each !== undefined);
      if (found === undefined) throw new Error("no link in the progress messages yet");
      return found;
    });
  return { seen, onprogress: (progress) => seen.push(progress), link };
}

describe("Cursor: no progress token, form elicitation only", () => {
  it("shows the link in the form; its answer decides nothing, the tap does", async () => {
    const messages: string[] = [];
    const { agent } = await begin(
      {},
      {
        name: "Cursor",
        capabilities: { elicitation: { form: {} } },
        elicit: (request) => {
          messages.push(request.params.message);
          return Promise.resolve({ action: "accept", content: {} });
        },
      },
    );
    const waiting = agent.get("DATABASE_URL");
    const link = await vi.waitFor(() => {
      const found = LINK.exec(messages[0] ?? "")?.[0];
      if (found === undefined) throw new Error("no form yet");
      return found;
    });
    const early = await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 200, "still waiting"))]);
    expect(early, "accepting the form let nothing out").toBe("still waiting");
    await approve(link);
    expect(textOf(await waiting)).toBe(VALUE);
    expect(messages).toHaveLength(1);
  });

  it("gets pending when it must, without the link, and the same call again joins", async () => {
    const { world, agent } = await begin({ config: { approval: { waitSeconds: 1 } } }, { name: "Cursor" });
    const first = await agent.get("DATABASE_URL");
    expect(statusOf(first)).toBe("pending");
    expect(first.isError).toBeFalsy();
    expect(textOf(first)).toContain("Call get_secret again now with the same arguments");
    expect(JSON.stringify(first)).not.toMatch(/approve\/|localhost/);
    const second = agent.get("DATABASE_URL");
    await approve(await agent.link());
    expect(textOf(await second)).toBe(VALUE);
    await agent.close();
    expect(eventsOf(world).filter(({ kind }) => kind === "requested")).toHaveLength(1);
  });

  it("is given the link in the result only where the configuration says so", async () => {
    const { agent } = await begin(
      { config: { approval: { waitSeconds: 1, linkInResults: true } } },
      { name: "Cursor" },
    );
    expect(textOf(await agent.get("DATABASE_URL"))).toMatch(LINK);
  });
});

describe.each([
  ["Codex", "codex-mcp-client", { elicitation: { form: {}, url: {} } }],
  ["Gemini CLI", "gemini-cli-mcp-client", {}],
])("%s: a progress token, but progress does not extend its limit", (_, name, capabilities) => {
  it("sees the link in progress, and an automatic decline is no denial", async () => {
    const { seen, onprogress, link } = progressLog();
    const { agent } = await begin({}, { name, capabilities, elicit: () => Promise.resolve({ action: "decline" }) });
    const waiting = agent.get("DATABASE_URL", { onprogress });
    await approve(await link());
    expect(textOf(await waiting)).toBe(VALUE);
    expect(seen[0]?.message).toContain('reading DATABASE_URL from vault "dev"');
  });

  it("cancels at its limit; the approval that comes later serves the next call", async () => {
    const { agent } = await begin({}, { name, capabilities, elicit: () => Promise.resolve({ action: "decline" }) });
    await expect(agent.get("DATABASE_URL", { timeout: 500, onprogress: () => {} })).rejects.toThrow("timed out");
    await approve(await agent.link());
    expect(textOf(await agent.get("DATABASE_URL"))).toBe(VALUE);
  });
});

describe("Claude Code, opencode and Copilot CLI: progress resets their limit", () => {
  it("are kept alive past their own limit by a progress message every 10 s", async () => {
    const { seen, onprogress, link } = progressLog();
    const { agent } = await begin({}, { name: "claude-code" });
    const waiting = agent.get("DATABASE_URL", { onprogress, timeout: 12_000, resetTimeoutOnProgress: true });
    const page = await link();
    await vi.waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(3), { timeout: 28_000, interval: 200 });
    expect(seen.map(({ progress }) => progress)).toEqual(seen.map((_, at) => at + 1));
    await approve(page);
    expect(textOf(await waiting)).toBe(VALUE);
  }, 40_000);

  it.each(["claude-code", "copilot-cli"])(
    "%s shows a URL dialog, which is taken away when the person has answered",
    async (name) => {
      let gone = false;
      const urls: string[] = [];
      const { agent } = await begin(
        {},
        {
          name,
          capabilities: { elicitation: { url: {} } },
          elicit: (request, signal) => {
            if (request.params.mode === "url") urls.push(request.params.url);
            return new Promise((_, reject) => {
              signal.addEventListener("abort", () => {
                gone = true;
                reject(new Error("the dialog was taken away"));
              });
            });
          },
        },
      );
      const waiting = agent.get("DATABASE_URL", { onprogress: () => {} });
      const url = await vi.waitFor(() => {
        if (urls[0] === undefined) throw new Error("no dialog yet");
        return urls[0];
      });
      await approve(url);
      expect(textOf(await waiting)).toBe(VALUE);
      await vi.waitFor(() => expect(gone).toBe(true));
    },
  );

  it("claude-code: a stop by the user withdraws the request", async () => {
    const { world, agent } = await begin({}, { name: "claude-code" });
    const controller = new AbortController();
    const waiting = agent.get("DATABASE_URL", { signal: controller.signal, onprogress: () => {} });
    const link = await agent.link();
    controller.abort("AbortError: user-cancel");
    await expect(waiting).rejects.toThrow();
    await vi.waitFor(async () => expect(await (await fetch(link)).text()).toMatch(/withdrawn/i));
    await agent.close();
    expect(eventsOf(world).map(({ kind }) => kind)).toContain("withdrawn");
  });

  it("opencode: a cancellation after the result harms nothing", async () => {
    const { agent } = await begin({ vault: { ttl: 5 } }, { name: "opencode" });
    const waiting = agent.get("DATABASE_URL", { onprogress: () => {} });
    await approve(await agent.link());
    await waiting;
    await agent.client.notification({ method: "notifications/cancelled", params: { requestId: 1, reason: "done" } });
    expect(textOf(await agent.get("DATABASE_URL"))).toBe(VALUE);
  });
});

describe("Inspector CLI, the real one: stderr swallowed, no token", () => {
  it("gets the value when the browser of this computer shows the page", async () => {
    const world = makeWorld({ config: { approval: { browser: "always" } } });
    const bin = join(world.project, "bin");
    const opened = join(world.project, "opened");
    mkdirSync(bin);
    writeFileSync(join(bin, "xdg-open"), `#!/bin/sh\nprintf '%s' "$1" > ${opened}\n`);
    chmodSync(join(bin, "xdg-open"), 0o755);
    // Without one above its working folder it looks for the package.json of the umbrella package, which is not here.
    writeFileSync(join(dirname(world.project), "package.json"), "{}");
    const cli = join(
      dirname(createRequire(import.meta.url).resolve("@modelcontextprotocol/inspector-cli/package.json")),
      "build/cli.js",
    );
    const args = ["--cli", process.execPath, PROGRAM, "--method", "tools/call", "--tool-name", "get_secret"];
    const toolArgs = ["vault=dev", "name=DATABASE_URL", "reason=inspector"].flatMap((arg) => ["--tool-arg", arg]);
    const env = { ...world.env, PATH: `${bin}:${world.env["PATH"]}` };
    const running = promisify(execFile)(process.execPath, [cli, ...args, ...toolArgs], { cwd: world.project, env });
    const link = await vi.waitFor(
      () => {
        if (!existsSync(opened)) throw new Error("no browser yet");
        return readFileSync(opened, "utf8");
      },
      { timeout: 15_000 },
    );
    await approve(link);
    const { stdout } = await running;
    expect(JSON.parse(stdout)).toMatchObject({ content: [{ type: "text", text: VALUE }] });
  });
});

describe("a dialog", () => {
  const forever = (): Promise<never> => new Promise(() => {});

  it("that was answered is not put up again, not even when the answer carries what nobody asked for", async () => {
    let shown = 0;
    const { agent } = await begin(
      { config: { approval: { waitSeconds: 1 } } },
      {
        capabilities: { elicitation: { form: {} } },
        elicit: () => {
          shown += 1;
          return Promise.resolve({ action: "accept", content: { approve: true } });
        },
      },
    );
    for (let call = 0; call < 3; call++) expect(statusOf(await agent.get("DATABASE_URL"))).toBe("pending");
    expect(shown).toBe(1);
  });

  it("is declared done when a person has decided, not when a call goes away pending", async () => {
    const completed: string[] = [];
    const { agent } = await begin(
      { config: { approval: { waitSeconds: 1 } } },
      { capabilities: { elicitation: { url: {} } }, elicit: () => Promise.resolve({ action: "accept" }) },
    );
    agent.client.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ params }) => {
      completed.push(params.elicitationId);
    });
    expect(statusOf(await agent.get("DATABASE_URL"))).toBe("pending");
    expect(completed).toEqual([]);
    const link = await agent.link();
    const waiting = agent.get("DATABASE_URL");
    await approve(link);
    expect(textOf(await waiting)).toBe(VALUE);
  });

  it("of a call that is over comes back for another call that still waits", async () => {
    let shown = 0;
    const { agent } = await begin(
      {},
      {
        name: "claude-code",
        capabilities: { elicitation: { url: {} } },
        elicit: () => {
          shown += 1;
          return forever();
        },
      },
    );
    const controller = new AbortController();
    const first = agent.get("DATABASE_URL", { signal: controller.signal, onprogress: () => {} });
    const second = agent.get("DATABASE_URL", { onprogress: () => {} });
    await vi.waitFor(() => expect(shown).toBe(1));
    controller.abort("Request timed out");
    await expect(first).rejects.toThrow();
    await vi.waitFor(() => expect(shown).toBe(2), { timeout: 15_000 });
    await approve(await agent.link());
    expect(textOf(await second)).toBe(VALUE);
  });
});
