// `npm run redteam`: attacks the built program with the powers an agent has, and compares what came of it with what
// SECURITY.md says. As root it makes two throw-away users for the attacks from another account, and removes them again.
//   --only ID     one attack (may be repeated)
//   --level LEVEL one level, as "passkey/other-user" (may be repeated)
//   --write       writes what came of it to redteam/results.json, and from that the tables in SECURITY.md; needs root
//   --show        prints everything that came to the attacker
//   --list        names the attacks and runs none
import { build } from "esbuild";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
// Two folders below the top, where the helpers of the tests find their files by their own place.
const outfile = "node_modules/.cache/redteam.mjs";
await build({
  entryPoints: ["redteam/main.ts"],
  outfile,
  bundle: true,
  packages: "external",
  format: "esm",
  platform: "node",
  target: "node20.19",
  sourcemap: "inline",
  logLevel: "warning",
});
const { main } = await import(pathToFileURL(outfile).href);
process.exitCode = await main(process.argv.slice(2));
