import type { ExitStatus } from "../core/errors.ts";
import type { Overview, WaitingLine, WindowLine } from "../core/overview.ts";
import { visible } from "../core/text.ts";
import type { Context } from "./command.ts";
import { clientOf, NOBODY, subjectOf, visiting } from "./visit.ts";

/** Shows on `out` what waits for a person and what is open, in all sessions of this user. Never a link (law 4). */
export async function status(context: Context): Promise<ExitStatus> {
  const overview = await visiting(context, (visit) => visit.overview());
  const now = context.services.clock.now();
  if (context.options["json"] === true) context.out(`${JSON.stringify(asJson(overview))}\n`);
  else context.out(overview ? asText(overview, now) : `${NOBODY}\n`);
  return 0;
}

function asText({ waiting, windows }: Overview, now: number): string {
  const blocks = [
    block(
      waiting.length === 0 ? "Nothing waits." : "Waiting:",
      waiting.map((line) => waitingRow(line, now)),
    ),
    block(
      windows.length === 0 ? "Nothing is open." : "Open:",
      windows.map((line) => openRow(line, now)),
    ),
    ...(windows.length === 0
      ? []
      : ["agent-vault revoke ID ends one of these, agent-vault revoke --all all of them.\n"]),
  ];
  return blocks.join("\n");
}

function block(heading: string, rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => widthOf(cells[column] ?? "")))) ?? [];
  const lines = rows.map((cells) => {
    const padded = cells.map((cell, at) => cell + " ".repeat((widths[at] ?? 0) - widthOf(cell)));
    return `  ${padded.join("  ").trimEnd()}\n`;
  });
  return [`${heading}\n`, ...lines].join("");
}

function waitingRow(line: WaitingLine, now: number): readonly string[] {
  const left = line.isBehind ? "waits for its turn" : `${clockFace(line.expiresAt - now)} left`;
  return [visible(line.request), left, `${line.action} ${subjectOf(line)}`, `for ${clientOf(line)}`];
}

function openRow(line: WindowLine, now: number): readonly string[] {
  const left = line.until === undefined ? "on its way" : `${clockFace(line.until - now)} left`;
  const once = line.isOnce ? ", just once" : "";
  const by = line.by === undefined ? "" : `, approved by ${visible(line.by)}`;
  return [visible(line.approval), left, `${subjectOf(line)}${once}`, `for ${clientOf(line)}${by}`];
}

/** Member by member, so that what a later agent-vault adds to an overview does not come out by itself. */
function asJson(overview: Overview | undefined): object {
  const { waiting = [], windows = [] } = overview ?? {};
  return {
    running: overview !== undefined,
    waiting: waiting.map(({ request, vault, action, names, client, folder, since, expiresAt, isBehind }) => ({
      id: visible(request),
      vault: visible(vault),
      action,
      names: names.map(visible),
      client: visible(client),
      folder: visible(folder),
      since,
      expiresAt,
      isBehind,
    })),
    open: windows.map(({ approval, vault, scope, names, client, folder, isOnce, since, until, by }) => ({
      id: visible(approval),
      vault: visible(vault),
      scope,
      names: names.map(visible),
      client: visible(client),
      folder: visible(folder),
      isOnce: isOnce === true,
      since,
      until,
      by: by === undefined ? undefined : visible(by),
    })),
  };
}

function clockFace(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  const two = (part: number): string => String(part).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function widthOf(text: string): number {
  return Array.from(text).length;
}
