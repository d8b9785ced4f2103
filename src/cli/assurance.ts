import type { Config } from "../config/config.ts";
import { type Assurance, assuranceText } from "../core/assurance.ts";
import { asVaultError, VaultError } from "../core/errors.ts";
import { type IsolationFacts, type Level, levelOf } from "../core/isolation.ts";
import { decide, type Here } from "../core/policy.ts";
import { quoted, visible } from "../core/text.ts";
import type { Context } from "./command.ts";
import type { Roll } from "./enrolment.ts";
import { failed, finding, type Finding } from "./finding.ts";
import { factFindings } from "./isolation-facts.ts";

/** What doctor has to say of who could approve besides the person. */
export interface Standing {
  /** As configurations write it: "passkey/same-user". Absent where it cannot be known whose passkeys count. */
  readonly level?: string;
  readonly findings: readonly Finding[];
}

/** The honest level here: how a decision is proven, how far the agent is kept from this program, and what that leaves. */
export async function assurance(config: Config, { services, options }: Context): Promise<Standing> {
  const user = typeof options["for"] === "string" ? options["for"] : undefined;
  const [facts, roll] = await Promise.all([services.isolation(config, user), rollOf(config, services.roll)]);
  const { isolation, doubts } = levelOf(facts);
  if (roll instanceof VaultError) {
    const unknown = failed("approvers", roll);
    return { findings: [unknown, ...doubtFindings({ isolation, doubts }, facts), ...factFindings(facts)] };
  }
  const here = { hasApprover: roll.approvers.length > 0, isolation };
  const level: Assurance = { proof: here.hasApprover ? "passkey" : "link", isolation };
  return {
    level: assuranceText(level),
    findings: [
      finding("note", "level", `${assuranceText(level)}: ${worth(level, facts)}`),
      ...approverFindings(roll, here),
      ...vaultFindings(config, here),
      ...doubtFindings({ isolation, doubts }, facts),
      ...factFindings(facts),
      ...promises(config, here),
    ],
  };
}

async function rollOf(config: Config, read: Context["services"]["roll"]): Promise<Roll | VaultError> {
  try {
    return await read(config);
  } catch (error) {
    return asVaultError(error);
  }
}

/** What an approval of this level says, and against whom. */
function worth({ proof, isolation }: Assurance, { agent }: IsolationFacts): string {
  const proves =
    proof === "link"
      ? "an approval proves that somebody had the link, not who it was"
      : "an approval proves that an enrolled passkey signed what was shown";
  const against =
    isolation === "same-user"
      ? "; and a program with the rights of the agent's user can get around all of it"
      : `, and what ${visible(agent?.name ?? "the agent's user")} runs cannot get around that`;
  return `${proves}${against}`;
}

function approverFindings({ approvers, oddities, unknown }: Roll, { hasApprover }: Here): Finding[] {
  const names = approvers.map(({ name }) => visible(name)).join(", ");
  return [
    hasApprover
      ? finding("ok", "approvers", names)
      : finding(
          "note",
          "approvers",
          "nobody is enrolled, so the link alone approves",
          "enrol a phone: agent-vault pair",
        ),
    ...oddities.map((line) => finding("warning", "approvers", visible(line))),
    ...(unknown === undefined
      ? []
      : [finding("warning", "approvers", `not compared with the log: ${visible(unknown)}`)]),
  ];
}

/** Of each vault with demands of its own, whether they are met. */
function vaultFindings({ vaults }: Config, here: Here): Finding[] {
  return vaults.flatMap(({ name, type, rules, can }) => {
    const about = `vault ${visible(name)}`;
    const { minAssurance, require } = rules;
    const ruling = decide({ name, provider: type, rules, canWrite: can.includes("write") }, "read", here);
    // Whether it can be reached is said elsewhere; this is about what it asks of an approval.
    if (ruling.kind === "deny") {
      const failure = failed(about, ruling.error);
      return [{ ...failure, text: failure.text.replace(`vault ${quoted(name)} `, "") }];
    }
    const isSigned = ruling.offer.proof === "passkey";
    const met = minAssurance && finding("ok", about, `needs ${quoted(assuranceText(minAssurance))}, which holds here`);
    const weak =
      here.hasApprover && !isSigned
        ? finding(
            "warning",
            about,
            'is approved with the link alone, although somebody is enrolled: "require" is "link"',
            `remove it from ${require === undefined ? "approval" : `vaults.${visible(name)} or approval`}`,
          )
        : undefined;
    return [met, weak].filter((one) => one !== undefined);
  });
}

/** Why it is the weaker level: for one that was meant to be the stronger, each reason deserves a look. */
function doubtFindings({ doubts }: Level, { startedByClient }: IsolationFacts): Finding[] {
  return doubts.map(({ text, hint }) =>
    finding(startedByClient ? "note" : "warning", "same user", visible(text), visible(hint)),
  );
}

/** What holds at this level and what does not. */
function promises(config: Config, here: Here): Finding[] {
  const linkApproves = config.vaults.some(({ name, type, rules, can }) => {
    const ruling = decide({ name, provider: type, rules, canWrite: can.includes("write") }, "read", here);
    return ruling.kind === "ask" && ruling.offer.proof === undefined;
  });
  const does = (text: string): Finding => finding("note", "it does", text);
  const doesNot = (text: string): Finding => finding("note", "it does not", text);
  const isSameUser = here.isolation === "same-user";
  const isOutside = config.tunnel.use.ready && config.tunnel.type !== "none";
  return [
    does(
      "hand out no value before somebody approved it and the log has it; end every window on time; keep values out of the log",
    ),
    ...(!linkApproves
      ? []
      : config.approval.linkInResults
        ? [finding("warning", "it does not", "keep the link from the agent: approval.linkInResults is on")]
        : [does("keep the link from the agent: no tool result holds it")]),
    ...(isSameUser
      ? [
          doesNot(
            linkApproves
              ? "stop a program that runs as you, an agent with a shell included: it could find the link and approve, or read a secrets file or the token of a vault, without asking"
              : "stop a program that runs as you, an agent with a shell included: it cannot sign for you, but it could read a secrets file or the token of a vault, or enrol a passkey of its own, without asking",
          ),
        ]
      : []),
    ...(isOutside && linkApproves
      ? [doesNot("stop anybody else who has the link while a request waits: the page can be reached from outside")]
      : []),
    ...(config.source.is === "file" && isSameUser
      ? [doesNot("guard the configuration: who can change the file sets the rules from the next start on")]
      : []),
    doesNot("follow a value once it is handed out"),
  ];
}
