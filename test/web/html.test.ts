import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { html, raw } from "../../src/web/html.ts";

const PIECES = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='x",
  "</title>",
  "&lt;",
  "&amp;#60;",
  "`",
  "-->",
  "]]>",
  "\u2028",
  "{{7*7}}",
  "javascript:",
  "<",
  ">",
  "&",
  '"',
  "'",
];

describe("html", () => {
  it("escapes what is not markup, in text and in attributes", () => {
    expect(html`<a title="${`"<'&>`}">${"<b>"}</a>`.toString()).toBe(
      '<a title="&quot;&lt;&#39;&amp;&gt;">&lt;b&gt;</a>',
    );
  });

  it("leaves markup, joins lists, and shows nothing for what is absent", () => {
    expect(html`${[html`<i>${1}</i>`, "<"]}${undefined}${raw("<hr>")}`.toString()).toBe("<i>1</i>&lt;<hr>");
  });

  it("does not take an object that looks like markup for markup", () => {
    const forged = { toString: () => "<script>" } as unknown as string;
    expect(html`${[forged]}`.toString()).not.toContain("<script>");
  });

  it("lets no markup through for 500 hostile texts, and loses no character of them", () => {
    const hostile = fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: "grapheme" })), { maxLength: 12 });
    fc.assert(
      fc.property(hostile, (parts) => {
        const text = parts.join("");
        const out = html`<p title="${text}">${text}</p>`.toString();
        const inner = out.slice('<p title="'.length, -"</p>".length);
        const [attribute = "", body = "", ...more] = inner.split('">');
        expect(more).toEqual([]);
        for (const part of [attribute, body]) {
          expect(part).not.toMatch(/[<>"']/);
          expect(unescape(part)).toBe(text);
        }
      }),
      { numRuns: 500 },
    );
  });
});

function unescape(text: string): string {
  const names: Record<string, string> = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&" };
  return text.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => names[entity] ?? "");
}
