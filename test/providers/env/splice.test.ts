import { describe, expect, it } from "vitest";
import { splice, tooBlank } from "../../../src/providers/env/splice.ts";
import { checkFiles, checkParsersAgree, checkSoup } from "./properties.ts";
import { parsers } from "./support.ts";

const put = (text: string, key: string, value: string): string => {
  const { text: next, refused } = splice(text, [{ key, value }], parsers);
  return refused.length > 0 ? "refused" : next;
};

describe("what stays", () => {
  it.each([
    ["the comment behind the value", "A=old # rotate monthly\n", "new", "A=new # rotate monthly\n"],
    ["a comment that touches the value", "A=old#note\n", "new", "A=new #note\n"],
    ["indentation, export and spaces", "  export  A  =  old\nB=1\n", "new", "  export  A  =  new\nB=1\n"],
    ["the colon", "A: old\n", "new", "A: new\n"],
    ["single quotes", "A='old'\n", "new", "A='new'\n"],
    ["double quotes", 'A="old"\n', "new", 'A="new"\n'],
    ["backticks", "A=`old`\n", "new", "A=`new`\n"],
    ["no quotes", "A=old\n", "new", "A=new\n"],
    ["the BOM", "\uFEFFA=old\n", "new", "\uFEFFA=new\n"],
    ["a missing last line break", "B=1\nA=old", "new", "B=1\nA=new"],
    ["CRLF", "B=1\r\nA=old\r\nC=2\r\n", "new", "B=1\r\nA=new\r\nC=2\r\n"],
    ["CRLF behind a multi-line value", 'B="x\r\ny"\r\nA=old\r\nC=2\r\n', "new", 'B="x\r\ny"\r\nA=new\r\nC=2\r\n'],
    ["CRLF inside a new multi-line value", "A=old\r\n", "x\ny", "A='x\r\ny'\r\n"],
    ["escapes in one line", 'A="-----BEGIN\\nold\\n-----END"\n', "x\ny\n", 'A="x\\ny\\n"\n'],
    ["earlier duplicates", "A=1\nA=2\n", "new", "A=1\nA=new\n"],
    ["what looks like the key inside another value", "B='x\nA=no\ny'\nA=old\n", "new", "B='x\nA=no\ny'\nA=new\n"],
    ["an empty value's comment", "A= # later\n", "new", "A=new # later\n"],
    ["an empty value at the end", "A=", "new", "A=new"],
  ])("%s", (_, text, value, expected) => {
    expect(put(text, "A", value)).toBe(expected);
  });
});

describe("what is new", () => {
  it.each([
    ["in an empty file", "", "A=new\n"],
    ["behind a BOM alone", "\uFEFF", "\uFEFFA=new\n"],
    ["behind a last line without a break", "# end", "# end\nA=new\n"],
    ["behind CRLF lines", "B=1\r\n# end", "B=1\r\n# end\r\nA=new\r\n"],
    ["though another value holds a line with that name", "B='x\nA=no'\n", "B='x\nA=no'\nA=new\n"],
    ["behind a quote that never ends", 'B="open\n', 'B="open\nA=new\n'],
  ])("stands at the end %s", (_, text, expected) => {
    expect(put(text, "A", "new")).toBe(expected);
  });

  it("never lets a value become another key", () => {
    for (const value of [
      "x\nB=evil",
      "x\rB=evil",
      "\nB=evil",
      '"\nB=evil',
      "'\nB=evil\n'",
      "`\nB=evil",
      'x" # \nB=evil',
    ]) {
      for (const text of ["A=old\n", "A='old'\n", 'A="old"\n', "A=`old`\n", "", "A=old", "A=old # c\n"]) {
        const next = put(text, "A", value);
        expect(next).not.toBe("refused");
        for (const parse of parsers) expect(parse(next)).toEqual({ A: value });
      }
    }
  });

  it("does not put into double quotes what a shell would run", () => {
    expect(put('A="old"\n', "A", "$(id)")).toBe("A='$(id)'\n");
    expect(put("A=`old`\n", "A", "a$b")).toBe("A='a$b'\n");
    expect(put('A="old"\n', "A", "a`id`b")).toBe("A='a`id`b'\n");
  });
});

describe("what can be held", () => {
  const VALUES = [
    "",
    " ",
    " lead",
    "trail ",
    "a b",
    "a#b",
    "a # b",
    "#",
    "'",
    '"',
    "`",
    "it's",
    'say "x"',
    "`x`",
    'it\'s "x"',
    "a`b'c",
    "x\ny",
    "x\n",
    "\n",
    "x\r\ny",
    "\r",
    "\\",
    "\\n",
    "C:\\new\\table",
    "\\'",
    '\\"',
    "'x'",
    '"x"',
    "`x`",
    "${B}",
    "$(id)",
    "pa$$w",
    "A=B",
    "export X=1",
    "hunter2-4711",
    "dGVzdA==",
    "é",
    "日本",
    "\u{1F511}",
    "\u00a0",
    "\u2028",
    "\ufeff",
    "\t",
    "\u0001",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQ==\nAAAA=\n-----END PRIVATE KEY-----\n",
    '{"a":"b\\n","c":\'d\'}',
  ];
  const FILES = [
    "",
    "A=old",
    "A=old\nB=1\n",
    "A='old'\nB=1\n",
    'B=1\nA="old" # c\n',
    "A=`old`\n",
    "A=\nB=1\n",
    "export A = old # c\r\nB='x\r\ny'\r\n",
    "\uFEFFA: old\n",
    'A=\n"x"\n',
    "A=1\nA=2\n",
  ];

  it(`${VALUES.length} values in ${FILES.length} files read back exactly`, () => {
    for (const text of FILES) {
      for (const value of VALUES) {
        const next = put(text, "A", value);
        expect(next).not.toBe("refused");
        for (const parse of parsers) expect({ ...parse(next) }).toEqual({ ...parse(text), A: value });
      }
    }
  });

  it.each([
    ["every quote, a comment sign and a line break", "'\"`#\nx"],
    ["a real CR beside a written \\n", "a\rb\\n'"],
  ])("not %s: the text stays as it was", (_, value) => {
    const text = "A=old # c\nB=1\n";
    expect(splice(text, [{ key: "A", value }], parsers)).toEqual({ text, refused: ["A"] });
  });

  it("saves the others of a batch when one cannot be held", () => {
    const { text, refused } = splice(
      "A=1\nB=2\n",
      [
        { key: "A", value: "x y" },
        { key: "B", value: "'\"`#\nx" },
        { key: "C", value: "3" },
      ],
      parsers,
    );
    expect(text).toBe("A='x y'\nB=2\nC=3\n");
    expect(refused).toEqual(["B"]);
  });
});

describe("generated files and values", () => {
  it("keep everything but the value", () => {
    expect(checkFiles(splice, 1_000)).toBeLessThan(100);
  });

  it("read back exactly, whatever the text", () => {
    expect(checkSoup(splice, 1_500)).toBeLessThan(300);
  });

  it("mean the same to both of dotenv's parsers", () => {
    expect(() => checkParsersAgree(3_000)).not.toThrow();
  });

  it("would show a splice that trusts its spelling, or that loses a comment", () => {
    const trusting: typeof splice = (text, wanted) => {
      const lines = wanted.map(({ key, value }) => `${key}='${value}'\n`);
      return { text: `${text}${/(^|\n)$/.test(text) ? "" : "\n"}${lines.join("")}`, refused: [] };
    };
    const careless: typeof splice = (text, wanted, all) => {
      const done = splice(text, wanted, all);
      return { ...done, text: done.text.replace(/ # rotate monthly/, "") };
    };
    expect(() => checkSoup(trusting, 1_500)).toThrow("Property failed");
    expect(() => checkFiles(careless, 1_000)).toThrow("Property failed");
  });
});

it("knows which texts would keep dotenv's regular expression busy", () => {
  expect(tooBlank("A=1\n\n\n".repeat(10_000))).toBe(false);
  expect(tooBlank("\n".repeat(5_000))).toBe(true);
});
