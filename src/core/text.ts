// Everything a reader cannot see, or that rearranges what stands around it: control, format (bidi, zero width, tags),
// surrogates, private use, line separators, odd spaces, blank letters, whatever fonts leave out by default, variation
// selectors except the one that makes a picture of an emoji. Spaces only at the ends and in a row: a page shows those as
// one or none. The opening bracket of our own escapes is escaped as well, so that no text can pretend to hold one.
const UNSEEN =
  /[\p{C}\p{Zl}\p{Zp}\u2800⟦]|(?<!\p{Extended_Pictographic})\uFE0F|(?!\uFE0F)\p{Default_Ignorable_Code_Point}|(?! )\p{Zs}|^ | $|(?<= ) /gu;
const PILED_MARKS = /(?<=\p{M}{3})\p{M}/gu;

/**
 * Text from outside made safe to show: whatever cannot be seen stands there as its code point, `⟦U+202E⟧`. Different
 * texts stay different. The result holds no control character, so it is fit for a terminal, a page and a log.
 */
export function visible(text: string): string {
  return text.replace(UNSEEN, escape).replace(PILED_MARKS, escape);
}

/**
 * As `visible`, for prose: a line break becomes ` ⏎ `, tabs and spaces in a row one space, since agents write reasons in
 * paragraphs.
 */
export function visibleProse(text: string): string {
  return visible(text.trim().replace(/[\t\n\r ]+/g, (blank) => (/[\n\r]/.test(blank) ? " ⏎ " : " ")));
}

/** The text, cut to at most `max` characters with an ellipsis; never in the middle of a character. */
export function clip(text: string, max: number): string {
  const chars = [...text];
  return chars.length <= max ? text : `${chars.slice(0, max - 1).join("")}…`;
}

/** The beginning of a text, visible and at most `max` characters long. Costs the same however long the text is. */
export function glimpse(text: string, max: number): string {
  // One character is at most two code units; the two more tell whether there is more to come.
  return clip(visible(text.slice(0, 2 * max + 2)), max);
}

/** A name inside a message: visible, bounded, in quotes. */
export function quoted(name: string): string {
  return `"${glimpse(name, 80)}"`;
}

function escape(char: string): string {
  const point = char.codePointAt(0) ?? 0;
  return `⟦U+${point.toString(16).toUpperCase().padStart(4, "0")}⟧`;
}
