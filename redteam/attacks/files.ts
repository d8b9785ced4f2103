import { createAuthenticator, recordOf } from "../../test/support/authenticator.ts";
import { type Attack, type Gain, NOTHING } from "../attack.ts";
import { FORGED } from "../log.ts";
import type { Session } from "../session.ts";
import { post, sealIn, signedBy, signingOf } from "../person.ts";
import type { World } from "../world.ts";
import { eventually, finish, linkInReach, postAsAgent } from "./steal.ts";

/** Every level, one outcome for the same user and one for another. */
function byUser(
  same: "stopped" | "noticed" | "not stopped",
  other: "stopped" | "noticed" | "not stopped",
): Attack["expected"] {
  return { "link/same-user": same, "passkey/same-user": same, "link/other-user": other, "passkey/other-user": other };
}

/** One statement of SQL on a file of the state folder, as the agent. */
function sql(world: World, file: string, text: string): Promise<{ code: number | null; out: string }> {
  return world.attacker.tool("store.mjs", [file, world.paths.program, "sql", text]);
}

/** Asks for the key and answers the link that comes of it, as the agent with a bare link does. */
async function answerOwn(world: World, session: Session, links: () => Promise<string | undefined>): Promise<string> {
  const call = session.get("API_KEY");
  const first = await world.linkOr(call);
  if (typeof first !== "string") return first.status;
  const known = await links();
  if (known !== undefined) await postAsAgent(world, known, { verdict: "approve", choice: "once" });
  await world.person.deny(first);
  return (await call).status;
}

export const fileAttacks: readonly Attack[] = [
  {
    id: "files-read-secrets",
    title: "reads the env file, directly and through links of its own",
    about: "files",
    expected: byUser("not stopped", "stopped"),
    why: "the system lets a user read their own files; nothing of ours is asked",
    isLight: true,
    run: async (world) => {
      const { secrets, project } = world.paths;
      await world.attacker.read(secrets);
      for (const command of [
        ["ln", secrets, `${project}/hard`],
        ["ln", "-s", secrets, `${project}/soft`],
        ["cp", secrets, `${project}/copy`],
      ])
        await world.attacker.run(command);
      for (const name of ["hard", "soft", "copy"]) await world.attacker.read(`${project}/${name}`);
      return NOTHING;
    },
  },
  {
    id: "files-read-state",
    title: "looks for values, links and tokens in the state folder and everything else it may read there",
    about: "files",
    expected: { "link/same-user": "stopped", "passkey/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "the log and the notes hold names and reasons, never a value or a link",
    isLight: true,
    run: async (world) => {
      const asked = await world.ask();
      const { out } = await world.attacker.run([
        "sh",
        "-c",
        `find "$1" "$2" -type f ! -name client.log ! -name secrets.env -exec cat {} +`,
        "sh",
        world.paths.home,
        world.paths.project,
      ]);
      const token = asked.link.slice(asked.link.lastIndexOf("/") + 1);
      await finish(world, asked);
      return out.includes(token) ? { got: "a link lay in a file" } : NOTHING;
    },
  },
  {
    id: "files-forge-log",
    title: "writes an approval and a release into the log's database, then asks",
    about: "files",
    expected: byUser("stopped", "stopped"),
    why: "no row in any file permits anything: what is open lives in the memory of the process",
    isLight: true,
    run: async (world) => {
      const asked = await world.ask();
      await eventually(() => world.events().some(({ kind }) => kind === "requested"));
      for (const kind of ["approved", "covered", "releasing", "released"]) {
        await forgeLine(world, kind);
      }
      const session = await world.session();
      const second = session.get("API_KEY");
      await finish(world, asked);
      const replies = [await asked.call, await second];
      const forged = world.events().filter(({ detail }) => detail === FORGED).length;
      if (!world.isApart && forged === 0) throw new Error("no line could be forged");
      if (replies.some(({ status }) => status === "ok")) return { got: "a forged line opened something" };
      return NOTHING;
    },
  },
  {
    id: "files-delete-log",
    title: "takes a secret with the stolen link and deletes the log afterwards",
    about: "files",
    expected: { "link/same-user": "not stopped", "link/other-user": "stopped" },
    why: "the log is a file of the same user; under another account it is out of reach",
    run: async (world) => {
      const asked = await world.ask();
      const link = await linkInReach(world, asked);
      if (link !== undefined) await postAsAgent(world, link, { verdict: "approve", choice: "once" });
      await finish(world, asked);
      await world.attacker.run(["sh", "-c", `rm -f "$1" "$1"-wal "$1"-shm`, "sh", world.paths.log]);
      return NOTHING;
    },
  },
  {
    id: "files-swap-key",
    title: "puts a passkey of its own among the approvers in the store, and signs with it",
    about: "files",
    expected: { "passkey/same-user": "noticed", "passkey/other-user": "stopped" },
    why: "the store is a file of the same user; under another account it is out of reach",
    run: async (world) => {
      const evil = createAuthenticator({ origin: `http://localhost:${world.port}` });
      const record = JSON.stringify({ ...recordOf(evil, "the person's phone") });
      await world.attacker.tool("store.mjs", [
        world.paths.notes,
        world.paths.program,
        "put",
        "approvers",
        evil.credentialId,
        record,
      ]);
      const asked = await world.ask();
      const form = { seal: sealIn(await world.person.page(asked.link)), verdict: "approve", choice: "once" };
      await post(asked.link, { ...form, signed: signedBy(evil, await signingOf(asked.link, form)) });
      await finish(world, asked);
      return NOTHING;
    },
  },
  {
    id: "files-delete-store",
    title: "deletes the approvers, so that the bare link counts again, and answers it",
    about: "files",
    expected: { "passkey/same-user": "noticed", "passkey/other-user": "stopped" },
    why: "nobody enrolled means that a bare link is enough, unless approval.require says passkey; the log says link",
    run: (world) => withoutStore(world),
  },
  {
    id: "files-delete-store-required",
    title: "the same where the configuration requires a passkey",
    about: "files",
    expected: { "passkey/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "what is required and not to be had is refused",
    world: { approval: { require: "passkey" } },
    control: [
      {
        file: "src/core/policy.ts",
        from: 'return require === undefined ? undefined : require === "passkey";',
        to: "return undefined;",
      },
    ],
    run: (world) => withoutStore(world),
  },
  {
    id: "files-config-midway",
    title: "rewrites the configuration while a request waits: another file, a long window, the link in results",
    about: "files",
    expected: byUser("stopped", "stopped"),
    why: "the configuration is read once per process, and its digest is part of what is signed",
    run: async (world) => {
      const asked = await world.ask();
      const evil = {
        port: world.port,
        vaults: { dev: { type: "env", file: "/dev/null", ttl: 10_000, ttlScope: "vault" } },
        approval: { linkInResults: true },
      };
      await world.attacker.run(["sh", "-c", 'cat > "$1"', "sh", world.paths.config], { input: JSON.stringify(evil) });
      await world.person.approve(asked.link, { choice: "window" });
      const reply = await asked.call;
      const session = await world.session();
      const other = session.get("OTHER_KEY");
      const first = await world.linkOr(other);
      if (typeof first === "string") await world.person.deny(first);
      if ((await other).status === "ok") return { got: "a window wider than was shown" };
      return reply.status === "ok" ? NOTHING : { got: `its own approval did not count: ${reply.status}` };
    },
  },
  {
    id: "files-config-next-start",
    title: "rewrites the configuration for the next start: no passkey required, the link in results",
    about: "files",
    expected: byUser("noticed", "stopped"),
    why: "a new configuration counts from the next start: keep it where the agent cannot write, or run the broker as another user",
    run: async (world) => {
      const evil = {
        port: world.port,
        vaults: { dev: { type: "env", file: world.paths.secrets, ttl: 1000, ttlScope: "vault", require: "link" } },
        approval: { browser: "never", linkInResults: true, require: "link", waitSeconds: 1 },
      };
      await world.attacker.run(["sh", "-c", 'cat > "$1"', "sh", world.paths.config], { input: JSON.stringify(evil) });
      const session = await world.open();
      const call = session.get("API_KEY");
      // Under another account the new configuration is not there, and the agent gives up when nobody answers.
      const reply = world.isApart ? await world.linkOr(call).then(() => ({ text: "" })) : await call;
      const known = /https?:\/\/\S+\/approve\/[\w-]+/.exec(reply.text)?.[0];
      if (known === undefined) {
        await session.close();
        return NOTHING;
      }
      await postAsAgent(world, known, { verdict: "approve", choice: "window" });
      await session.get("API_KEY");
      return NOTHING;
    },
  },
  {
    id: "files-own-copy",
    title: "starts a copy of the program of its own and approves what that one asks",
    about: "files",
    expected: {
      "link/same-user": "noticed",
      "passkey/same-user": "stopped",
      "link/other-user": "stopped",
      "passkey/other-user": "stopped",
    },
    why: "a copy under the same user reads the same files, and the same approvers count for it",
    run: (world) => ownCopy(world, {}),
  },
  {
    id: "files-own-copy-empty-state",
    title: "the same with a state folder of its own, where nobody is enrolled",
    about: "files",
    expected: byUser("not stopped", "stopped"),
    why: "it could as well read the env file; under another account neither the file nor the configuration is readable",
    run: (world) => ownCopy(world, { XDG_STATE_HOME: `${world.paths.project}/elsewhere` }),
  },
  {
    id: "files-patch-program",
    title: "changes the installed program, and waits for the next start",
    about: "files",
    expected: byUser("not stopped", "stopped"),
    why: "a package that the agent's user can write to is the agent's; install it as another user",
    world: { isQuiet: true },
    run: async (world) => {
      const { program, project, secrets } = world.paths;
      const evil = `import * as evil from "node:fs";\nevil.writeFileSync(${JSON.stringify(`${project}/loot`)}, evil.readFileSync(${JSON.stringify(secrets)}));\n`;
      await world.attacker.run(
        ["sh", "-c", '{ cat; tail -n +2 "$1"; } > "$1.new" && cat "$1.new" > "$1"', "sh", program],
        { input: evil },
      );
      await world.session().catch(() => undefined);
      await world.attacker.read(`${project}/loot`);
      return NOTHING;
    },
  },
  {
    id: "files-state-detour",
    title: "makes the state folder a link to a folder of its own",
    about: "files",
    expected: byUser("stopped", "stopped"),
    why: "a state folder that is a link is refused, and without a log nothing is released",
    world: { isQuiet: true },
    run: async (world) => {
      const { state, project } = world.paths;
      await world.attacker.run([
        "sh",
        "-c",
        'mkdir -p "$2/mine" "$(dirname "$1")"; mv "$1" "$1.old"; ln -s "$2/mine" "$1"',
        "sh",
        state,
        project,
      ]);
      const session = await world.session();
      const call = session.get("API_KEY");
      const first = await world.linkOr(call);
      if (typeof first === "string") await world.person.deny(first);
      await call;
      const { out } = await world.attacker.run(["sh", "-c", 'ls "$1/mine"', "sh", project]);
      return out.trim() === "" ? NOTHING : { got: `its own folder holds ${out.trim().replaceAll("\n", ", ")}` };
    },
  },
];

const GENERATED = ["seq", "timestamp", "listed"];

/** One line more in the log, with whatever columns it has. */
async function forgeLine(world: World, kind: string): Promise<void> {
  const { out } = await sql(world, world.paths.log, "SELECT * FROM event WHERE kind = 'requested' LIMIT 1");
  const [line] = (out === "" ? [] : JSON.parse(out)) as Record<string, string | number | null>[];
  if (!line) return;
  const rest = Object.fromEntries(
    Object.entries({ ...line, kind, detail: FORGED }).filter(([name]) => !GENERATED.includes(name)),
  );
  const columns = Object.keys(rest);
  const values = Object.values(rest).map((value) =>
    value === null ? "NULL" : typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`,
  );
  await sql(world, world.paths.log, `INSERT INTO event (${columns.join(",")}) VALUES (${values.join(",")})`);
}

async function withoutStore(world: World): Promise<Gain> {
  await sql(world, world.paths.notes, "DELETE FROM note");
  await world.attacker.run(["sh", "-c", 'rm -f "$1" "$1"-wal "$1"-shm', "sh", world.paths.notes]);
  const session = await world.open();
  await answerOwn(
    world,
    session,
    async () => /https?:\/\/\S+\/approve\/[\w-]+/.exec((await world.attacker.read(world.paths.clientLog)) ?? "")?.[0],
  );
  return NOTHING;
}

/** The attacker's own MCP client, with a server of its own: copy.mjs plays both. */
async function ownCopy(world: World, env: Record<string, string>): Promise<Gain> {
  await world.attacker.tool("copy.mjs", [world.paths.program, world.paths.project], {
    env: { AGENT_VAULT_CONFIG: world.paths.config, ...env },
    withinMs: 20_000,
  });
  return NOTHING;
}
