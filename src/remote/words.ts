/** The first line each way, before MCP begins: who comes, and whether they may. */
const PROTOCOL = 1;
/** Bytes a first line may have. */
export const FIRST_LINE_MAX = 8_192;
/** Characters of one claim that are looked at. */
const CLAIM_MAX = 1_000;

/** What the shim says of itself. All of it is what somebody on the other side claims, and nothing more. */
export interface Hello {
  readonly version: string;
  /** The folder the client started the shim in. */
  readonly folder?: string;
  /** The program that started the shim. */
  readonly process?: string;
}

/** What the broker answers: the session begins, or why it does not. */
export type Welcome =
  | { readonly is: "welcome"; readonly version: string }
  | { readonly is: "refused"; readonly why: string };

export function helloLine({ version, folder, process }: Hello): string {
  return line({
    agentVault: PROTOCOL,
    version: version.slice(0, CLAIM_MAX),
    // A path has at most four thousand characters, and the line is bounded.
    ...(folder !== undefined && { folder: folder.slice(0, CLAIM_MAX) }),
    ...(process !== undefined && { process: process.slice(0, CLAIM_MAX) }),
  });
}

/** What a first line says; undefined when it is none of ours. */
export function parseHello(text: string): Hello | undefined {
  const said = parse(text);
  if (said === undefined) return undefined;
  const { version, folder, process } = said;
  if (typeof version !== "string" || !isClaim(folder) || !isClaim(process)) return undefined;
  return { version, ...(folder !== undefined && { folder }), ...(process !== undefined && { process }) };
}

export function welcomeLine(welcome: Welcome): string {
  return line({
    agentVault: PROTOCOL,
    ...(welcome.is === "welcome" ? { version: welcome.version } : { refused: welcome.why }),
  });
}

/** What the broker's first line says; undefined when whoever listens there is no broker. */
export function parseWelcome(text: string): Welcome | undefined {
  const said = parse(text);
  if (typeof said?.["refused"] === "string") return { is: "refused", why: said["refused"] };
  return typeof said?.["version"] === "string" ? { is: "welcome", version: said["version"] } : undefined;
}

function line(said: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(said)}\n`;
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof said !== "object" || said === null || !("agentVault" in said) || said.agentVault !== PROTOCOL)
    return undefined;
  return { ...said };
}

function isClaim(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}
