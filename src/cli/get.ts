import { type ExitStatus, VaultError } from "../core/errors.ts";
import type { Link, Wait } from "../core/ports.ts";
import { quoted, visibleProse } from "../core/text.ts";
import type { Question } from "./asking.ts";
import type { Context } from "./command.ts";
import { openControllingTerminal } from "./controlling-terminal.ts";

const LONGEST_REASON = 1_000;

/** Gets one secret for this once. Nothing but the value goes to standard output; status 0 when it was taken. */
export async function get(context: Context): Promise<ExitStatus> {
  const { services, err, isOnTerminal } = context;
  const question = questionOf(context);
  const loaded = await context.load();
  if (!loaded.ok) throw loaded.error;
  const asking = await services.asking(context.load(), context.cwd);
  const stop = new AbortController();
  let why: VaultError | undefined;
  const end = (error: VaultError): void => {
    why ??= error;
    stop.abort();
  };
  void services.asked(3).then(() => end(new VaultError("withdrawn", "the request was withdrawn")));
  const telling = tellerOf(context, question, end);
  try {
    const value = await asking.ask(question, { waiting: telling.waiting, signal: stop.signal });
    // To a program the value goes as it is; on a terminal the prompt should not stand behind it.
    if (await services.handOver(value.reveal() + (isOnTerminal ? "\n" : ""))) return 0;
    err("agent-vault: the value was approved, and could not be written to standard output\n");
    return 1;
  } catch (error) {
    throw why ?? error;
  } finally {
    telling.close();
    await asking.close("agent-vault get is done", stop.signal);
  }
}

function questionOf({ words, options }: Context): Question {
  const [vault = "", name = ""] = words;
  const { reason, field } = options;
  const said = typeof reason === "string" ? visibleProse(reason) : "";
  if (said === "" || said.length > LONGEST_REASON) {
    throw new VaultError("usage", `agent-vault get needs --reason, of at most ${LONGEST_REASON} characters`, {
      hint: 'write why it is needed, as in --reason "deploy 1.4 to staging"; the person reads it before deciding',
    });
  }
  return { vault, name, reason: said, ...(typeof field === "string" && { field }) };
}

/**
 * Tells people how things stand. A link that could approve by itself goes to the terminal that controls this process and
 * nowhere else (law 4); where that, the browser and the channels all fail, the question ends: nobody could answer it.
 */
function tellerOf(
  { err }: Context,
  { vault, name }: Question,
  end: (why: VaultError) => void,
): { readonly waiting: (wait: Wait) => void; readonly close: () => void } {
  const said = new Set<string>();
  const once = (text: string): void => {
    if (said.has(text)) return;
    said.add(text);
    err(`agent-vault: ${text}\n`);
  };
  const what = `reading ${quoted(name)} from vault ${quoted(vault)}`;
  const terminal = openControllingTerminal();
  let isToldThere = false;
  const show = (link: Link, { linkApproves, linkIsFinal, stillRinging, rang }: Wait): void => {
    if (!linkApproves) {
      if (linkIsFinal) once(`${what} has to be approved on an enrolled device: ${urlOf(link)}`);
      return;
    }
    if (linkIsFinal && !isToldThere) {
      isToldThere = terminal?.say(`agent-vault: approve or deny ${what}: ${urlOf(link)}\n`) ?? false;
    }
    if (rang.length > 0) once(`${what} waits for a person, who was told through: ${rang.join(", ")}`);
    // Not in the middle of being told: the call begins to listen a moment later.
    else if (linkIsFinal && !isToldThere && !stillRinging) queueMicrotask(() => end(unreachable()));
  };
  return {
    waiting: (wait) => {
      for (const trouble of wait.troubles) once(trouble);
      if (wait.upstream) once(`a person approved; ${wait.upstream.text}`);
      else if (wait.link) show(wait.link, wait);
    },
    close: () => terminal?.close(),
  };
}

function urlOf(link: Link): string {
  return link.public ?? link.local;
}

function unreachable(): VaultError {
  return new VaultError(
    "page_unavailable",
    "nobody can be told where to approve: no terminal, browser or channel is there",
    {
      hint: "run it in a terminal of your own, set up a channel, or pair a phone with agent-vault pair: its link may then stand here",
    },
  );
}
