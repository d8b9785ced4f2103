import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PROGRAM } from "./agent.ts";

/**
 * A file that loads a module and then the program, for the few tests that change the world inside the real one. The
 * program itself refuses to be changed from its environment.
 */
export function hooked(folder: string, hook: string, program = PROGRAM): string {
  const file = join(folder, "hooked.mjs");
  writeFileSync(file, [hook, program].map((path) => `import ${JSON.stringify(pathToFileURL(path).href)};\n`).join(""));
  return file;
}
