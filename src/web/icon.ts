import { html, type Markup } from "./html.ts";

/** The mark in the browser's tab. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0b6b50"/><path d="M9 16.5l5 5L23 11.5" fill="none" stroke="#fff" stroke-width="3.5" stroke-linecap="round" stroke-linejoin="round"/></svg>\n`;

const MARKS = {
  yes: html`<circle cx="16" cy="16" r="15" /><path d="M9.5 16.5l4.5 4.5 8.5-9.5" />`,
  no: html`<circle cx="16" cy="16" r="14" /><path d="M9.5 16h13" />`,
  over: html`<circle cx="16" cy="16" r="14" /><path d="M16 8.5v8l5 3.5" />`,
};

/** The shape beside a decided request's heading. It repeats the word, so screen readers skip it. */
export function mark(kind: keyof typeof MARKS): Markup {
  return html`<svg class="mark ${kind}" viewBox="0 0 32 32" aria-hidden="true">${MARKS[kind]}</svg>`;
}
