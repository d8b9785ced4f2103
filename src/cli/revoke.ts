import { VaultError, type ExitStatus } from "../core/errors.ts";
import type { WindowLine } from "../core/overview.ts";
import { quoted } from "../core/text.ts";
import type { Context, Visit } from "./command.ts";
import { clientOf, NOBODY, subjectOf, visiting } from "./visit.ts";

/**
 * Ends what one approval opened, or everything that is open in any session of this user, and says what ended on `out`.
 * Asks for no proof: whoever can run it may take back, and give nothing.
 */
export async function revoke(context: Context): Promise<ExitStatus> {
  const [id] = context.words;
  const all = context.options["all"] === true;
  if (all === (id !== undefined)) throw unclear(all);
  const ended = await visiting(context, (visit) =>
    id === undefined ? endAll(context, visit) : endOne(context, visit, id),
  );
  if (ended !== undefined) return ended;
  if (id === undefined) {
    context.out(`${NOBODY}\n`);
    return 0;
  }
  context.err(`${NOBODY}\n`);
  return 1;
}

async function endOne({ out, err }: Context, visit: Visit, id: string): Promise<ExitStatus> {
  const { waiting, windows } = await visit.overview();
  const line = windows.find(({ approval }) => approval === id);
  if (await visit.endApproval(id)) {
    out(line ? endedText(line) : `ended: ${quoted(id)}\n`);
    return 0;
  }
  const waits = waiting.some(({ request }) => request === id);
  err(
    waits
      ? `${quoted(id)} waits for a person: nothing is open yet, and its page is where to deny it\n`
      : `nothing is open under ${quoted(id)}: agent-vault status lists what is\n`,
  );
  return 1;
}

async function endAll({ out, err }: Context, visit: Visit): Promise<ExitStatus> {
  const { windows } = await visit.overview();
  if (windows.length === 0) {
    out("nothing is open\n");
    return 0;
  }
  for (const line of windows) if (await visit.endApproval(line.approval)) out(endedText(line));
  // What a person approved in this very moment, or a session that did not answer.
  const left = (await visit.overview()).windows;
  for (const line of left) err(`still open: ${subjectOf(line)}, for ${clientOf(line)}\n`);
  return left.length === 0 ? 0 : 1;
}

function endedText(line: WindowLine): string {
  return `ended: ${subjectOf(line)}, for ${clientOf(line)}\n`;
}

function unclear(all: boolean): VaultError {
  const message = all ? "agent-vault revoke takes an ID or --all, not both" : "agent-vault revoke needs an ID or --all";
  return new VaultError("usage", message, { hint: "agent-vault status lists what is open, with its IDs" });
}
