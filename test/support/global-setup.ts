import { execFileSync } from "node:child_process";

/** End-to-end tests start the built program, so it is built once before any test runs. */
export default function setup(): void {
  execFileSync(process.execPath, ["scripts/build.mjs"], { stdio: ["ignore", "inherit", "inherit"] });
}
