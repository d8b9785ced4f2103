/** Dark on light whatever colours the terminal has: not every camera reads the other way round. */
const [COLOURS, RESET] = ["\u001b[97;40m", "\u001b[0m"];

/** A link as a square that a phone's camera reads, in half blocks; indented, with a line break at its end. */
export async function qrOf(link: string): Promise<string> {
  const { renderUnicodeCompact } = await import("uqr");
  return renderUnicodeCompact(link, { border: 2, ecc: "L" })
    .split("\n")
    .map((line) => `  ${COLOURS}${line}${RESET}\n`)
    .join("");
}
