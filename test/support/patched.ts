import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

/** One planted bug: in this file, this text becomes that one. */
export interface Plant {
  /** Below the repository, "src/web/guard.ts". */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Loads a copy of a module with a bug planted in it, so that a test can show that it would have noticed. The program
 * itself has no switch for this. Throws when the text to replace is not there exactly once: a twin that plants nothing
 * proves nothing.
 */
export async function loadPatched(entry: string, plants: readonly Plant[]): Promise<unknown> {
  const root = resolve(import.meta.dirname, "../..");
  // Below node_modules, where the copy finds the libraries that the original uses.
  const cache = join(root, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "twin-"));
  const outfile = join(folder, "twin.mjs");
  const planted = new Set<Plant>();
  try {
    await build({
      entryPoints: [join(root, entry)],
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20.19",
      logLevel: "silent",
      packages: "external",
      plugins: [
        {
          name: "plant",
          setup(b) {
            b.onLoad({ filter: /\.ts$/ }, ({ path }) => {
              let contents = readFileSync(path, "utf8");
              for (const plant of plants.filter(({ file }) => path === join(root, file))) {
                if (contents.split(plant.from).length !== 2)
                  throw new Error(`${plant.file} does not hold: ${plant.from}`);
                contents = contents.replace(plant.from, () => plant.to);
                planted.add(plant);
              }
              return { contents, loader: "ts" };
            });
          },
        },
      ],
    });
    if (planted.size !== plants.length) throw new Error("a planted file is not part of the module");
    return (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as unknown;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
