import { appendFileSync, existsSync, readFileSync } from "node:fs";
import * as z from "zod";
import { VaultError } from "../../src/core/errors.ts";
import { Secret } from "../../src/core/secret.ts";
import { defineProvider } from "../../src/providers/define.ts";
import type { Plant } from "./patched.ts";

/** Puts this provider into the real program. */
export const PROBE: Plant = {
  file: "src/providers/registry.ts",
  from: "export const PROVIDERS = [",
  to: `import { probe } from ${JSON.stringify(import.meta.filename)};\nexport const PROVIDERS = [probe, `,
};

/** What a probe has lived through, one word a line. */
export const diaryOf = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];

/** A vault that keeps a diary of how it is treated, and behaves as badly as its options say. */
export const probe = defineProvider({
  type: "probe",
  title: "probe",
  summary: "Keeps a diary.",
  can: ["list", "fields", "prepare"],
  options: z.strictObject({
    diary: z.string(),
    /** How often it cannot be opened. */
    fails: z.int().default(0),
    close: z.enum(["slow", "fails", "hangs"]).default("slow"),
    ended: z.enum(["well", "fails"]).default("well"),
    /** Whether it has people of its own. They agree by an "agreed" in the diary. */
    people: z.boolean().default(false),
  }),
  open: async (options, { warn, notes, clock }) => {
    const write = (word: string): void => appendFileSync(options.diary, `${word}\n`);
    const has = (word: string): boolean => diaryOf(options.diary).includes(word);
    let needed = false;
    write("open");
    warn("this vault is only a probe");
    await new Promise((done) => setTimeout(done, 50));
    const count = diaryOf(options.diary).filter((word) => word === "open").length;
    if (count <= options.fails) throw new VaultError("provider_unavailable", `the probe failed time ${count}`);
    return {
      list: () => {
        notes("probe").put("listed", clock.now());
        return Promise.resolve(["PROBED"]);
      },
      resolve: (names) => Promise.resolve(names.map((name) => ({ name, ref: `probe:${name}`, checked: true }))),
      fields: (name, wanted) => {
        const all = wanted[0] === "*" ? ["username", "password"] : wanted;
        return Promise.resolve(all.map((field) => ({ name, field, ref: `probe:${name}#${field}`, checked: true })));
      },
      read: (handles) =>
        Promise.resolve(
          handles.map(({ field = "password" }) => {
            if (!options.people || has("agreed")) return new Secret(`probe-canary-${field}`);
            needed = true;
            return new VaultError("upstream_required", "the probe's people have to agree");
          }),
        ),
      prepare: async (handles, { signal, waiting }) => {
        const each = handles.map(() => "ready" as const);
        if (!needed) return each;
        if (!has("submitted")) write("submitted");
        waiting("waiting for the probe's people");
        while (!has("agreed") && !signal.aborted) await new Promise((done) => setTimeout(done, 20));
        return each;
      },
      ended: (isOpen) => {
        write(isOpen("probe:PROBED") ? "ended, and still open" : "ended");
        if (options.ended === "fails") throw new Error("the probe cannot bear the end");
      },
      close: async () => {
        write("closing");
        if (options.close === "fails") throw new Error("the probe cannot close");
        // Something that keeps the process alive, as a connection would.
        await new Promise((done) => setTimeout(done, options.close === "hangs" ? 600_000 : 300));
        write("closed");
      },
    };
  },
});
