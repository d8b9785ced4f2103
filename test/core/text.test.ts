import { describe, expect, it } from "vitest";
import { glimpse, quoted, visible, visibleProse } from "../../src/core/text.ts";

/** Written out by hand, so that it does not share a mistake with the code. */
const UNSEEN: readonly (readonly [what: string, from: number, to: number])[] = [
  ["controls", 0x00, 0x1f],
  ["delete and the second controls", 0x7f, 0xa0],
  ["soft hyphen", 0xad, 0xad],
  ["grapheme joiner", 0x34f, 0x34f],
  ["Arabic letter mark", 0x61c, 0x61c],
  ["Hangul fillers", 0x115f, 0x1160],
  ["Khmer inherent vowels", 0x17b4, 0x17b5],
  ["Mongolian selectors", 0x180b, 0x180f],
  ["spaces of every width", 0x2000, 0x200a],
  ["zero width and marks", 0x200b, 0x200f],
  ["separators, bidi, narrow space", 0x2028, 0x202f],
  ["mathematical space, joiners, isolates", 0x205f, 0x206f],
  ["blank Braille", 0x2800, 0x2800],
  ["ideographic space", 0x3000, 0x3000],
  ["Hangul filler", 0x3164, 0x3164],
  ["lone surrogates", 0xd800, 0xdfff],
  ["private use", 0xe000, 0xe010],
  ["variation selectors", 0xfe00, 0xfe0f],
  ["byte order mark", 0xfeff, 0xfeff],
  ["halfwidth filler", 0xffa0, 0xffa0],
  ["annotations and specials", 0xfff0, 0xfffb],
  ["shorthand controls", 0x1bca0, 0x1bca3],
  ["musical controls", 0x1d173, 0x1d17a],
  ["tags and selectors", 0xe0000, 0xe01ff],
];

describe("text from outside", () => {
  it.each(UNSEEN)("shows %s as code points, wherever they stand", (_, from, to) => {
    for (let point = from; point <= to; point++) {
      const char = String.fromCodePoint(point);
      const shown = `⟦U+${point.toString(16).toUpperCase().padStart(4, "0")}⟧`;
      expect(visible(`a${char}b`)).toBe(`a${shown}b`);
      expect(visible(`${char}KEY`)).toBe(`${shown}KEY`);
      expect(visible(`KEY1${char}`)).toBe(`KEY1${shown}`);
    }
  });

  it("leaves what people write as it is", () => {
    for (const text of ["DATABASE_URL", "prod/db#password", "naïve Ångström", "ключ", "مفتاح", "鍵", "❤️ ☎️ 🔑", "a b"])
      expect(visible(text)).toBe(text);
  });

  it("shows the spaces that a page leaves out", () => {
    expect(visible("A  B")).toBe("A ⟦U+0020⟧B");
    expect(visible(" A ")).toBe("⟦U+0020⟧A⟦U+0020⟧");
  });

  it("keeps different texts different, its own escapes included", () => {
    expect(visible("⟦U+202E⟧")).not.toBe(visible("\u202E"));
    expect(visible("KEY1\uFE0F")).not.toBe(visible("KEY1"));
  });

  it("stops piles of marks", () => {
    expect(visible(`e${"\u0301".repeat(50)}`)).toMatch(/^e\u0301{3}(?:⟦U\+0301⟧){47}$/);
  });

  it("turns lines of prose into one", () => {
    expect(visibleProse(" first\r\n\r\n  second\tthird   fourth\u2028fifth ")).toBe(
      "first ⏎ second third fourth⟦U+2028⟧fifth",
    );
  });

  it("takes a megabyte of blanks, marks or controls in its stride", () => {
    for (const char of [" ", "\n", "\t ", "\u0301", "\u202E"]) {
      expect(visibleProse(`a${char.repeat(1_000_000 / char.length)}b`)).toMatch(/^a[^]*b$/);
      expect(quoted(char.repeat(1_000_000)).length).toBeLessThan(1_000);
    }
  });

  it("cuts between characters and says that it cut", () => {
    expect(glimpse("x".repeat(81), 80)).toBe(`${"x".repeat(79)}…`);
    expect(glimpse("x".repeat(80), 80)).toBe("x".repeat(80));
    expect(glimpse("🔑".repeat(81), 80)).toBe(`${"🔑".repeat(79)}…`);
    expect(glimpse("🔑".repeat(80), 80)).toBe("🔑".repeat(80));
  });
});
