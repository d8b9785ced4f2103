/** The word a person probably meant, or undefined when nothing comes near. Case and separators do not count. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const plain = fold(word);
  if (plain === "" || plain.length > 60) return undefined;
  let best: string | undefined;
  let least = Math.floor(plain.length / 3) + 1;
  for (const candidate of known) {
    const steps = distance(plain, fold(candidate));
    if (steps < least || (steps === least && best === undefined && plain.length > 2))
      [best, least] = [candidate, steps];
  }
  return best;
}

function fold(word: string): string {
  return word.toLowerCase().replace(/[-_ .]/g, "");
}

/** Edits that turn one word into the other; two neighbours that changed places are one edit. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let steps = Math.min(at(rows, i - 1, j) + 1, (row[j - 1] ?? 0) + 1, at(rows, i - 1, j - 1) + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) steps = Math.min(steps, at(rows, i - 2, j - 2) + 1);
      row.push(steps);
    }
    rows.push(row);
  }
  return at(rows, a.length, b.length);
}

function at(rows: readonly (readonly number[])[], i: number, j: number): number {
  return rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
}
