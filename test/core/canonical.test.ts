import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonical, digestOf, type Json } from "../../src/core/canonical.ts";

/** RFC 8785 once more, written from its text: a queue of output instead of recursion over texts, escapes by hand. */
function independent(value: Json): string {
  const out: string[] = [];
  const text = (of: string): void => {
    out.push('"');
    for (let at = 0; at < of.length; at++) {
      const unit = of.charCodeAt(at);
      const short = { 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\" }[unit];
      if (short !== undefined) out.push(short);
      else if (unit < 0x20) out.push(`\\u${unit.toString(16).padStart(4, "0")}`);
      else out.push(of.charAt(at));
    }
    out.push('"');
  };
  const write = (of: Json | undefined): void => {
    if (typeof of === "string") return text(of);
    if (of === null || typeof of !== "object") return void out.push(Object.is(of, -0) ? "0" : String(of));
    if (Array.isArray(of)) {
      out.push("[");
      for (const [at, one] of of.entries()) {
        if (at > 0) out.push(",");
        write(one as Json);
      }
      return void out.push("]");
    }
    const members = new Map(Object.entries(of).filter(([, member]) => member !== undefined));
    const units = (name: string): number[] => Array.from({ length: name.length }, (_, at) => name.charCodeAt(at));
    const names = [...members.keys()].sort((a, b) => {
      const [left, right] = [units(a), units(b)];
      const at = left.findIndex((unit, place) => unit !== right[place]);
      if (at === -1) return left.length - right.length;
      return (left[at] ?? 0) - (right[at] ?? -1);
    });
    out.push("{");
    for (const [at, name] of names.entries()) {
      if (at > 0) out.push(",");
      text(name);
      out.push(":");
      write(members.get(name));
    }
    out.push("}");
  };
  write(value);
  return out.join("");
}

const whole = fc.string({ unit: "grapheme" });
const anyJson = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small" },
    whole,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("json"), { maxLength: 5 }),
    fc.dictionary(whole, tie("json"), { maxKeys: 5 }),
  ),
})).json;

describe("the canonical form", () => {
  it("is that of the examples in RFC 8785", () => {
    // Section 3.2.2: numbers, escapes and literals in one.
    const example = {
      numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\u0022\u002f",
      literals: [null, true, false],
    };
    expect(canonical(example)).toBe(
      `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA'B\\"\\\\\\\\\\"/"}`,
    );
    // Section 3.2.3: members in the order of their UTF-16 code units, which is not that of their code points.
    const keys = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    };
    expect([...canonical(keys).matchAll(/:"([^"]+)"/g)].map(([, text]) => text)).toEqual([
      "Carriage Return",
      "One",
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ]);
  });

  it.each([
    [0, "0"],
    [-0, "0"],
    [5e-324, "5e-324"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    [9007199254740992, "9007199254740992"],
    [295147905179352830000, "295147905179352830000"],
    [999999999999999700000, "999999999999999700000"],
    [1e21, "1e+21"],
    [9.999999999999997e22, "9.999999999999997e+22"],
    [333333333.33333343, "333333333.33333343"],
    [0.000001, "0.000001"],
    [-0.0000033333333333333333, "-0.0000033333333333333333"],
    [Number("1424953923781206.25"), "1424953923781206.2"],
  ])("writes the number %s of appendix B as %s", (number, text) => {
    expect(canonical(number)).toBe(text);
  });

  it("is refused to what has none", () => {
    for (const none of ["\ud800", "a\udc00b", { "\ud800": 1 }, [{ deep: "\udfff" }]]) {
      expect(() => canonical(none)).toThrow(RangeError);
    }
    for (const none of [Number.NaN, Number.POSITIVE_INFINITY, [Number.NEGATIVE_INFINITY]]) {
      expect(() => canonical(none)).toThrow(RangeError);
    }
  });

  it("is what another reading of the standard comes to, for anything", () => {
    fc.assert(
      fc.property(anyJson, (json) => {
        expect(canonical(json)).toBe(independent(json));
        expect(canonical(JSON.parse(canonical(json)) as Json), "and it is its own").toBe(canonical(json));
      }),
      { numRuns: 2_000 },
    );
  });

  it("keeps what is signed for one end from meaning anything for another", () => {
    expect(digestOf("statement", "x")).not.toBe(digestOf("decision", "x"));
    expect(digestOf("a", "b\nc")).not.toBe(digestOf('a\n"b', "c"));
    expect(digestOf("statement", {})).toMatch(/^[\w-]{43}$/);
  });
});
