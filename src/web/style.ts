/** The whole of the page's looks, served as /style.css. System font, two weights, one accent; a second hue means WRITE. */
export const STYLE = `
:root {
  --paper: #f6f5f1; --card: #ffffff; --ink: #191c1a; --soft: #565d58; --line: #dcdad2; --edge: #80867f;
  --accent: #0b6b50; --on-accent: #ffffff; --tint: #e6f1ec;
  --write: #9a3d00; --on-write: #ffffff; --write-tint: #fbece0;
  --mono: ui-monospace, "SF Mono", "Roboto Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #121413; --card: #1c1f1d; --ink: #eef0ee; --soft: #a9b1ab; --line: #323733; --edge: #7f8781;
    --accent: #5fcfa5; --on-accent: #06261b; --tint: #17302766;
    --write: #ffb27a; --on-write: #331500; --write-tint: #3a23144d;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-bottom: 7.5rem; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 400 1rem/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  overflow-wrap: anywhere;
}
h1, h2, p, ul, dl, dd, blockquote, fieldset { margin: 0; padding: 0; border: 0; }
h1, h2, strong, legend, .brand, .button, .badge, .tag, .vault, .title, summary { font-weight: 600; }
ul { list-style: none; }
.mono, .name { font-family: var(--mono); font-size: 0.9375em; }
.unseen { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.none, [hidden] { display: none !important; }
:focus-visible { outline: 3px solid var(--hue); outline-offset: 2px; }
h1:focus { outline: none; }

#page {
  --hue: var(--accent); --on-hue: var(--on-accent); --hue-tint: var(--tint);
  display: flex; flex-direction: column; min-height: 100vh; min-height: 100dvh;
  max-width: 30rem; margin: 0 auto;
}
#page.write { --hue: var(--write); --on-hue: var(--on-write); --hue-tint: var(--write-tint); }
.top {
  display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; align-items: baseline;
  padding: 0.875rem 1.25rem 0; color: var(--soft); font-size: 0.875rem;
}
time, .brand { white-space: nowrap; }
.left { font-variant-numeric: tabular-nums; white-space: nowrap; }
.left.soon { color: var(--ink); font-weight: 600; }
main { flex: 1; display: flex; flex-direction: column; gap: 1.375rem; padding: 1.125rem 1.25rem 1.5rem; }

h1 > span { display: block; }
.lead { color: var(--soft); font-size: 0.875rem; font-weight: 400; }
.who { font-size: 1.125rem; line-height: 1.3; }
h1 .count {
  display: flex; flex-wrap: wrap; align-items: center; gap: 0 0.75rem;
  font-size: 2.5rem; line-height: 1.15; letter-spacing: -0.02em;
}
.where { font-size: 1.0625rem; font-weight: 400; }
.kind { color: var(--soft); font-weight: 400; }
.kind::before { content: "\\00b7\\00a0"; }
.badge {
  font-size: 0.75rem; line-height: 1; letter-spacing: 0.06em; color: var(--hue);
  border: 1.5px solid currentColor; border-radius: 2rem; padding: 0.3125rem 0.625rem;
}
.write .badge { color: var(--on-hue); background: var(--hue); border-color: var(--hue); border-radius: 0.1875rem; }
#page.write { border-top: 0.5rem solid var(--hue); }

h2, legend { font-size: 0.875rem; line-height: 1.3; color: var(--soft); margin-bottom: 0.375rem; padding: 0; }
.items { background: var(--card); border: 1px solid var(--line); border-radius: 0.75rem; }
.items li { padding: 0.6875rem 0.875rem; }
.items li + li { border-top: 1px solid var(--line); }
.items .name, .items .title { font-size: 1rem; line-height: 1.35; display: block; text-align: left; }
.pick label { display: flex; gap: 0.75rem; align-items: flex-start; min-height: 3rem; padding: 0.6875rem 0.875rem; cursor: pointer; }
.pick label > span { min-width: 0; flex: 1; }
.items li.pick { padding: 0; }
.tick { flex: none; width: 1.25rem; height: 1.25rem; margin: 0.125rem 0 0; accent-color: var(--hue); outline: none; }
.pick:has(:focus-visible), .pick-field:has(:focus-visible), .short:has(:focus-visible) { outline: 3px solid var(--hue); outline-offset: 2px; position: relative; z-index: 1; }
.pick:first-child { border-radius: 0.75rem 0.75rem 0 0; }
.pick:last-child { border-radius: 0 0 0.75rem 0.75rem; }
.pick label:has(.tick:not(:checked)) > span, .pick-field:has(.tick:not(:checked)) > span { color: var(--soft); text-decoration: line-through; }
.pick-field:has(.tick:not(:checked)) .field { text-decoration: line-through; }
.picks { display: flex; flex-wrap: wrap; gap: 0.5rem; margin-top: 0.375rem; }
.picks-words { flex: 0 0 100%; color: var(--soft); font-size: 0.875rem; }
.pick-field { display: inline-flex; gap: 0.5rem; align-items: flex-start; min-height: 3rem; max-width: 100%; min-width: 0; padding: 0.75rem 0.625rem; border: 1px solid var(--line); border-radius: 0.5rem; cursor: pointer; }
.pick-field > span { min-width: 0; }
.pick-field .field { border: 0; padding: 0; background: none; }
.also q { display: block; margin-top: 0.25rem; }
.ref { display: block; margin-top: 0.125rem; color: var(--soft); font-size: 0.8125rem; line-height: 1.4; }
.items .ref .name { display: inline; font-size: 0.8125rem; line-height: inherit; }
.field {
  display: inline-block; max-width: 100%; min-width: 0; padding: 0 0.25rem;
  font-family: var(--mono); font-size: 0.9375em; line-height: 1.4; color: var(--ink);
  background: var(--paper); border: 1px solid var(--line); border-radius: 0.25rem;
}
.fields { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 0.375rem; min-width: 0; }
.fields > span { min-width: 0; }
.one { display: inline-flex; align-items: last baseline; max-width: 100%; }
.notes { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.125rem 0.75rem; color: var(--soft); font-size: 0.875rem; margin-top: 0.1875rem; }
.items + .fine { margin-top: 0.5rem; }
.items + h2, .tally + h2, .fine + h2 { margin-top: 1rem; }
.items.quiet { background: none; }
.items.quiet > li > .name, .items.quiet .title, .items.quiet .field { font-size: 0.9375rem; color: var(--soft); }
.tag { font-size: 0.8125rem; line-height: 1.2; color: var(--hue); border: 1.5px solid currentColor; border-radius: 0.1875rem; padding: 0.0625rem 0.375rem; }
.tag.solid { color: var(--on-hue); background: var(--hue); border-color: var(--hue); }

blockquote { border-left: 3px solid var(--edge); padding-left: 0.875rem; quotes: "\\201c" "\\201d"; }
blockquote[dir="auto"]:dir(rtl) { border-left: 0; padding-left: 0; border-right: 3px solid var(--edge); padding-right: 0.875rem; }
blockquote::before { content: open-quote; }
blockquote::after { content: close-quote; }
.clamp { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 4; line-clamp: 4; overflow: hidden; }
#more:checked + .clamp { display: block; }
.more {
  display: inline-flex; align-items: center; min-height: 2.75rem; padding: 0 0.875rem; cursor: pointer;
  font-size: 0.875rem; color: var(--hue); text-decoration: underline; text-underline-offset: 0.1875rem;
}
#more:checked ~ .more { display: none; }
#more:focus-visible ~ .more { outline: 3px solid var(--hue); outline-offset: -4px; border-radius: 0.5rem; }
.fine { color: var(--soft); font-size: 0.8125rem; line-height: 1.4; }
.said .fine { margin-top: 0.375rem; }

.facts > div { display: grid; grid-template-columns: 5.75rem minmax(0, 1fr); gap: 0 0.5rem; padding: 0.125rem 0; font-size: 0.9375rem; }
.facts dt { color: var(--soft); }

.option, .only { display: flex; gap: 0.75rem; align-items: flex-start; min-height: 3rem; padding: 0.6875rem 0.875rem; background: var(--card); border: 1px solid var(--line); }
.option { cursor: pointer; }
legend + .option { border-radius: 0.75rem 0.75rem 0 0; }
.option + .option { border-radius: 0 0 0.75rem 0.75rem; border-top: 0; }
.only { border-radius: 0.75rem; align-items: center; }
.option:has(:checked) { background: var(--hue-tint); }
.option:has(:focus-visible) { outline: 3px solid var(--hue); outline-offset: 2px; position: relative; }
.option input { flex: none; width: 1.25rem; height: 1.25rem; margin: 0.125rem 0 0; accent-color: var(--hue); outline: none; }
.option > span, .option .words, .option .hint { display: block; min-width: 0; }
.shorter { display: flex; flex-wrap: wrap; align-items: center; gap: 0 1rem; padding: 0 0.875rem; background: var(--card); border: 1px solid var(--line); border-top: 0; }
.shorter-words { color: var(--soft); font-size: 0.8125rem; }
.short { display: inline-flex; gap: 0.625rem; align-items: center; min-height: 3rem; cursor: pointer; border-radius: 0.5rem; }
.short input { flex: none; width: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--hue); outline: none; }
.shorter + .option { border-radius: 0 0 0.75rem 0.75rem; border-top: 0; }
.shorter:has(:checked) { background: var(--hue-tint); }
.hint { color: var(--soft); font-size: 0.8125rem; line-height: 1.4; }
.note { background: var(--hue-tint); border-left: 3px solid var(--hue); border-radius: 0 0.5rem 0.5rem 0; padding: 0.625rem 0.875rem; font-size: 0.9375rem; }
[data-part="attendance"]:empty, [data-part="also"]:empty { display: none; }

#again { border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); }
summary { display: flex; align-items: center; justify-content: space-between; min-height: 3rem; cursor: pointer; list-style: none; font-weight: 400; }
summary::-webkit-details-marker { display: none; }
summary::after { content: ""; width: 0.5rem; height: 0.5rem; margin-right: 0.25rem; border: solid var(--soft); border-width: 0 2px 2px 0; transform: rotate(45deg) translate(-0.125rem, -0.125rem); }
details[open] > summary::after { transform: rotate(225deg) translate(-0.125rem, -0.125rem); }
#again form { display: grid; gap: 0.5rem; padding-bottom: 1rem; }
#again label { font-size: 0.875rem; color: var(--soft); }
textarea { width: 100%; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--edge); border-radius: 0.5rem; padding: 0.625rem 0.75rem; resize: vertical; }

.bar {
  position: sticky; bottom: 0; display: grid; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: 0.75rem;
  padding: 0.75rem 1.25rem calc(0.75rem + env(safe-area-inset-bottom, 0px)); background: var(--paper); border-top: 1px solid var(--line);
}
.bar-line { grid-column: 1 / -1; font-size: 0.9375rem; line-height: 1.35; }
.bar-line[hidden] { display: none; }
.worth { display: grid; gap: 0.375rem; }
code { font-family: var(--mono); font-size: 0.9375em; overflow-wrap: anywhere; }
.button {
  display: flex; flex-direction: column; align-items: center; justify-content: center; min-height: 3.5rem; min-width: 0; padding: 0.25rem 0.75rem;
  font: inherit; font-weight: 600; font-size: 1.0625rem; line-height: 1.2; text-align: center; text-decoration: none;
  color: var(--ink); background: var(--card); border: 1.5px solid var(--edge); border-radius: 0.875rem; cursor: pointer;
  touch-action: manipulation; -webkit-tap-highlight-color: transparent;
}
.button .verb { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; line-clamp: 2; overflow: hidden; max-width: 100%; }
.button small { font-size: 0.8125rem; font-weight: 400; }
.whole { white-space: nowrap; }
.approve { color: var(--on-hue); background: var(--hue); border-color: var(--hue); }
.write .approve { border-radius: 0.1875rem; }
.button:active { transform: scale(0.98); }
.sent .button { opacity: 0.6; }
.quiet.button { min-height: 3rem; font-size: 1rem; justify-self: start; display: inline-flex; padding: 0.25rem 1.25rem; }
.for-once, .for-shorter-1, .for-shorter-2, .for-shorter-3 { display: none; }
#page:has(#once:checked) .for-once, #page:has(#shorter-1:checked) .for-shorter-1,
#page:has(#shorter-2:checked) .for-shorter-2, #page:has(#shorter-3:checked) .for-shorter-3 { display: inline; }
#page:has(#once:checked) .for-window, #page:has([id|="shorter"]:checked) .for-window { display: none; }
/* What the boxes say: all ticked, some, none. It follows the boxes themselves, so it needs no script. */
.for-some, .for-none { display: none; }
#page:has(.tick:not(:checked)) .for-all { display: none; }
#page:has(.tick:not(:checked)):has(.tick:checked) .for-some { display: inline; }
#page:has(.tick):not(:has(.tick:checked)) .for-none { display: inline; }
#page:has(.tick):not(:has(.tick:checked)) .length { display: none; }
#page:has(.tick):not(:has(.tick:checked)) .approve { color: var(--soft); background: none; border-color: var(--line); cursor: default; }
.for-signing, .unsupported { display: none; }
.signing .approve small { display: none; }
.signing .button .for-signing { display: inline; }
.no-passkeys .unsupported { display: block; }
.no-passkeys .approve[data-passkey] { display: none; }

.verdict { display: flex; align-items: flex-start; gap: 0.75rem; font-size: 2.25rem; line-height: 1.15; letter-spacing: -0.02em; margin-top: 0.5rem; }
.mark { flex: none; width: 2.25rem; height: 2.25rem; margin-top: 0.1875rem; fill: none; stroke: var(--soft); stroke-width: 2.5; stroke-linecap: round; stroke-linejoin: round; }
.mark.yes circle { fill: var(--hue); stroke: none; }
.mark.yes path { stroke: var(--on-hue); stroke-width: 3; }
.verdict .still { display: block; margin-top: 0.25rem; font-size: 1.1875rem; line-height: 1.25; letter-spacing: 0; color: var(--soft); }
.line { font-size: 1.125rem; }
.lines { display: grid; gap: 0.625rem; }
.label { display: block; color: var(--soft); font-size: 0.875rem; }
.revoke { margin-top: -0.25rem; }
.bar form { grid-column: 1 / -1; display: grid; }
.called { font-weight: 600; }
.steps { padding-left: 1.375rem; display: grid; gap: 0.5rem; }
.code { display: flex; flex-wrap: wrap; justify-content: center; gap: 0 1.25rem; padding: 1rem 0.5rem; font-family: var(--mono); font-size: 3rem; line-height: 1.2; font-weight: 600; letter-spacing: 0.06em; background: var(--card); border: 1px solid var(--line); border-radius: 0.75rem; user-select: all; }
.plain-main { gap: 0.75rem; padding-top: 22vh; }
.headline { font-size: 2.25rem; line-height: 1.15; letter-spacing: -0.02em; }
#lost { position: sticky; top: 0; z-index: 1; padding: 0.75rem 1.25rem; background: var(--ink); color: var(--paper); font-size: 0.9375rem; }

@media (max-width: 22rem) {
  .shorter { gap: 0 0.625rem; }
  .top, main, .bar { padding-left: 1rem; padding-right: 1rem; }
  .bar { gap: 0.5rem; }
  .button { padding-left: 0.375rem; padding-right: 0.375rem; }
  h1 .count { font-size: 2.25rem; }
  .verdict { font-size: 1.875rem; }
  .mark { width: 1.875rem; height: 1.875rem; }
}
@media (max-height: 22rem) {
  .bar { padding-top: 0.375rem; padding-bottom: 0.375rem; gap: 0.375rem; }
  .button { min-height: 3rem; }
}
@media (prefers-reduced-motion: no-preference) {
  .button { transition: transform 80ms; }
}
@media (forced-colors: active) {
  .approve, .badge, .tag { border: 3px solid; }
}
`;
