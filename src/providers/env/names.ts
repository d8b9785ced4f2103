const MOST = 3;
/** Beyond this many comparisons nobody waits for a suggestion; the hint names list_secrets instead. */
const BUDGET = 50_000;

/** Up to three names somebody may have meant, the likeliest first. `asked` is how many are looked for at once. */
export function closeTo(name: string, names: readonly string[], asked: number): readonly string[] {
  if (name.length > 100 || names.length * asked > BUDGET) return [];
  const wanted = bare(name);
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  return names
    .map((other) => ({ other, far: distance(wanted, bare(other), limit) }))
    .filter(({ far }) => far <= limit)
    .sort((a, b) => a.far - b.far)
    .slice(0, MOST)
    .map(({ other }) => other);
}

// Case and punctuation are what people and agents get wrong most.
function bare(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

// Edits from one to the other (insert, drop, change); a part that the other begins or ends with counts as one edit.
function distance(a: string, b: string, limit: number): number {
  if (a.length >= 3 && (b.startsWith(a) || b.endsWith(a))) return a === b ? 0 : 1;
  if (b.length >= 3 && (a.startsWith(b) || a.endsWith(b))) return 1;
  if (Math.abs(a.length - b.length) > limit) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    if (Math.min(...next) > limit) return Infinity;
    row = next;
  }
  return row[b.length] ?? Infinity;
}
