import type { ExitStatus } from "../core/errors.ts";
import { assurance } from "./assurance.ts";
import { checkRuntime, checkVaults } from "./checks.ts";
import type { Context } from "./command.ts";
import { checkConfiguration } from "./configuration.ts";
import type { Finding } from "./finding.ts";
import { checkLog } from "./log.ts";
import { checkReach } from "./reach.ts";

interface Section {
  readonly title: string;
  readonly findings: readonly Finding[];
}

/** Says what is configured, what works and what protects the person here. Reads no secret and changes nothing. */
export async function doctor(context: Context): Promise<ExitStatus> {
  const loaded = await context.load();
  const database = loaded.ok ? loaded.config.database : loaded.database;
  let level: string | undefined;
  const sections: Section[] = [
    { title: "Program", findings: checkRuntime(context) },
    { title: "Configuration", findings: checkConfiguration(loaded) },
    { title: "Audit log", findings: await checkLog(database, context) },
  ];
  if (loaded.ok) {
    const { config } = loaded;
    sections.splice(2, 0, { title: "Vaults", findings: await checkVaults(config, context) });
    sections.push({ title: "Reaching you", findings: await checkReach(config, context) });
    const standing = await assurance(config, context);
    level = standing.level;
    sections.push({ title: "What protects you here", findings: standing.findings });
  }
  const status = statusOf(sections.flatMap(({ findings }) => findings));
  context.out(
    context.options["json"] === true ? asJson(sections, { version: context.version, status, level }) : asText(sections),
  );
  return status;
}

function statusOf(findings: readonly Finding[]): ExitStatus {
  if (findings.some(({ state }) => state === "invalid")) return 2;
  return findings.some(({ state }) => state === "failed") ? 1 : 0;
}

interface Summary {
  readonly version: string;
  readonly status: ExitStatus;
  readonly level: string | undefined;
}

function asJson(sections: readonly Section[], summary: Summary): string {
  const findings = sections.flatMap(({ title, findings }) => findings.map((one) => ({ section: title, ...one })));
  return `${JSON.stringify({ ...summary, findings }, null, 2)}\n`;
}

const LABELS = { ok: "ok", note: "", warning: "look", failed: "FAILED", invalid: "FAILED" } as const;

function asText(sections: readonly Section[]): string {
  const lines = sections.flatMap(({ title, findings }) => [title, ...findings.flatMap(findingLines), ""]);
  return lines.join("\n");
}

function findingLines({ state, about, text, hint, code }: Finding): string[] {
  const label = LABELS[state].padEnd(8);
  const what = about === "" ? text : `${about}: ${text}`;
  return [
    `  ${label}${what}${code === undefined ? "" : ` (${code})`}`,
    ...(hint === undefined ? [] : [`  ${" ".repeat(8)}  ${hint}`]),
  ];
}
