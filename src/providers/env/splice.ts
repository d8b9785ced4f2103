/** How dotenv reads a text: own, enumerable string properties only. */
export type Parser = (text: string) => Readonly<Record<string, string>>;

/** What a key shall be worth. */
export interface Assignment {
  readonly key: string;
  readonly value: string;
}

/** The new text, and the keys whose value no spelling can carry: for those nothing has changed. */
export interface Spliced {
  readonly text: string;
  readonly refused: readonly string[];
}

/**
 * Puts values into the text of an env file and touches nothing else: of a key that is there only the value of its last
 * assignment changes (dotenv lets the last one win), a new key becomes a line at the end. A spelling is accepted only
 * when every parser reads back exactly the wanted value and finds all other keys as they were. Keys must be distinct.
 */
export function splice(text: string, assignments: readonly Assignment[], parsers: readonly Parser[]): Spliced {
  const hopeless = assignments.filter((wanted) => spellingOf(wanted, undefined, parsers) === undefined);
  const { text: next, refused } = together(
    text,
    assignments.filter((wanted) => !hopeless.includes(wanted)),
    parsers,
  );
  return { text: next, refused: [...hopeless.map(({ key }) => key), ...refused] };
}

/**
 * Whether dotenv's regular expression would take unreasonably long: its time grows with the square of each run of
 * blank lines, so that a few hundred kilobytes of them would stop the process for minutes.
 */
export function tooBlank(text: string): boolean {
  let cost = 0;
  for (const [run] of text.matchAll(/\s{64,}/g)) cost += run.length ** 2;
  return cost > 20_000_000;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

type Edit = Assignment & { readonly literal: string; readonly span: Span | undefined };

// One pass over the file for the whole batch. Where that does not read back, because some spelling means something else
// in its place, halving finds the few that need care.
function together(text: string, assignments: readonly Assignment[], parsers: readonly Parser[]): Spliced {
  const [first, ...rest] = assignments;
  if (first === undefined) return { text, refused: [] };
  if (rest.length === 0) return alone(text, first, parsers);
  const spans = locate(text);
  const edits = assignments.flatMap((wanted): Edit[] => {
    const span = spans.get(wanted.key);
    const literal = spellingOf(wanted, span && text.slice(span.from, span.to), parsers);
    return literal === undefined ? [] : [{ ...wanted, literal, span }];
  });
  const next = place(text, edits);
  if (readsBack(text, next, assignments, parsers)) return { text: next, refused: [] };
  const middle = assignments.length >> 1;
  const left = together(text, assignments.slice(0, middle), parsers);
  const right = together(left.text, assignments.slice(middle), parsers);
  return { text: right.text, refused: [...left.refused, ...right.refused] };
}

function alone(text: string, wanted: Assignment, parsers: readonly Parser[]): Spliced {
  const span = locate(text).get(wanted.key);
  for (const literal of spellings(wanted.value, span && text.slice(span.from, span.to))) {
    const next = place(text, [{ ...wanted, literal, span }]);
    if (readsBack(text, next, [wanted], parsers)) return { text: next, refused: [] };
  }
  return { text, refused: [wanted.key] };
}

/** The first spelling that reads back right on a line of its own. */
function spellingOf(
  { key, value }: Assignment,
  old: string | undefined,
  parsers: readonly Parser[],
): string | undefined {
  return spellings(value, old).find((spelling) =>
    parsers.every((parse) => sameKeys(parse(`${key}=${spelling}\n`), { [key]: value })),
  );
}

function readsBack(
  text: string,
  next: string,
  assignments: readonly Assignment[],
  parsers: readonly Parser[],
): boolean {
  const wanted = Object.fromEntries(assignments.map(({ key, value }) => [key, value]));
  return parsers.every((parse) => sameKeys(parse(next), { ...parse(text), ...wanted }));
}

function sameKeys(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key]);
}

function place(text: string, edits: readonly Edit[]): string {
  const eol = /\r\n|\n|\r/.exec(text)?.[0] ?? "\n";
  const spelled = (literal: string): string => (eol === "\n" ? literal : literal.replaceAll("\n", eol));
  const inPlace = edits.flatMap(({ span, literal }) => (span ? [{ span, literal }] : []));
  let next = "";
  let done = 0;
  for (const { span, literal } of inPlace.sort((a, b) => a.span.from - b.span.from)) {
    // Some readers take a # for a comment only after a space.
    const gap = text[span.to] === "#" ? " " : "";
    next += text.slice(done, span.from) + spelled(literal) + gap;
    done = span.to;
  }
  next += text.slice(done);
  for (const { key, literal, span } of edits) {
    if (span) continue;
    if (!/(?:^\uFEFF?|[\r\n])$/.test(next.slice(-2))) next += eol;
    next += `${key}=${spelled(literal)}${eol}`;
  }
  return next;
}

// dotenv 18's own grammar (src: its parse function), with the text before the value in groups of its own.
const ASSIGNMENT =
  /^(\s*(?:export\s+)?)([\w.-]+)(\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$/gm;

/** Where the value of each key's last assignment stands. An empty value is an empty span behind its separator. */
function locate(text: string): Map<string, Span> {
  const spans = new Map<string, Span>();
  const crlfs = crlfOffsets(text);
  for (const match of text.replace(/\r\n?/g, "\n").matchAll(ASSIGNMENT)) {
    const [, lead = "", key = "", separator = "", raw = ""] = match;
    const start = match.index + lead.length + key.length + separator.length;
    const value = raw.trim();
    const from = value === "" ? start : start + raw.length - raw.trimStart().length;
    spans.set(key, { from, to: from + value.length });
  }
  if (crlfs.length > 0) {
    for (const [key, { from, to }] of spans) spans.set(key, { from: original(from, crlfs), to: original(to, crlfs) });
  }
  return spans;
}

/** For each CRLF, where its line break stands once every CRLF has become one character. */
function crlfOffsets(text: string): number[] {
  const offsets: number[] = [];
  for (let at = text.indexOf("\r\n"); at !== -1; at = text.indexOf("\r\n", at + 2)) offsets.push(at - offsets.length);
  return offsets;
}

/** The offset in the text as it stands on disk: one more for each CRLF that lies wholly before it. */
function original(offset: number, crlfs: readonly number[]): number {
  let low = 0;
  let high = crlfs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((crlfs[middle] ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return offset + low;
}

/** Ways to write a value, the most fitting first. None is trusted: each is read back before it is used. */
function spellings(value: string, old = ""): string[] {
  const returns = value.replaceAll("\r", "\\r");
  const plain = /^[\w.:/@%+,=-]*$/.test(value) ? [value] : [];
  const single = [`'${value}'`];
  const double = [`"${returns}"`, `"${returns.replaceAll("\n", "\\n")}"`];
  const backtick = [`\`${value}\``];
  const clean = (quote: string, spelled: string[]): string[] => (value.includes(quote) ? [] : spelled);
  return [
    ...new Set([
      ...kept(),
      ...plain,
      ...clean("'", single),
      ...clean('"', double),
      ...clean("`", backtick),
      value,
      ...single,
      ...double,
      ...backtick,
    ]),
  ];

  // The old quotes stay where they can. A shell would act on $ and ` in some of them: those move to single quotes.
  function kept(): string[] {
    const quote = /^(['"`])[^]*\1$/.exec(old)?.[1];
    if (quote === "'") return clean("'", single);
    if (quote === undefined || /[$`\\]/.test(value)) return [];
    if (quote === "`") return backtick;
    return clean('"', old.includes("\\n") ? double.toReversed() : double);
  }
}
