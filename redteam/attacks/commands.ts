import { existsSync, readFileSync } from "node:fs";
import { createAuthenticator } from "../../test/support/authenticator.ts";
import { type Attack, type Gain, NOTHING } from "../attack.ts";
import type { Started } from "../attacker.ts";
import { sealIn } from "../person.ts";
import type { World } from "../world.ts";
import { eventually, finish, postAsAgent } from "./steal.ts";

const PAIR_LINK = /https?:\/\/[^\s"\\]+\/pair\/[\w-]+/;
const APPROVE_LINK = /https?:\/\/[^\s"\\]+\/approve\/[\w-]+/;
const WITHIN = { withinMs: 15_000 };

/** A command as an agent's shell tool runs it: in pipes, without a terminal. */
function inPipes(world: World, ...words: string[]): Started {
  return world.attacker.start([process.execPath, world.paths.program, ...words], WITHIN);
}

/** A command at a terminal that the agent made for it. */
function atOwnTerminal(world: World, ...words: string[]): Started {
  const { tools, program } = world.paths;
  return world.attacker.start(
    ["/usr/bin/python3", `${tools}/at-terminal.py`, process.execPath, program, ...words],
    WITHIN,
  );
}

const said = (started: Started): string => started.said().out + started.said().err;

/** Plays the phone at a pairing page with a passkey of the agent's own; the code that the page then shows. */
async function enrolAt(link: string): Promise<string | undefined> {
  const { origin } = new URL(link);
  const headers: Record<string, string> = { origin, "sec-fetch-site": "same-origin" };
  const send = (path: string, form: Record<string, string>): Promise<Response> =>
    fetch(link + path, { method: "POST", redirect: "manual", headers, body: new URLSearchParams(form) });
  const seal = sealIn(await (await fetch(link)).text());
  const begun = await send("/begin", { seal });
  const { options } = (await begun.json()) as { options?: { challenge: string; rp?: { id?: string } } };
  if (!options) return undefined;
  headers["cookie"] = begun.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
  await send("", { seal, signed: JSON.stringify({ response: createAuthenticator({ origin }).register(options) }) });
  const page = await (await fetch(link, { headers: { cookie: headers["cookie"] } })).text();
  return /class="code" aria-label="([\d ]+)"/.exec(page)?.[1]?.replaceAll(" ", "");
}

function wasEnrolled(world: World): Gain {
  return world.events().some(({ kind }) => kind === "approver_added")
    ? { got: "a passkey of its own is enrolled" }
    : NOTHING;
}

export const commandAttacks: readonly Attack[] = [
  {
    id: "get-in-pipes",
    title: "runs agent-vault get from its shell tool and looks for the link in what it prints",
    about: "commands",
    expected: { "link/same-user": "stopped", "passkey/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "a link that could approve is never printed to pipes; one that cannot may be",
    isLight: true,
    run: async (world) => {
      const get = inPipes(world, "get", "dev", "API_KEY", "--reason", "run migration 0042");
      const link = (): string | undefined => APPROVE_LINK.exec(said(get))?.[0];
      await Promise.race([eventually(() => link() !== undefined), get.ended]);
      const known = link();
      if (known !== undefined) await postAsAgent(world, known, { verdict: "approve", choice: "once" });
      if (known !== undefined) await world.person.deny(known);
      get.finish();
      await get.ended;
      return NOTHING;
    },
  },
  {
    id: "get-at-own-terminal",
    title: "runs it at a terminal of its own making, where the link is shown, and answers it",
    about: "commands",
    expected: { "link/same-user": "noticed", "passkey/same-user": "stopped", "link/other-user": "stopped" },
    why: "a program can make a terminal; only a passkey tells it from a person",
    needs: python,
    run: async (world) => {
      const get = atOwnTerminal(world, "get", "dev", "API_KEY", "--reason", "run migration 0042");
      const link = (): string | undefined => APPROVE_LINK.exec(said(get))?.[0];
      await Promise.race([eventually(() => link() !== undefined), get.ended]);
      const known = link();
      if (known !== undefined) {
        await postAsAgent(world, known, { verdict: "approve", choice: "once" });
        await world.person.deny(known);
      }
      await get.ended;
      return NOTHING;
    },
  },
  {
    id: "pair-in-pipes",
    title: "runs agent-vault pair from its shell tool, to enrol a passkey of its own",
    about: "commands",
    expected: { "link/same-user": "stopped", "passkey/same-user": "stopped" },
    why: "pairing needs a terminal",
    isLight: true,
    run: async (world) => {
      const pair = inPipes(world, "pair", "--name", "a phone");
      await Promise.race([eventually(() => PAIR_LINK.test(said(pair))), pair.ended]);
      const link = PAIR_LINK.exec(said(pair))?.[0];
      const code = link === undefined ? undefined : await enrolAt(link);
      if (code !== undefined) pair.write(`${code}\n`);
      pair.finish();
      pair.kill();
      await pair.ended;
      return wasEnrolled(world);
    },
  },
  {
    id: "pair-at-own-terminal",
    title: "runs it at a terminal of its own making, with a passkey in software",
    about: "commands",
    expected: { "link/same-user": "noticed", "passkey/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "the first pairing trusts who sits at the terminal; each further one needs the signature of somebody enrolled",
    needs: python,
    run: async (world) => {
      await world.session();
      const pair = atOwnTerminal(world, "pair", "--name", "a phone");
      await Promise.race([eventually(() => PAIR_LINK.test(said(pair))), pair.ended]);
      const link = PAIR_LINK.exec(said(pair))?.[0];
      if (link === undefined && !world.isApart) throw new Error(`no page was opened: ${said(pair)}`);
      const code = link === undefined ? undefined : await enrolAt(link);
      pair.write(`${code ?? "000 000"}\n`);
      await eventually(() => /" is enrolled\./.test(said(pair)));
      pair.kill();
      await pair.ended;
      // What it does to its own copy under another account is nobody's loss.
      return world.isApart ? NOTHING : wasEnrolled(world);
    },
  },
  {
    id: "pair-type-ahead",
    title: "types the code into the terminal where the person pairs (TIOCSTI), after enrolling at their link",
    about: "commands",
    expected: { "link/same-user": "noticed", "passkey/same-user": "stopped" },
    why: "a program that shares the terminal can type into it where the kernel still lets it; the announcement names who was enrolled",
    needs: () => python() ?? typing(),
    run: async (world) => {
      const { tools, program, project } = world.paths;
      // The agent was started from that terminal and left a program behind.
      const script = `/usr/bin/python3 "$1/type-ahead.py" "$2/typed" & exec "$3" "$4" pair --name "another phone"`;
      const pair = world.attacker.start(
        [
          "/usr/bin/python3",
          `${tools}/at-terminal.py`,
          "sh",
          "-c",
          script,
          "sh",
          tools,
          project,
          process.execPath,
          program,
        ],
        WITHIN,
      );
      await Promise.race([eventually(() => PAIR_LINK.test(said(pair))), pair.ended]);
      const link = PAIR_LINK.exec(said(pair))?.[0];
      if (link === undefined) throw new Error(`no page was opened: ${said(pair)}`);
      const code = await enrolAt(link);
      await world.attacker.run(["sh", "-c", 'cat > "$1/typed.new" && mv "$1/typed.new" "$1/typed"', "sh", project], {
        input: `${code ?? "000 000"}\n`,
      });
      await eventually(() => /" is enrolled\./.test(said(pair)));
      pair.kill();
      await pair.ended;
      return wasEnrolled(world);
    },
  },
  {
    id: "approvers-remove",
    title: "runs agent-vault approvers --remove to get rid of the person's passkey",
    about: "commands",
    expected: { "passkey/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "a removal is signed by somebody who is enrolled",
    run: async (world) => {
      const removal = inPipes(world, "approvers", "--remove", "the person's phone");
      await Promise.race([eventually(() => PAIR_LINK.test(said(removal))), removal.ended]);
      const link = PAIR_LINK.exec(said(removal))?.[0];
      if (link !== undefined) {
        const headers = { origin: new URL(link).origin, "sec-fetch-site": "same-origin" };
        const seal = sealIn(await (await fetch(link)).text());
        const evil = createAuthenticator({ origin: headers.origin });
        const begun = await fetch(`${link}/begin`, { method: "POST", headers, body: new URLSearchParams({ seal }) });
        const { options } = (await begun.json()) as { options?: { challenge: string } };
        const cookie = begun.headers
          .getSetCookie()
          .map((line) => line.split(";")[0])
          .join("; ");
        const response = { ...evil.sign(options ?? { challenge: "x" }), id: world.person.phone?.credentialId };
        await fetch(link, {
          method: "POST",
          redirect: "manual",
          headers: { ...headers, cookie },
          body: new URLSearchParams({ seal, signed: JSON.stringify({ response }) }),
        });
      } else if (!world.isApart) throw new Error(`no page was opened: ${said(removal)}`);
      removal.kill();
      await removal.ended;
      const asked = await world.ask();
      await postAsAgent(world, asked.link, { verdict: "approve", choice: "once" });
      await finish(world, asked);
      return world.events().some(({ kind }) => kind === "approver_removed") ? { got: "the passkey is gone" } : NOTHING;
    },
  },
  {
    id: "commands-tell-links",
    title: "runs status, approvers, doctor, audit and revoke and looks for links and values in what they print",
    about: "commands",
    expected: { "link/same-user": "stopped", "passkey/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "no command prints a link that could approve, and none a value",
    run: async (world) => {
      const asked = await world.ask();
      const runs = await Promise.all(
        [
          ["status"],
          ["status", "--json"],
          ["approvers"],
          ["approvers", "--json"],
          ["doctor"],
          ["doctor", "--json"],
          ["audit"],
          ["audit", "--json"],
        ].map((words) => inPipes(world, ...words).ended),
      );
      await inPipes(world, "revoke", "--all").ended;
      const token = asked.link.slice(asked.link.lastIndexOf("/") + 1);
      await finish(world, asked);
      if (!world.isApart && !runs.some(({ out }) => out.includes("API_KEY")))
        throw new Error("no command told anything");
      return runs.some(({ out, err }) => (out + err).includes(token)) ? { got: "a command printed the link" } : NOTHING;
    },
  },
];

function python(): string | undefined {
  return process.platform === "linux" ? undefined : "it needs Linux and /usr/bin/python3";
}

/** Newer kernels let nobody type into a terminal from within. */
function typing(): string | undefined {
  const setting = "/proc/sys/dev/tty/legacy_tiocsti";
  if (!existsSync(setting) || readFileSync(setting, "utf8").trim() === "1") return undefined;
  return "this kernel lets no program type into its terminal";
}
