// Where the measured servers live: a project with an env file, a home and a log of its own, in a temporary folder.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { start } from "./client.mjs";
import { look } from "./person.mjs";

const BARE = fileURLToPath(new URL("bare-server.mjs", import.meta.url));

export const REASON = "to run the database migration that was asked for";

/** The value a secret has in every house. */
export function valueOf(name) {
  return `hunter2-7301-${name}`;
}

/** The arguments of a read. */
export function read(name) {
  return { vault: "dev", name, reason: REASON };
}

/** The street all houses of a run stand in. `program` is our built program, `node` what Node is told for it. */
export function openStreet(program, node = []) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "agent-vault-bench-")));
  const running = new Set();
  let count = 0;

  /** A house that nobody lives in yet. */
  function build({ names = ["API_KEY"], approval = {} } = {}) {
    const home = join(folder, String((count += 1)));
    const cwd = join(home, "work");
    const state = join(home, "state");
    mkdirSync(cwd, { recursive: true });
    mkdirSync(state, { mode: 0o700 });
    const secrets = join(home, "secrets.env");
    writeFileSync(secrets, names.map((name) => `${name}=${valueOf(name)}\n`).join(""), { mode: 0o600 });
    const config = {
      vaults: { dev: { type: "env", file: "../secrets.env", ttl: 60 } },
      approval: { browser: "never", ...approval },
    };
    writeFileSync(join(cwd, "agent-vault.config.json"), JSON.stringify(config));
    const env = { PATH: process.env.PATH, HOME: home, XDG_STATE_HOME: state };
    const moveIn = (file, options = []) => {
      const server = start({ file, cwd, env, node: options });
      running.add(server);
      void server.exited.then(() => running.delete(server));
      return server;
    };
    return {
      cwd,
      env,
      database: join(state, "agent-vault", "audit.db"),
      ours: () => moveIn(program, node),
      bare: () => moveIn(BARE),
    };
  }

  return {
    folder,
    program,
    build,
    /** Ends what still runs and removes the street. */
    close: async () => {
      const last = [...running];
      for (const server of last) server.kill();
      await Promise.all(last.map((server) => server.exited));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A running server of ours with an open window over one secret; the figure starts from here. */
export async function openWindow(server, name = "API_KEY") {
  const call = server.call("get_secret", read(name));
  const early = call.then((result) => {
    throw new Error(`nobody was asked; the call was answered: ${JSON.stringify(result)}`);
  });
  const page = await look(await Promise.race([server.link(), early]));
  await page.tapApprove();
  assertValue(await call, name);
}

/** Fails the run when a result is not the value: a fast wrong answer is no figure. */
export function assertValue(result, name = "API_KEY") {
  const text = result.content?.[0]?.text;
  if (result.isError || text !== valueOf(name)) throw new Error(`instead of the value of ${name} came: ${text}`);
}
