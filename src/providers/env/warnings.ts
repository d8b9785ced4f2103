import { realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, parse, relative } from "node:path";
import { visible } from "../../core/text.ts";

/**
 * What a person should mend about an env file although it works: others can read it, or the agent can without asking.
 * One line each; none when there is no such file. `path` is the configured path made absolute.
 */
export function warningsOf(path: string, workFolder: string): readonly string[] {
  const real = settled(path);
  const stat = real === undefined ? undefined : statSync(real, { throwIfNoEntry: false });
  if (real === undefined || !stat) return [];
  const lines: string[] = [];
  const open = stat.mode & 0o077;
  // Windows has no such bits, only a read-only flag dressed up as them.
  if (open !== 0 && process.platform !== "win32") {
    const mode = (stat.mode & 0o777).toString(8).padStart(4, "0");
    lines.push(`other users of this machine may open ${visible(real)} (mode ${mode}): chmod 600 ${visible(real)}`);
  }
  const work = settled(workFolder);
  if (work !== undefined && [real, path].some((place) => isInside(place, work))) {
    lines.push(
      `${visible(path)} lies inside the folder where the agent works, so the agent can read it with its own file tools ` +
        `and approval there is only advice: move it to a folder outside ${visible(work)} and set "file" to its new path`,
    );
  }
  return lines;
}

function settled(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    // What cannot be reached is reported by whoever tries to use it.
    return undefined;
  }
}

// A client that starts its servers in the root of the disk has not said where the agent works.
function isInside(place: string, folder: string): boolean {
  if (folder === parse(folder).root) return false;
  const folderOfPlace = settled(dirname(place));
  if (folderOfPlace === undefined) return false;
  const way = relative(folder, folderOfPlace);
  return way === "" || (!/^\.\.(?:[/\\]|$)/.test(way) && !isAbsolute(way));
}
