import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CONFIG_FILE } from "../config/words.ts";
import type { ExitStatus } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import { table } from "./audit.ts";
import type { Context } from "./command.ts";

const SECRETS =
  "DATABASE_URL=postgres://demo:not-a-real-password@localhost:5432/shop\nAPI_KEY=demo-key-that-opens-nothing\n";
const CONFIG = {
  vaults: { demo: { type: "env", file: "secrets.env", ttl: 5 } },
  approval: { waitSeconds: 900 },
  tunnel: { type: "none" },
};
const ASK = { vault: "demo", name: "DATABASE_URL", reason: "run migration 0042_add_roles for the demo" };
const LINK = /https?:\/\/\S+\/approve\/\S+/;

/**
 * Shows the main job on a throw-away vault: the real server, an agent that asks, a person who decides, what the agent
 * got, and the log. Status 0 when approved, 3 when not.
 */
export async function demo(context: Context): Promise<ExitStatus> {
  const { out, services, version } = context;
  const folder = await mkdtemp(join(tmpdir(), "agent-vault-demo-"));
  const database = join(folder, "audit.db");
  const say = (...lines: string[]): void => out(`${lines.join("\n")}\n`);
  try {
    await writeFile(join(folder, "secrets.env"), SECRETS, { mode: 0o600 });
    await writeFile(join(folder, CONFIG_FILE), JSON.stringify({ ...CONFIG, audit: { database } }));
    say("A throw-away vault, the real server, and an agent that wants a secret from it.", "");
    say(`The agent calls get_secret: vault "${ASK.vault}", name "${ASK.name}",`, `reason "${ASK.reason}".`, "");
    const agent = await services.playAgent({
      program: services.program,
      folder,
      env: {},
      version,
      onLine: (line) => {
        const link = LINK.exec(line)?.[0];
        if (link !== undefined)
          say("Open this page, on this computer, and decide:", "", `  ${link}`, "", "Waiting for you ...", "");
      },
    });
    const first = await agent.call("get_secret", ASK);
    if (first.status === "ok") {
      say(`Approved. The agent received ${masked(first.text)}.`);
      const second = await agent.call("get_secret", { ...ASK, reason: "check that the migration worked" });
      say(
        second.status === "ok"
          ? "It asked once more: the window was open, nobody was bothered."
          : `It asked once more: ${second.status}.`,
      );
    } else
      say("The agent received no value, but these words:", "", ...first.text.split("\n").map((line) => `  ${line}`));
    await agent.close();
    say("", "What the audit log says of it:", "");
    const events = services.readEvents({ file: database, filters: { limit: 50 } }).toReversed();
    out(table(events));
    say("", "The vault and its log are gone now. For your own secrets: agent-vault init");
    return first.status === "ok" ? 0 : 3;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function masked(value: string): string {
  const { length, head, tail } = new Secret(value).preview();
  return head === undefined ? `a value of ${length} characters` : `${head}...${tail} (${length} characters)`;
}
