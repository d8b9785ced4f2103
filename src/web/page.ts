import { html, type Markup } from "./html.ts";

/** What the script needs to keep a page of a request up to date. Absent from pages on which nothing can change. */
interface Live {
  readonly path: string;
  readonly version: number | string;
}

export interface PageParts {
  readonly title: string;
  /** Class of the whole: "read", "write", "plain". */
  readonly look: string;
  readonly header?: Markup;
  readonly main: Markup;
  readonly footer?: Markup;
  readonly standing?: string;
  readonly live?: Live;
  /** Set where a button asks for a passkey: brings /passkey.js along. */
  readonly passkey?: boolean;
  /** What a screen reader is told when the page becomes this one by itself. */
  readonly news?: string;
}

/** The whole document around a page's parts. */
export function page({ title, look, header, main, footer, standing, live, passkey, news }: PageParts): string {
  const script = standing && html`<script src="/live.js" defer></script>`;
  const passkeyScript = passkey ? html`<script src="/passkey.js" defer></script>` : undefined;
  const liveData = live && html` data-live="${live.path}" data-version="${live.version}"`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="color-scheme" content="light dark" />
        <meta name="theme-color" content="#f6f5f1" media="(prefers-color-scheme: light)" />
        <meta name="theme-color" content="#121413" media="(prefers-color-scheme: dark)" />
        <meta name="format-detection" content="telephone=no, date=no, address=no, email=no" />
        <title>${title}</title>
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/style.css" />
        ${passkeyScript} ${script}
      </head>
      <body>
        <div id="page" class="${look}" data-standing="${standing ?? "none"}" data-news="${news ?? ""}" ${liveData}>
          <header class="top"><span class="brand">agent-vault</span> ${header}</header>
          ${main} ${footer}
        </div>
        <p id="news" class="unseen" role="status"></p>
      </body>
    </html> `.toString();
}

/** A quiet page with a heading, some sentences and perhaps one link: the face of everything that is not a request. */
export function plainPage(title: string, lines: readonly string[], link?: { label: string; href: string }): string {
  const main = html`<main class="plain-main">
    <h1 class="headline">${title}</h1>
    ${lines.map((line) => html`<p>${line}</p>`)}
    ${link && html`<p><a class="button quiet" href="${link.href}">${link.label}</a></p>`}
  </main>`;
  return page({ title: title === "agent-vault" ? title : `${title} - agent-vault`, look: "plain", main });
}
