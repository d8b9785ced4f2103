import type { Config } from "../config/config.ts";
import { VaultError, type ExitStatus } from "../core/errors.ts";
import type { Approver } from "../core/proof.ts";
import { glimpse, quoted } from "../core/text.ts";
import type { Context } from "./command.ts";
import type { Roll } from "./enrolment.ts";
import { qrOf } from "./qr.ts";

/** Shows who may approve, on `out`, or removes one of them. Status 0 when done, 3 when a removal came to nothing. */
export async function approvers(context: Context): Promise<ExitStatus> {
  const { services, options, out, err } = context;
  const loaded = await context.load();
  if (!loaded.ok) throw loaded.error;
  const roll = await services.roll(loaded.config);
  const { remove } = options;
  if (typeof remove === "string") return removed(context, loaded.config, { roll, leaving: find(roll, remove) });
  out(options["json"] === true ? asJson(roll) : asText(roll));
  if (options["json"] !== true) for (const text of roll.oddities) err(`look: ${text}\n`);
  if (roll.unknown !== undefined)
    err(`who was enrolled and when could not be compared with the log: ${roll.unknown}\n`);
  return 0;
}

function find({ approvers }: Roll, wanted: string): Approver {
  const found = approvers.find(({ id, name }) => name === wanted || id === wanted);
  if (found) return found;
  if (approvers.length === 0) {
    throw new VaultError("usage", "nobody is enrolled, so there is nothing to remove", {
      hint: "agent-vault pair enrols a phone",
    });
  }
  const names = approvers.map(({ name }) => quoted(name)).join(", ");
  throw new VaultError("usage", `nobody is enrolled as ${quoted(wanted)}`, { hint: `there is ${names}` });
}

async function removed(
  { services, err }: Context,
  config: Config,
  { roll, leaving: { id, name } }: { readonly roll: Roll; readonly leaving: Approver },
): Promise<ExitStatus> {
  const removal = await (await services.enrolment()).remove(config, id, lastWords(config));
  try {
    const link = removal.link.public ?? removal.link.local;
    const staying = roll.approvers.filter((each) => each.id !== id);
    const signers = staying.length === 0 ? [name] : staying.map((each) => each.name);
    err(`Removing ${quoted(name)}.\n`);
    if (staying.length === 0) err(`${lastWords(config)}\n`);
    err(`${signers.map(quoted).join(" or ")} has to sign. Open this there, within 5 minutes:\n\n`);
    if (removal.link.public !== undefined && process.stderr.isTTY) err(`${await qrOf(link)}\n`);
    err(`  ${link}\n\n`);
    const stage = await removal.after("confirm");
    const hint = "run the same command once more";
    if (stage === "over")
      throw new VaultError("expired", `${quoted(name)} was not removed: nobody signed for it`, { hint });
    if (stage !== "done")
      throw new VaultError("not_proven", `${quoted(name)} was not removed: ${removal.view().text}`, { hint });
    const by = removal.signer();
    err(`${quoted(name)} is removed${by ? `, signed by ${quoted(by.name)}` : ""}; what its passkey opened ends.\n`);
    if ((await services.roll(config)).approvers.length === 0) err(`From now on ${meaningOfTheLast(config)}.\n`);
    return 0;
  } finally {
    await removal.close();
  }
}

const WITHOUT_ANY = "whoever has the link can approve";

function lastWords(config: Config): string {
  return `It is the last one: afterwards ${meaningOfTheLast(config)}.`;
}

/** What holds here once nobody is enrolled any more: part of a sentence. */
function meaningOfTheLast({ vaults }: Config): string {
  const strict = vaults.filter(({ rules: { require, minAssurance } }) => {
    return require === "passkey" || (minAssurance !== undefined && minAssurance.proof !== "link");
  });
  const names = strict.map(({ name }) => quoted(name)).join(", ");
  const others = strict.length < vaults.length ? WITHOUT_ANY : "";
  const refused = names === "" ? "" : `nothing of ${names} can be approved until somebody is paired`;
  const both = [others, refused].filter((part) => part !== "").join(", and ");
  return both === "" ? WITHOUT_ANY : both;
}

function asJson({ approvers, oddities, unknown }: Roll): string {
  const listed = approvers.map(({ id, name, origin, addedAt, transports, backedUp }) => ({
    id,
    name,
    origin,
    addedAt: new Date(addedAt).toISOString(),
    transports,
    backedUp,
  }));
  return `${JSON.stringify({ approvers: listed, oddities, ...(unknown !== undefined && { unknown }) }, null, 2)}\n`;
}

function asText({ approvers }: Roll): string {
  if (approvers.length === 0) {
    return "Nobody is enrolled: whoever has the link of a request can approve it. To enrol a phone: agent-vault pair\n";
  }
  const rows = approvers.map(({ name, origin, addedAt, backedUp }) => [
    glimpse(name, 60),
    new Date(addedAt).toISOString().slice(0, 10),
    origin,
    backedUp ? "synchronised with its owner's other devices" : "this one device",
  ]);
  const all = [["NAME", "SINCE", "SIGNS ON", "PASSKEY"], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => [...(row[column] ?? "")].length))) ?? [];
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell + " ".repeat((widths[i] ?? 0) - [...cell].length))
      .join("  ")
      .trimEnd();
  return `${all.map(line).join("\n")}\n`;
}
