import type { Capability } from "../../../../src/providers/define.ts";
import type { Provider } from "../../../../src/core/ports.ts";
import { loadConfig } from "../../../../src/config/load.ts";
import { makeFolder } from "../../../config/folder.ts";
import { verify } from "../outcomes.ts";
import type { Cost } from "../programs/opens.ts";
import { run } from "../programs/run.ts";
import { door, sentence, type Sentence } from "../sentence.ts";

const MEMBERS: Record<Capability, readonly (keyof Provider)[]> = {
  list: ["list"],
  fields: ["fields"],
  prepare: ["prepare"],
  write: ["planWrite", "write"],
};

export const membersMatch = sentence("can do what its definition says, and no more", [], async (stage) => {
  const { can } = stage.world.definition;
  const provider = await stage.open(await stage.start([["DB_PASSWORD", stage.secret("one")]]));
  const expected = Object.entries(MEMBERS).flatMap(([what, members]) =>
    (can as readonly string[]).includes(what) ? members : [],
  );
  const optional = Object.values(MEMBERS).flat();
  verify(optional.filter((member) => provider[member] !== undefined)).toEqual(expected);
  verify(provider.resolve).toBeTypeOf("function");
  verify(provider.read).toBeTypeOf("function");
  verify(provider.check, "doctor asks every vault").toBeTypeOf("function");
});

export const configured = configuredBy(loadConfig);

/** The sentence on another way to load a configuration. */
export function configuredBy(loadWith: typeof loadConfig): Sentence {
  return sentence("is configured as its documentation shows, and the token stays out of sight", [], async (stage) => {
    const { definition, tokenOption } = stage.world;
    const { example = {} } = definition;
    const [held, written] = [stage.token(), stage.token()];
    const variables = Object.fromEntries(referencesIn(example).map((name) => [name, held]));
    const load = async (more: Readonly<Record<string, unknown>>): Promise<unknown> => {
      const { cwd, home, write } = makeFolder();
      const vaults = { work: { type: definition.type, ...example, ...more } };
      write("agent-vault.config.json", JSON.stringify({ vaults }));
      const result = await loadWith({ cwd, variables: { HOME: home, ...variables } });
      stage.seen("a configuration", result);
      if (!result.ok) stage.seen("what is wrong with it", result.error);
      return result.ok ? result.config.vaults[0]?.use.ready : result.error.code;
    };
    verify(await load({})).toBe(true);
    verify(await load({ "no such option": written })).toBe("config_invalid");
    if (tokenOption === undefined) return;
    verify(referencesIn({ at: example[tokenOption] }), "the token is shown in a variable").toHaveLength(1);
    verify(await load({ [tokenOption]: written })).toBe(true);
    verify(await load({ [tokenOption]: { is: written } })).toBe("config_invalid");
  });
}

function referencesIn(value: unknown): string[] {
  if (typeof value === "string") return value.startsWith("env:") ? [value.slice("env:".length)] : [];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(referencesIn) : [];
}

export const loadsLate = sentence(
  "loads nothing heavy and reaches for nothing before it is used",
  [],
  async (stage) => {
    const { source, loads } = stage.world;
    const backend = await stage.start([["DB_PASSWORD", stage.secret("one")]]);
    const program = await run("opens", source, { OPTIONS: JSON.stringify(backend.options) });
    const { how, stdout, stderr } = await program.ended;
    stage.seen("a program", stdout + stderr);
    verify(how, stderr).toBe(0);
    const { imported, opened } = JSON.parse(stdout) as Record<"imported" | "opened", Cost>;
    verify(imported).toEqual({ packages: ["zod"], sockets: 0 });
    verify(opened).toEqual({ packages: ["zod", ...loads].toSorted(), sockets: 0 });
    if (backend.calls) verify(backend.calls().all).toBe(0);
  },
);

export const letsGo = sentence("lets the process end once it is closed", [], async (stage) => {
  const { source, opener } = stage.world;
  const backend = await stage.start([["DB_PASSWORD", stage.secret("one")]]);
  const program = await run("closes", opener ?? source, { OPTIONS: JSON.stringify(backend.options) });
  const { how, stdout, stderr } = await program.ended;
  stage.seen("a program", stdout + stderr);
  verify(stdout, stderr).toBe("used\nclosed\n");
  verify(how).toBe(0);
});

export const letsBusy = sentence("lets the process end though the vault still owes an answer", [], async (stage) => {
  const { source, opener } = stage.world;
  const backend = await stage.start([["DB_PASSWORD", stage.secret("one")]]);
  const silence = door(backend, "break");
  const program = await run("closes", opener ?? source, { OPTIONS: JSON.stringify(backend.options), BUSY: "1" });
  await program.says("used");
  await silence("silent");
  // What opens it there may bring its own backend along.
  const called = opener ? program.says("called") : door(backend, "called")();
  program.child.stdin.write("go\n");
  await called;
  program.child.stdin.write("close\n");
  const { how, stdout, stderr } = await program.ended;
  stage.seen("a program", stdout + stderr);
  verify(stdout.replaceAll("called\n", ""), stderr).toBe("used\nclosed\n");
  verify(how).toBe(0);
});
