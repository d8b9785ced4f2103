import { expect, it } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { loadPatched } from "../../support/patched.ts";
import { paper } from "./paper/provider.ts";
import { paperWorld } from "./paper/world.ts";
import { configuredBy } from "./sentences/defining.ts";
import { sentenceOf } from "./sentences.ts";
import { twelveportWorld } from "./worlds/twelveport.ts";

const COST = "loads nothing heavy and reaches for nothing before it is used";

// Bugs that show only in a process of their own.
it.each([
  ["opens a connection early", "provider.ts", "eager", COST],
  ["loads a library to be defined", "heavy.ts", "heavy", COST],
  ["stays awake", "provider.ts", "sleepless", "lets the process end once it is closed"],
  ["does not hang up", "provider.ts", "clinging", "lets the process end though the vault still owes an answer"],
])("a provider that %s is caught", async (_, file, name, title) => {
  const source = { is: "definition", file: `test/providers/conformance/paper/${file}`, name } as const;
  await expect(sentenceOf(title).play(paperWorld(paper, source))).rejects.toThrow(/undici|sockets|killed/);
});

it("a configuration that shows its options is caught", async () => {
  const shows = {
    file: "src/config/build.ts",
    from: "open: (context) => definition.open(options, {",
    to: "options, open: (context) => definition.open(options, {",
  };
  const { loadConfig: load } = (await loadPatched("src/config/load.ts", [shows])) as { loadConfig: typeof loadConfig };
  await expect(configuredBy(load).play(twelveportWorld)).rejects.toThrow(/token/);
  await configuredBy(loadConfig).play(twelveportWorld);
});
