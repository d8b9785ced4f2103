import { StringDecoder } from "node:string_decoder";

/** What one line may have at most, bytes as they come. */
export const MOST_LINE = 2_000_000;

/** Cuts what arrives into lines. `tooLong` is called once for a line that has no end in sight; nothing comes after that. */
export function lineCutter(on: { readonly line: (line: string) => void; readonly tooLong: () => void }) {
  const decoder = new StringDecoder("utf8");
  let parts: string[] = [];
  let length = 0;
  let isOver = false;
  return (chunk: Buffer): void => {
    let rest = decoder.write(chunk);
    while (!isOver) {
      const end = rest.indexOf("\n");
      const part = end === -1 ? rest : rest.slice(0, end);
      length += part.length;
      if (length > MOST_LINE) {
        isOver = true;
        parts = [];
        return on.tooLong();
      }
      parts.push(part);
      if (end === -1) return;
      const line = parts.join("");
      parts = [];
      length = 0;
      rest = rest.slice(end + 1);
      on.line(line);
    }
  };
}
