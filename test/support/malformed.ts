import { type Dice, dice } from "./dice.ts";

const call = (name: unknown, args: unknown, more: object = {}): object => ({
  method: "tools/call",
  params: { name, arguments: args, ...more },
});
const CANARY = "sent-canary-4711-value";

/** Messages as a good client sends them: what is then done to them makes them what they are here for. */
const GOOD: readonly object[] = [
  { method: "ping" },
  { method: "tools/list" },
  { method: "tools/list", params: { cursor: "abc" } },
  call("list_secrets", {}),
  call("list_secrets", { vault: "dev", search: "key", cursor: "WyJkZXYiLDFd" }),
  call("get_secret", { vault: "dev", name: "NOPE", reason: "run migration 0042" }),
  call("get_secrets", { vault: "dev", names: ["NOPE", "NADA"], reason: "run migration 0042" }),
  call("get_secret", { vault: "prod", name: "DATABASE_URL", reason: "run migration 0042" }),
  call("get_secret", { vault: "dev", name: "DATABASE_URL", reason: "wait" }, { _meta: { progressToken: "p1" } }),
  call("set_secret", { vault: "dev", name: "NEW_KEY", value: CANARY, reason: "rotate it" }),
  call("set_secrets", { vault: "dev", secrets: [{ name: "A", value: CANARY }], reason: "rotate them" }),
  {
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "x", version: "1" } },
  },
  { method: "resources/read", params: { uri: "file:///etc/passwd" } },
  { method: "logging/setLevel", params: { level: "debug" } },
  {
    method: "completion/complete",
    params: { ref: { type: "ref/prompt", name: "x" }, argument: { name: "a", value: "b" } },
  },
  { method: "tasks/get", params: { taskId: "1" } },
];

/** The same for what is not answered. */
const QUIET: readonly object[] = [
  { method: "notifications/initialized" },
  { method: "notifications/cancelled", params: { requestId: 1, reason: "user-cancel" } },
  { method: "notifications/progress", params: { progressToken: 0, progress: 1, total: 2 } },
  { method: "notifications/roots/list_changed" },
  { method: "notifications/nothing/known", params: { a: [1, 2, 3] } },
  { id: 0, result: {} },
  { id: 1, result: { roots: [{ uri: "file:///srv" }] } },
  { id: 2, result: { action: "accept", content: { approve: true } } },
  { id: 3, error: { code: -32_000, message: "no" } },
];

const deep = (n: number, open: string, close: string): string => open.repeat(n) + close.repeat(n);

/** JSON texts that stand where something else should. */
const ODD: readonly string[] = [
  "null",
  "true",
  "-1",
  "0",
  "1.5",
  "-0",
  "1e999",
  "9007199254740993",
  "123456789012345678901234567890",
  "9".repeat(5_000),
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '"\\u202e\\u001b[2J"',
  '"__proto__"',
  '"constructor"',
  `"${"x".repeat(100_000)}"`,
  "[]",
  "{}",
  "[null]",
  '[{"a":[]}]',
  '{"__proto__":{"isAdmin":true,"reason":"because","vault":"dev","name":"DATABASE_URL"}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"toString":1,"valueOf":2,"toJSON":3,"then":4,"hasOwnProperty":5,"length":-1}',
  deep(2_000, "[", "]"),
  deep(60_000, "[", "]"),
  deep(5_000, '{"a":', "").concat("1", "}".repeat(5_000)),
  "NaN",
  "undefined",
  "'single'",
  "0x10",
];

const ODD_IDS: readonly string[] = [
  '"id"',
  "0",
  "-5",
  "9007199254740993",
  '""',
  `"${"i".repeat(50_000)}"`,
  "null",
  "1.5",
  "[1]",
  "{}",
  "true",
  '"__proto__"',
  '"\\u001b[31m\\n"',
];

/** Lines that never were a message. */
const NOISE: readonly Buffer[] = [
  Buffer.from(""),
  Buffer.from("\r"),
  Buffer.from("hello"),
  Buffer.from("\0\0\0\0"),
  Buffer.from([0xff, 0xfe, 0x00, 0xd8, 0x80, 0xc0, 0xaf]),
  Buffer.from("\uFEFF{}"),
  Buffer.from("[]"),
  Buffer.from("[[[]]]"),
  Buffer.from("Content-Length: 42\r"),
  Buffer.from('{"jsonrpc":"2.0"}'),
  Buffer.from('{"jsonrpc":"1.0","id":1,"method":"ping"}'),
  Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}'),
  Buffer.from('{"jsonrpc":"2.0","id":1,"method":["ping"]}'),
  Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"ping"${" ".repeat(100_000)}}`),
  Buffer.from("\u001b[2J\u001b]0;owned\u0007"),
  Buffer.from(deep(200_000, "[", "")),
  Buffer.from("A".repeat(300_000)),
];

/** One line after the other, without end; each is what a broken or hostile client may send. The newline is included. */
export function* malformedLines(seed: number): Generator<Buffer> {
  const d = dice(seed);
  for (;;) {
    const line = oneOf(d);
    yield Buffer.concat([line, Buffer.from(d.oneIn(9) ? "\r\n" : "\n")]);
  }
}

function oneOf(d: Dice): Buffer {
  if (d.oneIn(12)) return withoutNewline(d.oneOf(NOISE));
  const text = withOddParts(d, d.oneIn(3) ? messageOf(d, d.oneOf(QUIET)) : asked(d));
  if (d.oneIn(15)) return Buffer.from(`[${text},${messageOf(d, d.oneOf(QUIET))}${d.oneIn(3) ? "," : ""}]`);
  return d.oneIn(3) ? bent(d, Buffer.from(text)) : Buffer.from(text);
}

function asked(d: Dice): string {
  return messageOf(d, d.oneOf(GOOD)).replace(/^\{/, `{"id":${d.oneOf(ODD_IDS)},`);
}

function messageOf(d: Dice, message: object): string {
  return JSON.stringify(d.oneIn(20) ? message : { jsonrpc: "2.0", ...message });
}

/** Puts something odd in the place of one value, or under another key. */
function withOddParts(d: Dice, text: string): string {
  const values = [...text.matchAll(/:("(?:[^"\\]|\\.)*"|[\d.]+|\{\}|\[[^[\]]*\])/g)];
  const value = d.oneOf(values);
  if (d.oneIn(4) || value === undefined) return text;
  const [whole, old] = value;
  const at = value.index;
  if (d.oneIn(4))
    return `${text.slice(0, at)}:${old ?? ""},"${d.oneOf(["__proto__", "x", "", "then", "\\u0000"])}":${d.oneOf(ODD)}${text.slice(at + whole.length)}`;
  return `${text.slice(0, at)}:${d.oneOf(ODD)}${text.slice(at + whole.length)}`;
}

/** Bytes lost, turned, doubled or put in, and lines that end half-way. */
function bent(d: Dice, line: Buffer): Buffer {
  let bytes = Buffer.from(line);
  for (let times = 1 + d.below(4); times > 0 && bytes.length > 0; times--) {
    const at = d.below(bytes.length);
    switch (d.below(6)) {
      case 0:
        bytes[at] = d.below(256);
        break;
      case 1:
        bytes = bytes.subarray(0, at);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + d.below(8))]);
        break;
      case 3:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from([0, 0xff, 0x22, 0x5c].slice(0, 1 + d.below(4))),
          bytes.subarray(at),
        ]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + 200), bytes.subarray(at)]);
        break;
      default:
        bytes = Buffer.from(bytes.toString("latin1"), "utf16le").subarray(0, 100_000);
    }
  }
  return withoutNewline(bytes);
}

function withoutNewline(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => (byte === 0x0a ? 0x20 : byte)));
}
