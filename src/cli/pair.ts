import { userInfo } from "node:os";
import type { Config } from "../config/config.ts";
import { VaultError, type ExitStatus } from "../core/errors.ts";
import { quoted, visible } from "../core/text.ts";
import type { Context } from "./command.ts";
import type { PairingUnderway, Roll } from "./enrolment.ts";
import { qrOf } from "./qr.ts";
import type { Terminal } from "./terminal.ts";

const LONGEST_NAME = 60;
const MINUTES = 5;

/**
 * Enrols one more passkey, in five minutes: the page on the phone, the code it shows typed here. Status 0 when it may
 * approve from now on, 3 when nothing came of it.
 */
export async function pair(context: Context): Promise<ExitStatus> {
  const { services, options } = context;
  const loaded = await context.load();
  if (!loaded.ok) throw loaded.error;
  const { config } = loaded;
  const terminal = services.terminal();
  if (!terminal) {
    // Whoever reads and writes our pipes could be the agent, and the code typed here is what a person proves.
    throw new VaultError("usage", "pairing needs a terminal, where a person types the code", {
      hint: "run agent-vault pair in a terminal of your own, not from a script or an agent",
    });
  }
  try {
    const roll = await services.roll(config);
    const nameFor = naming(options["name"], roll);
    terminal.say("Opening the page ...\n");
    const pairing = await (await services.enrolment()).pair(config, nameFor);
    const { name } = pairing.view();
    try {
      await present(terminal, { name, roll, pairing });
      const stop = new AbortController();
      void services.asked(3).then(() => stop.abort());
      await confirmed(terminal, { pairing, roll, stop: stop.signal });
      terminal.say(nowTrue(config, name, pairing));
      return 0;
    } finally {
      await pairing.close();
    }
  } finally {
    terminal.close();
  }
}

/** What it is to be called: as typed, or after its owner and the device. */
function naming(typed: string | true | undefined, { approvers }: Roll): (device: string) => string {
  const taken = (name: string): boolean => approvers.some((approver) => approver.name === name);
  if (typeof typed === "string") {
    const name = typed.trim();
    if (name !== visible(name) || [...name].length > LONGEST_NAME || name === "") {
      throw new VaultError("usage", `--name is not 1 to ${LONGEST_NAME} characters that can be seen`, {
        hint: `write a short one, like --name "Maria's phone"`,
      });
    }
    if (!taken(name)) return () => name;
    throw new VaultError("usage", `${quoted(name)} is enrolled already`, { hint: "choose another name with --name" });
  }
  return (device) => {
    const first = visible(`${userInfo().username}'s ${device}`);
    for (let number = 1; ; number++) {
      const name = number === 1 ? first : `${first} ${number}`;
      if (!taken(name)) return name;
    }
  };
}

async function present(
  terminal: Terminal,
  { name, roll, pairing }: { name: string; roll: Roll; pairing: PairingUnderway },
): Promise<void> {
  const { link } = pairing;
  const open = link.public ?? link.local;
  const where = link.public === undefined ? "in a browser on this computer" : "on the phone";
  terminal.say(`\nPairing ${quoted(name)}. Open this page ${where}, within ${MINUTES} minutes:\n\n`);
  if (link.public !== undefined) terminal.say(`${await qrOf(open)}\n`);
  terminal.say(`  ${open}\n\n`);
  for (const line of remarks(roll, link)) terminal.say(`${line}\n`);
}

function remarks({ approvers, oddities }: Roll, { public: everywhere, trouble }: PairingUnderway["link"]): string[] {
  const user = visible(userInfo().username);
  return [
    ...(everywhere === undefined ? [...onlyHere(trouble), ""] : []),
    ...oddities.map((text) => `Look: ${text}.`),
    ...(approvers.length === 0
      ? [
          `Nobody is enrolled yet, so the code alone decides. A program that runs as ${user} here, an agent with a shell`,
          "included, could have enrolled a passkey of its own before you, and can still change what is kept of yours:",
          "agent-vault approvers and agent-vault doctor show it. Only agent-vault under another user keeps it from that.",
          "",
        ]
      : [
          approvers.length === 1
            ? `${namesOf(approvers)} has to sign.`
            : `Enrolled already: ${namesOf(approvers)}. One of them has to sign.`,
          "",
        ]),
  ];
}

function onlyHere(trouble: string | undefined): string[] {
  if (trouble === undefined) {
    return [
      "Only this computer can be paired this way.",
      'For a phone, give the page an address that it can reach: a tunnel, like "ngrokAuthToken": "env:NGROK_AUTHTOKEN".',
    ];
  }
  return [
    `The tunnel does not work, so only this computer can be paired: ${trouble.replace(/\.$/, "")}.`,
    "For a phone, mend it first: agent-vault doctor --online",
  ];
}

function namesOf(approvers: Roll["approvers"], between = ", "): string {
  return approvers.map(({ name }) => quoted(name)).join(between);
}

interface Confirming {
  readonly pairing: PairingUnderway;
  readonly roll: Roll;
  /** Aborts when the process is asked to end. */
  readonly stop: AbortSignal;
}

/** Waits at the terminal until it is done. Rejects with why it is not. */
async function confirmed(terminal: Terminal, { pairing, roll, stop }: Confirming): Promise<void> {
  const stopped = new Promise<never>((_, reject) => {
    const end = (): void => reject(new VaultError("cancelled", "not paired"));
    if (stop.aborted) end();
    else stop.addEventListener("abort", end, { once: true });
  });
  terminal.say("Waiting for the device ...\n");
  let stage = await Promise.race([pairing.after("ready"), stopped]);
  if (stage === "confirm") {
    terminal.say(
      `The passkey is made. Now ${namesOf(roll.approvers, " or ")} has to sign it: open the same link there.\n`,
    );
    stage = await Promise.race([pairing.after("confirm"), stopped]);
    const by = pairing.signer();
    if (by) terminal.say(`Signed by ${quoted(by.name)}.\n`);
  }
  while (stage === "compare") {
    const ended = new AbortController();
    const other = pairing.after("compare").then(() => ended.abort());
    const asking = terminal.ask("Type the code that the device shows: ", AbortSignal.any([ended.signal, stop]));
    const typed = await Promise.race([asking, other, stopped]);
    if (ended.signal.aborted) terminal.say("\n");
    else if (typeof typed !== "string") throw new VaultError("cancelled", "the terminal is gone: nobody was enrolled");
    else if (typed.trim() !== "" && !(await pairing.confirm(typed))) terminal.say("That is not the code it shows.\n");
    stage = pairing.view().stage;
  }
  if (stage === "done") return;
  const hint = "run agent-vault pair once more";
  if (stage === "over") throw new VaultError("expired", `nobody was enrolled within ${MINUTES} minutes`, { hint });
  throw new VaultError("not_proven", `nobody was enrolled: ${lowered(pairing.view().text)}`, { hint });
}

function nowTrue({ vaults }: Config, name: string, { link }: PairingUnderway): string {
  const byLink = vaults.filter(({ rules }) => rules.require === "link").map((vault) => quoted(vault.name));
  const where = new URL(link.public ?? link.local).origin;
  return [
    `${quoted(name)} is enrolled. From now on approving needs its passkey; the link alone approves nothing any more.`,
    ...(byLink.length === 0 ? [] : [`Except for ${byLink.join(", ")}: "require": "link" stands in the configuration.`]),
    `The passkey signs on ${where} only: keep that address.`,
    "Denying and revoking still need no signature. agent-vault approvers shows who is enrolled.",
    "",
  ].join("\n");
}

function lowered(text = "it was ended."): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`.replace(/\.$/, "");
}
