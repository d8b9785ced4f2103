import { fold } from "./catalog.ts";

const MOST = 3;
/** Beyond this many comparisons nobody waits for a suggestion; the hint names list_secrets instead. */
const MOST_COMPARED = 20_000;

/** Up to three names somebody may have meant, the likeliest first. `asked` is how many are looked for at once. */
export function closeTo(wanted: string, names: readonly string[], asked: number): readonly string[] {
  const bare = bareOf(wanted);
  if (bare === "" || bare.length > 100 || names.length * asked > MOST_COMPARED) return [];
  const limit = Math.max(1, Math.floor(bare.length / 3));
  return names
    .map((name) => ({ name, far: distance(bare, bareOf(name), limit) }))
    .filter(({ far }) => far <= limit)
    .sort((a, b) => a.far - b.far)
    .slice(0, MOST)
    .map(({ name }) => name);
}

/** Case and punctuation are what people and agents get wrong most. */
function bareOf(text: string): string {
  return fold(text).replace(/[^\p{L}\p{N}]/gu, "");
}

/** How many letters to change, insert or drop; one where the one is a longer part of the other; too many: Infinity. */
function distance(a: string, b: string, limit: number): number {
  if (a === b) return 0;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  if (short.length >= 3 && long.includes(short)) return 1;
  if (long.length - short.length > limit || long.length > 100) return Infinity;
  const others = [...b];
  let row = [0, ...others.map((_, at) => at + 1)];
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of others.entries()) {
      const change = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? Infinity;
}
