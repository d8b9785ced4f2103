import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** A value that can be found again wherever it went. */
export interface Canary {
  readonly kind: string;
  readonly value: string;
  /** The part that no encoding of the rest can change. */
  readonly core: string;
}

/** Long enough for a preview, with characters that markup, JSON and addresses write otherwise. */
export function newCanary(kind: string): Canary {
  const core = randomBytes(12).toString("hex");
  return { kind, core, value: `${kind}<"&'\\>${core}é%end` };
}

/** Everything that was said or left behind somewhere, by the name of the place. */
export type Places = Map<string, Buffer>;

/** Where a canary was found that should have been nowhere, and in what shape. */
export function hunt(canaries: readonly Canary[], places: Places): string[] {
  const found: string[] = [];
  for (const { kind, core } of canaries) {
    for (const [shape, needle] of shapesOf(core)) {
      for (const [place, bytes] of places) if (bytes.includes(needle)) found.push(`${kind} as ${shape} in ${place}`);
    }
  }
  return found;
}

/** Half of it in a row is enough to be a leak. */
function shapesOf(core: string): (readonly [shape: string, needle: Buffer])[] {
  const halves = [core.slice(0, core.length / 2), core.slice(core.length / 2)];
  return halves.flatMap((half) => {
    const bytes = Buffer.from(half);
    return [
      ["text", bytes] as const,
      ["capitals", Buffer.from(half.toUpperCase())] as const,
      ["reversed", Buffer.from([...half].toReversed().join(""))] as const,
      ["hex", Buffer.from(bytes.toString("hex"))] as const,
      ["UTF-16", Buffer.from(half, "utf16le")] as const,
      ["URL", Buffer.from([...bytes].map((byte) => `%${byte.toString(16)}`).join(""))] as const,
      // Base64 of the same bytes differs with where they begin; their ends depend on the neighbours and are left out.
      ...[0, 1, 2].map((offset) => {
        const inside = Buffer.concat([Buffer.alloc(offset), bytes])
          .toString("base64")
          .replace(/=+$/, "");
        return ["base64", Buffer.from(inside.slice(offset === 0 ? 0 : offset + 1, -2))] as const;
      }),
    ];
  });
}

/** Every file below a folder, but for those whose path says so. */
export function addFiles(places: Places, label: string, folder: string, except: (path: string) => boolean): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    if (except(path) || !statSync(path, { throwIfNoEntry: false })?.isFile()) continue;
    places.set(`${label}: ${name}`, readFileSync(path));
  }
}
