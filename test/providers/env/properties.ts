// The promises of splice.ts, checked on generated files and values. The normal run takes a sample, test/hard takes many.
import * as fc from "fast-check";
import { expect } from "vitest";
import type { splice } from "../../../src/providers/env/splice.ts";
import { must, parsers } from "./support.ts";

const SOUP =
  "A B C1 export|export |=|=|:| |\t|\n|\n|\r\n|\r|'|\"|`|#|\\|\\n|\\r|\\\"|\\'|x|y z|$|\u00a0|\u2028|\ufeff|\u0085|É|-|.|_|1|A=\"|='|=`| #|\"\n|'\n".split(
    "|",
  );

const soup = fc.array(fc.constantFrom(...SOUP), { maxLength: 40 }).map((parts) => parts.join(""));
const key = fc.constantFrom("A", "B", "C1", "DB_PASSWORD", "a.b-c", "toString", "constructor", "_");
const value = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.string({ unit: "binary-ascii", maxLength: 20 }),
  fc.array(fc.constantFrom(...SOUP), { maxLength: 12 }).map((parts) => parts.join("")),
  fc.base64String({ maxLength: 60 }),
);
const eol = fc.constantFrom("\n", "\r\n");

/** A file that people write, cut where the value of A stands. */
const file = fc
  .record({
    eol,
    bom: fc.constantFrom("", "\uFEFF"),
    before: fc.array(
      fc.constantFrom(
        '# note: it\'s "quoted"',
        "",
        "B=1",
        "  export C1='one two'",
        'DB_PASSWORD="x # y" # z',
        "_: `q`",
      ),
      { maxLength: 4 },
    ),
    lead: fc.constantFrom("", "  ", "export ", "\t"),
    separator: fc.constantFrom("=", " = ", "= ", ": "),
    old: fc.constantFrom(
      "",
      "old",
      "'old one'",
      '"old # two"',
      "`old'three\"`",
      '"one\nTWO=2\nthree"',
      '"a\\nb"',
      "old=four==",
    ),
    comment: fc.constantFrom("", " # rotate monthly", "#near", "  "),
    after: fc.array(fc.constantFrom("# end", "", "B=2", "toString=x", "É=1", 'constructor="y z"'), { maxLength: 4 }),
    last: fc.boolean(),
  })
  .map(({ eol, bom, before, lead, separator, old, comment, after, last }) => {
    const head = bom + before.map((line) => line + eol).join("") + lead + "A";
    const tail = comment + after.map((line) => eol + line).join("") + (last ? eol : "");
    return { head, separator, old: old.replaceAll("\n", eol), tail };
  });

/** How many of the values could not be spelled. `put` is the splice under test. */
export function checkSoup(put: typeof splice, runs: number): number {
  let refusals = 0;
  fc.assert(
    fc.property(
      soup,
      fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, minLength: 1, maxLength: 3 }),
      (text, pairs) => {
        const wanted = pairs.map(([name, worth]) => ({ key: name, value: worth }));
        const { text: next, refused } = put(text, wanted, parsers);
        refusals += refused.length;
        for (const parse of parsers) {
          const expected: Record<string, string> = { ...parse(text) };
          for (const { key, value } of wanted) if (!refused.includes(key)) expected[key] = value;
          expect({ ...parse(next) }).toEqual(expected);
        }
      },
    ),
    { numRuns: runs },
  );
  return refusals;
}

/** As `checkSoup`, on files where it is known what has to stay. */
export function checkFiles(put: typeof splice, runs: number): number {
  let refusals = 0;
  fc.assert(
    fc.property(file, value, ({ head, separator, old, tail }, worth) => {
      const text = head + separator + old + tail;
      const { text: next, refused } = put(text, [{ key: "A", value: worth }], parsers);
      refusals += refused.length;
      if (refused.length > 0) {
        expect(next).toBe(text);
        return;
      }
      // Everything but the value stands where it stood; at most a space keeps a # away from it.
      expect(next.startsWith(head + separator.trimEnd())).toBe(true);
      expect(next.endsWith(tail)).toBe(true);
      expect(parsers.map((parse) => parse(next)["A"])).toEqual([worth, worth]);
      if (text.includes("\r\n")) expect(next.replaceAll("\r\n", "")).not.toContain("\n");
    }),
    { numRuns: runs },
  );
  return refusals;
}

/** Reading uses the fast parser alone: this is why it may. */
export function checkParsersAgree(runs: number): void {
  fc.assert(
    fc.property(soup, (text) => {
      const [classic, fast] = parsers.map((parse) => ({ ...parse(text) }));
      expect(must(fast)).toEqual(must(classic));
    }),
    { numRuns: runs },
  );
}
