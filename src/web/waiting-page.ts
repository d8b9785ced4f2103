import type { Card } from "../core/card.ts";
import { alsoAsking, alsoWords } from "./also-asking.ts";
import { answerBar } from "./answer-bar.ts";
import type { CardView } from "./card-view.ts";
import { client, clockFace } from "./card-parts.ts";
import { choices } from "./choices.ts";
import { html, type Markup } from "./html.ts";
import { itemList } from "./item-list.ts";
import { page } from "./page.ts";
import { extent, nounFor, secretsIn, split } from "./rows.ts";
import { count, duration } from "./words.ts";
import { worth } from "./worth.ts";

/** A request that waits for its answer: who, for what, why, what a yes opens, how long is left. */
export function waitingPage({ card, token, seal, proving, draft, now, notTaken }: CardView): string {
  const path = `/approve/${token}`;
  // Where no yes can be given there is nothing to choose.
  const canApprove = proving.is === "link" || proving.is === "passkey";
  return page({
    title: "Approve or deny - agent-vault",
    look: card.action,
    standing: "waiting",
    live: { path: `${path}/live`, version: card.version },
    news: card.attached > 0 ? "The agent is waiting." : "Nobody is waiting just now.",
    passkey: proving.is === "passkey",
    header: clockFace(card.expiresAt - now),
    main: html`<main>
      ${heading(card)} ${notTaken ? NOT_TAKEN[notTaken] : undefined} ${attendance(card)}
      ${itemList(card, { now, ...(canApprove && { ticks: draft }) })} ${said(card)} ${alsoAsking(card)} ${seen(card)}
      <form id="decide" method="post" action="${path}">
        ${ENTER_DECIDES_NOTHING}
        <input type="hidden" name="seal" value="${seal}" />
        ${canApprove ? choices(card, draft) : undefined}
      </form>
      ${again(path, seal)} ${worth(card, proving, now)}
    </main>`,
    footer: answerBar(card, path, proving),
  });
}

const NOT_TAKEN = {
  late: html`<p class="note" role="alert">An answer is just being written down.</p>`,
  changed: html`<p class="note" role="alert">
    Nothing was decided: what approving opens has changed. Look once more.
  </p>`,
  others: html`<p class="note" role="alert">
    Your answer was taken, but not for all sessions that asked for this. This one still waits.
  </p>`,
};

// Enter inside a form presses its first button. This one closes a dialog, and there is none.
const ENTER_DECIDES_NOTHING = html`<button class="none" type="submit" formmethod="dialog" tabindex="-1"></button>`;

function heading(card: Card): Markup {
  const { asked } = split(card);
  const write = card.action === "write";
  return html`<h1 tabindex="-1">
    <span class="lead">An agent that calls itself</span>
    <span class="who">${client(card)} wants to ${write ? "save" : "read"}</span>
    <span class="count"
      >${count(secretsIn(asked), "secret")} <span class="badge">${write ? "WRITE" : "READ"}</span></span
    >
    <span class="where"
      >${fieldCount(card)}${write ? "to" : "from"} <bdi class="vault">${card.vault}</bdi>
      <span class="kind">${card.provider}</span></span
    >
    ${card.alsoAsking?.length ? html`<span class="lead">${alsoWords(card.alsoAsking)}</span>` : undefined}
  </h1>`;
}

/** Said where there are more of them than secrets. */
function fieldCount(card: Card): Markup | undefined {
  const { asked } = split(card);
  if (nounFor(asked) !== "field" || asked.length === 1) return undefined;
  const words = count(asked.length, "field");
  return html`<strong>${extent(card) === "every" ? `all ${words}` : words}</strong>, `;
}

function attendance(card: Card): Markup {
  if (card.attached > 0) return html`<div data-part="attendance"></div>`;
  return html`<div data-part="attendance">
    <p class="note">
      Nobody is waiting just now. Approving lets the agent's next try through, for ${duration(card.pickupMs)}.
    </p>
  </div>`;
}

/** Claims. At most four lines are shown until the person asks for more; the script hides the switch when all fits. */
function said({ reason, requester }: Card): Markup {
  const long = reason.length > 90;
  const { folder, process, roots = [] } = requester.claims;
  const places = [...new Set([...(folder === undefined ? [] : [folder]), ...roots])];
  return html`<section class="said">
<h2>The agent says</h2>
${long ? html`<input class="unseen" type="checkbox" id="more" />` : undefined}
<blockquote${long ? html` class="clamp"` : undefined} dir="auto">${reason}</blockquote>
${long ? html`<label for="more" class="more">Show all it says</label>` : undefined}
${places.length > 0 ? html`<p class="fine">It says it works in ${places.map((root, at) => html`${at > 0 ? ", " : ""}<bdi class="mono" dir="ltr">${root}</bdi>`)}</p>` : undefined}
${process === undefined ? undefined : html`<p class="fine">It says <bdi class="mono" dir="ltr">${process}</bdi> started it</p>`}
</section>`;
}

function seen({ requester, approvedBefore }: Card): Markup {
  const { folder, host, user, process } = requester.facts;
  return html`<section>
    <h2>We saw</h2>
    <dl class="facts">
      ${
        folder === undefined
          ? undefined
          : html`<div>
              <dt>Folder</dt>
              <dd><bdi class="mono" dir="ltr">${folder}</bdi></dd>
            </div>`
      }
      <div>
        <dt>Computer</dt>
        <dd><bdi>${host}</bdi>, user <bdi>${user}</bdi></dd>
      </div>
      ${
        process === undefined
          ? undefined
          : html`<div>
              <dt>Started by</dt>
              <dd><bdi class="mono" dir="ltr">${process}</bdi></dd>
            </div>`
      }
      <div>
        <dt>Before</dt>
        <dd>${before(approvedBefore)}</dd>
      </div>
    </dl>
  </section>`;
}

function before(times: number): string {
  return times === 0 ? "First time in this session" : `Approved ${count(times, "time")} before in this session`;
}

function again(path: string, seal: string): Markup {
  return html`<details id="again">
    <summary>Ask again differently</summary>
    <form method="post" action="${path}">
      <input type="hidden" name="seal" value="${seal}" />
      <label for="note">A note for the agent</label>
      <textarea id="note" name="note" rows="3" maxlength="500" aria-describedby="note-hint"></textarea>
      <p class="fine" id="note-hint">Nothing is released. The agent reads your note and may ask again at once.</p>
      <button class="button quiet" type="submit" name="verdict" value="again">Send back</button>
    </form>
  </details>`;
}
