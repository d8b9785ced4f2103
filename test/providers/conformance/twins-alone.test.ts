import { expect, it } from "vitest";
import { paper } from "./paper/provider.ts";
import { paperWorld } from "./paper/world.ts";
import { sentenceOf } from "./sentences.ts";

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
