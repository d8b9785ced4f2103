import escape from "escape-html";

/** Markup that may go to a browser as it is. Only `html` and `raw` make it, so text cannot become markup by accident. */
export class Markup {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  /** Internal to this file: everybody else goes through `html` or `raw`. */
  static of(text: string): Markup {
    return new Markup(text);
  }

  toString(): string {
    return this.#text;
  }
}

/** What a template may hold: markup goes in as it is, all other text is escaped, `undefined` leaves nothing behind. */
export type Piece = Markup | string | number | undefined | readonly Piece[];

/** Tag for templates: every value that is not markup is escaped, for text and for attributes in double quotes. */
export function html(strings: TemplateStringsArray, ...values: readonly Piece[]): Markup {
  return Markup.of(strings.reduce((text, part, at) => text + render(values[at - 1]) + part));
}

/** Declares our own constant text to be markup. Never for text from outside. */
export function raw(text: string): Markup {
  return Markup.of(text);
}

function render(piece: Piece): string {
  if (piece === undefined) return "";
  if (piece instanceof Markup) return piece.toString();
  if (isList(piece)) return piece.map(render).join("");
  return escape(String(piece));
}

// Array.isArray alone does not see that a readonly list is one.
function isList(piece: Piece): piece is readonly Piece[] {
  return Array.isArray(piece);
}
