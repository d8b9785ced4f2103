// A process with a 12Port vault: reads one asset as the broker does, and says what happens, a line of JSON each.
import { twelveport } from "../../../../src/providers/twelveport/index.ts";
import { openNotes } from "../../../../src/state/notes.ts";

/** Waits pass faster here, and so does the time of day; the time-out of a call does not. */
const FASTER = 40;
/** Slower than waits, as what is done in between takes its time. */
const FASTER_DAYS = 20;
const CALL_MS = 15_000;

const [folder = "", options = "{}", name = ""] = process.argv.slice(2);
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const signal = new AbortController().signal;

const notes = openNotes(folder);
const provider = await twelveport.open(twelveport.options.parse(JSON.parse(options)), {
  folder: "/",
  workFolder: "/nowhere",
  version: "0.0.0-test",
  clock: {
    now: () => Date.now() * FASTER_DAYS,
    mono: () => performance.now(),
    after: (ms, run) => {
      const timer = setTimeout(run, ms === CALL_MS ? ms : ms / FASTER);
      return () => clearTimeout(timer);
    },
  },
  warn: (warning) => say({ warning }),
  notes: notes.of,
});

try {
  const handles = (await provider.resolve([name], signal)).map((handle) => {
    if (handle instanceof Error) throw handle;
    return handle;
  });
  for (let tries = 0; tries < 2; tries++) {
    const [outcome] =
      (await provider.prepare?.(handles, {
        reason: "run migration 0042",
        requester: { claims: { client: "test" }, facts: { user: "ada", host: "box", folder: "/work" } },
        signal,
        waiting: (waiting) => say({ waiting }),
      })) ?? [];
    if (outcome instanceof Error) throw outcome;
    const [value] = await provider.read(handles, signal);
    if (value instanceof Error && value.code === "upstream_required" && tries === 0) continue;
    if (value === undefined || value instanceof Error) throw value ?? new Error("no outcome");
    say({ value: value.reveal() });
    break;
  }
} catch (error) {
  say({ error: error instanceof Error ? error.message : "not an error" });
}
await provider.close?.();
notes.close();
