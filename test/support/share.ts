/** The part of a full count that this run does: all of it, or HARD_SHARE of it (0.1: a tenth), at least ten. */
export function share(count: number): number {
  const part = Number(process.env["HARD_SHARE"] ?? 1);
  return Math.max(10, Math.round(count * part));
}
