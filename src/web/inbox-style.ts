/** What only the inbox needs; served behind the rest in /style.css. */
export const INBOX_STYLE = `
.whose { min-width: 0; }
.inbox .headline { font-size: 1.875rem; }
.rows { display: grid; gap: 0.75rem; }
.row {
  display: flex; flex-direction: column; gap: 0.125rem; padding: 0.75rem 0.875rem; color: inherit; text-decoration: none;
  background: var(--card); border: 1px solid var(--line); border-radius: 0.75rem; min-width: 0;
}
a.row { --hue: var(--accent); --on-hue: var(--on-accent); border-color: var(--edge); touch-action: manipulation; -webkit-tap-highlight-color: transparent; }
a.row.write { --hue: var(--write); --on-hue: var(--on-write); border-top: 0.25rem solid var(--hue); }
a.row:active { background: var(--tint); }
.row .top-line { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 0 0.75rem; }
.row .badge { align-self: center; padding: 0.1875rem 0.5rem; font-size: 0.6875rem; }
.row .ask { font-weight: 600; font-size: 1.0625rem; line-height: 1.3; min-width: 0; }
.row .left { color: var(--soft); font-size: 0.875rem; margin-left: auto; }
.row .left.soon { color: var(--ink); }
.row .of, .events .of { font-size: 0.9375rem; }
.row .fine.mono { font-family: var(--mono); font-size: 0.75rem; }
.row.window { flex-direction: row; flex-wrap: wrap; align-items: stretch; justify-content: space-between; gap: 0.5rem 0.75rem; }
.row.window form { display: flex; flex-direction: column; align-items: end; justify-content: space-between; gap: 0.375rem; margin-left: auto; }
.row.window .left { line-height: 1.6; }
.inbox .more { padding: 0; margin-bottom: -0.75rem; }
.about { display: flex; flex-direction: column; gap: 0.125rem; flex: 1 1 11rem; min-width: 0; }
.row.window .button { min-height: 2.75rem; }
.behind { margin-top: 0.625rem; }
.all { margin-top: 0.75rem; }
.events { margin: 0; padding: 0; list-style: none; border-top: 1px solid var(--line); }
.events li { padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
.events .what { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 0 0.75rem; }
.events + .fine { margin-top: 0.75rem; }
.events time { color: var(--soft); font-size: 0.8125rem; }
.sign-out { margin-top: 0.5rem; }
.sign-in { display: grid; gap: 0.75rem; margin-top: 1rem; }
.signing #sign-in { opacity: 0.6; }
.coming main { visibility: hidden; }
`;
