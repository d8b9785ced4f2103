const PAYLOADS = [
  "<img src=x onerror=alert(1)>",
  "</title><script>fetch('//evil.example')</script>",
  "[approve](https://evil.example)",
  "\u001B[2J\u001B[1;1Happroved",
  "\u001B]8;;https://evil.example\u0007approve\u001B]8;;\u0007",
  "\u009B31mred",
  "prod\u202Etset\u202C",
  "\u2066prod\u2069",
  "pr\u200Bod\u200D\uFEFF",
  "prod\u{E0041}\u{E0042}",
  "prod\r\nX-Priority: 1",
  "prod\u2028Approved.\u2029",
  'prod","priority":1,"x":"',
  "prod\u0000hidden",
  "p\u0301\u0301\u0301\u0301\u0301\u0301rod",
  "\uD800prod",
  "prod\u3164\u2800",
  "${process.env.TOKEN}{{topic}}",
  "\u{1F512}\u{1F468}\u200D\u{1F469}",
  "\u0085\u000Bprod",
] as const;

const SHAPES: readonly ((payload: string) => string)[] = [
  (payload) => payload,
  (payload) => `prod ${payload}`,
  (payload) => `${payload} prod`,
  (payload) => payload.repeat(3),
  (payload) => `${payload}\n${payload}`,
  (payload) => `\u202A${payload}`,
  (payload) => `${payload}\u200B`,
  (payload) => `${"a".repeat(75)}${payload}`,
  (payload) => payload.repeat(500),
  (payload) => `${payload}${"\u202E\u{E0041}".repeat(20_000)}`,
];

/** 200 vault names that want to be more than a name: markup, terminal codes, bidi, zero width, and far too long. */
export const HOSTILE_NAMES: readonly string[] = PAYLOADS.flatMap((payload) => SHAPES.map((shape) => shape(payload)));
