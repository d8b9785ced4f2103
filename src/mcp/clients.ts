/** What one client can bear: how long a tool call may be kept, and whether progress keeps it alive. */
interface Habit {
  readonly name: RegExp;
  /** Milliseconds; "request": as long as the request is open, since progress resets the client's own limit. */
  readonly hold: number | "request";
}

const UNKNOWN_MS = 50_000;
const LEARNED_MARGIN_MS = 10_000;
const LEAST_MS = 20_000;
const COMMON_LIMITS_MS = [60_000, 180_000, 240_000, 300_000];
const NEAR_MS = 2_000;

// Seen in the clients themselves. All of them need a progress token for this; without one a call is kept 50 s.
const HABITS: readonly Habit[] = [
  { name: /^claude-code$/, hold: "request" },
  { name: /^Visual Studio Code/, hold: "request" },
  { name: /^opencode$/, hold: "request" },
  { name: /^copilot-cli$/, hold: "request" },
  { name: /^codex-mcp-client$/, hold: 280_000 },
  { name: /^gemini-cli-mcp-client$/, hold: 580_000 },
];

/** How long this client can be kept waiting, ms; undefined: until the request ends. */
export function holdOf(client: string, hasProgressToken: boolean): number | undefined {
  const habit = hasProgressToken ? HABITS.find(({ name }) => name.test(client)) : undefined;
  if (!habit) return UNKNOWN_MS;
  return habit.hold === "request" ? undefined : habit.hold;
}

/** Whether a cancellation is an unmistakable stop by the user. Time-outs carry other reasons, or none. */
export function isStop(reason: unknown): boolean {
  return typeof reason === "string" && /user-cancel/i.test(reason);
}

/**
 * What a cancelled call teaches about the client's limit, ms; undefined: nothing. Only a reason that says time-out, or
 * an end within 2 s of the limits clients are known to have, counts, and never one under 20 s.
 */
export function limitLearned(afterMs: number, reason: unknown): number | undefined {
  const saysSo = typeof reason === "string" && /time[d\s-]*out/i.test(reason);
  if (!saysSo && !COMMON_LIMITS_MS.some((limit) => Math.abs(afterMs - limit) <= NEAR_MS)) return undefined;
  if (afterMs < LEAST_MS) return undefined;
  return Math.max(LEAST_MS, afterMs - LEARNED_MARGIN_MS);
}
