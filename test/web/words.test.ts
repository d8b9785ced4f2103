import { describe, expect, it } from "vitest";
import { countdown, duration, moment, soFar } from "../../src/web/words.ts";

const MINUTE = 60_000;

describe("words", () => {
  it.each([
    [15 * MINUTE, "15 minutes"],
    [MINUTE, "1 minute"],
    [90 * MINUTE, "1 hour 30 minutes"],
    [24 * 60 * MINUTE, "1 day"],
    [25 * 60 * MINUTE, "1 day 1 hour"],
    [30_000, "30 seconds"],
    [90_500, "1 minute 31 seconds"],
    [0, "a moment"],
  ])("says %i ms as %s", (ms, words) => {
    expect(duration(ms)).toBe(words);
  });

  it.each([
    [0, "less than a minute"],
    [59_999, "less than a minute"],
    [119_999, "1 minute"],
    [65 * MINUTE, "1 hour 5 minutes"],
    [50 * 60 * MINUTE + 1, "2 days 2 hours"],
  ])("says that %i ms went by as %s", (ms, words) => {
    expect(soFar(ms)).toBe(words);
  });

  it.each([
    [252_000, "4:12"],
    [59_001, "1:00"],
    [999, "0:01"],
    [0, "0:00"],
    [-5_000, "0:00"],
    [3_852_000, "1:04:12"],
  ])("shows %i ms on the clock as %s", (ms, face) => {
    expect(countdown(ms)).toBe(face);
  });

  it("tells a time with its zone, and the day when it is another one", () => {
    const now = new Date(2026, 10, 20, 14, 32).getTime();
    expect(moment(now, now).toString()).toMatch(/^<time datetime="[^"]+Z">14:32 \S.*<\/time>$/);
    expect(moment(now + 86_400_000, now).toString()).toContain("21 Nov, 14:32");
  });
});
