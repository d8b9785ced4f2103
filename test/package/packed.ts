import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/** One file of the package as npm packs it. */
export interface PackedFile {
  readonly path: string;
  readonly size: number;
  readonly mode: number;
}

export interface Packed {
  readonly files: readonly PackedFile[];
  /** Bytes of the tarball and of what is in it. */
  readonly size: number;
  readonly unpackedSize: number;
  /** Where it lies unpacked. */
  readonly folder: string;
  readonly read: (path: string) => string;
  readonly remove: () => void;
}

/**
 * Builds and packs aside, because other tests are running `dist` meanwhile, and unpacks what npm made of it. The folder
 * lies inside the project, so that source maps read as those of a real package do.
 */
export function packAside(): Packed {
  mkdirSync("dist", { recursive: true });
  const aside = mkdtempSync("dist/.pack-");
  const stage = join(aside, "stage");
  mkdirSync(stage);
  const { files } = JSON.parse(readFileSync("package.json", "utf8")) as { files: string[] };
  for (const path of ["package.json", "README.md", "LICENSE", ...files])
    if (path !== "dist" && existsSync(path)) cpSync(path, join(stage, path), { recursive: true });
  execFileSync(process.execPath, ["scripts/build.mjs", "--outdir", join(stage, "dist")], { stdio: "ignore" });
  const printed = execFileSync("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", ".."], {
    cwd: stage,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [report] = JSON.parse(printed) as [
    { filename: string; size: number; unpackedSize: number; files: PackedFile[] },
  ];
  execFileSync("tar", ["xzf", report.filename], { cwd: aside });
  const folder = join(aside, "package");
  return {
    ...report,
    folder,
    read: (path) => readFileSync(join(folder, path), "utf8"),
    remove: () => rmSync(aside, { recursive: true }),
  };
}
