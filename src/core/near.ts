const MOST = 3;
const LONGEST = 100;
/** Beyond this many comparisons nobody waits for a suggestion. */
const MOST_COMPARED = 50_000;

/** Up to three of the known words that somebody may have meant, the likeliest first. `asked`: how many are looked for at once. */
export function closeTo(word: string, known: readonly string[], asked = 1): readonly string[] {
  const wanted = bare(word);
  if (wanted === "" || wanted.length > LONGEST || known.length * asked > MOST_COMPARED) return [];
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  return known
    .map((other) => ({ other, far: distance(wanted, bare(other), limit) }))
    .filter(({ far }) => far <= limit)
    .sort((a, b) => a.far - b.far)
    .slice(0, MOST)
    .map(({ other }) => other);
}

/** The word that was probably meant, or undefined when nothing comes near. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  return closeTo(word, known)[0];
}

/** Case and punctuation are what people and agents get wrong most. */
function bare(text: string): string {
  return text
    .normalize("NFC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");
}

/**
 * Edits from one to the other: insert, drop, change, or swap two neighbours. A part that the other begins or ends with
 * counts as one edit; more than `limit` is Infinity.
 */
function distance(a: string, b: string, limit: number): number {
  if (a === b) return 0;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  if (short.length >= 3 && (long.startsWith(short) || long.endsWith(short))) return 1;
  if (long.length - short.length > limit) return Infinity;
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? Infinity) + 1 : Infinity;
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swapped));
    }
    if (Math.min(...next) > limit && Math.min(...row) > limit) return Infinity;
    [before, row] = [row, next];
  }
  return row[b.length] ?? Infinity;
}
