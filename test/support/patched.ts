import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

/** One planted bug: in this file, this text becomes that one. */
export interface Plant {
  /** Below the repository, "src/web/guard.ts". */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const ROOT = resolve(import.meta.dirname, "../..");

/**
 * Loads a copy of a module with a bug planted in it, so that a test can show that it would have noticed. The program
 * itself has no switch for this. Throws when the text to replace is not there exactly once: a twin that plants nothing
 * proves nothing.
 */
export async function loadPatched(entry: string, plants: readonly Plant[]): Promise<unknown> {
  const twin = await buildPatched(entry, plants);
  try {
    return (await import(/* @vite-ignore */ pathToFileURL(twin.file).href)) as unknown;
  } finally {
    twin.remove();
  }
}

/** The same as a file on disk, for twins that run as processes of their own. */
export async function buildPatched(
  entry: string,
  plants: readonly Plant[],
): Promise<{ readonly file: string; readonly remove: () => void }> {
  // Below node_modules, where the copy finds the libraries that the original uses.
  const cache = join(ROOT, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "twin-"));
  const file = join(folder, "twin.mjs");
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const planted = new Set<Plant>();
  try {
    await build({
      entryPoints: [join(ROOT, entry)],
      outfile: file,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20.19",
      logLevel: "silent",
      packages: "external",
      define: { __VERSION__: JSON.stringify("0.0.0-twin") },
      plugins: [planting(plants, planted)],
    });
    if (planted.size !== plants.length) throw new Error("a planted file is not part of the module");
    return { file, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function planting(plants: readonly Plant[], planted: Set<Plant>): Plugin {
  return {
    name: "plant",
    setup(b) {
      b.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        let contents = readFileSync(path, "utf8");
        for (const plant of plants.filter((each) => path === join(ROOT, each.file))) {
          if (contents.split(plant.from).length !== 2) throw new Error(`${plant.file} does not hold: ${plant.from}`);
          contents = contents.replace(plant.from, () => plant.to);
          planted.add(plant);
        }
        return { contents, loader: "ts" };
      });
    },
  };
}
