import type { Card } from "../core/card.ts";
import { positionsToTick } from "./answer-form.ts";
import type { Draft } from "./draft.ts";
import { html, type Markup } from "./html.ts";
import { split, these } from "./rows.ts";
import { shorterWindows } from "./windows.ts";
import { duration } from "./words.ts";

/** What a yes opens, for how long: the window that is configured, a shorter one, or just this once. */
export function choices(card: Card, draft: Draft): Markup {
  const { windowMs } = card.offer;
  if (windowMs === 0) {
    return html`<section>
      <h2>If you approve</h2>
      <p class="only">just this once</p>
      <input type="hidden" name="choice" value="once" />
    </section>`;
  }
  const chosen = chosenIn(card, draft);
  const shorter = shorterWindows(windowMs);
  return html`<fieldset>
    <legend>If you approve</legend>
    ${option("window", { value: "window", chosen, words: windowWords(card), hint: windowHint(card) })}
    ${
      shorter.length === 0
        ? undefined
        : html`<div class="shorter">
            <span class="shorter-words">or</span>
            ${shorter.map((lengthMs, at) => short(idOf(at), { lengthMs, chosen }))}
          </div>`
    }
    ${option("once", { value: "once", chosen, words: html`just this once`, hint: html`Next time it has to ask again.` })}
  </fieldset>`;
}

/** What the button says besides its verb: one of these shows, for what is chosen and ticked. */
export function openingWords(card: Card, isSigned: boolean): Markup {
  const { windowMs, scope } = card.offer;
  const hasTicks = positionsToTick(card).length > 0;
  const some = hasTicks ? html`<span class="for-some">${ONLY_TICKED}, </span>` : undefined;
  const none = hasTicks ? html`<span class="for-none">nothing ticked</span>` : undefined;
  const once = html`just this once`;
  const signed = isSigned ? html`<span class="length">, <span class="whole">with passkey</span></span>` : undefined;
  if (windowMs === 0) return html`<small>${some}${none}<span class="length">${once}</span>${signed}</small>`;
  const whole = scope === "vault" ? html`<span class="for-all">ALL </span>` : undefined;
  return html`<small
    >${some}${none}<span class="length"
      ><span class="for-window">${whole}for ${duration(windowMs)}</span>${shorterWindows(windowMs).map(
        (lengthMs, at) => html`<span class="for-${idOf(at)}"> ${whole}for ${duration(lengthMs)}</span>`,
      )}<span class="for-once"> ${once}</span></span
    >${signed}</small
  >`;
}

function idOf(at: number): string {
  return `shorter-${at + 1}`;
}

/** The value of the choice to begin with. */
function chosenIn({ offer }: Card, { choice, windowMs }: Draft): string {
  if (choice === "once") return choice;
  return windowMs !== undefined && shorterWindows(offer.windowMs).includes(windowMs) ? String(windowMs) : "window";
}

interface Option {
  readonly value: string;
  readonly chosen: string;
  readonly words: Markup;
  readonly hint: Markup;
}

function option(id: "window" | "once", { value, chosen, words, hint }: Option): Markup {
  return html`<label class="option" for="${id}">
    <input type="radio" name="choice" id="${id}" value="${value}" ${checkedIf(value === chosen)} />
    <span><span class="words">${words}</span> <span class="hint">${hint}</span></span>
  </label>`;
}

function short(id: string, { lengthMs, chosen }: { readonly lengthMs: number; readonly chosen: string }): Markup {
  const value = String(lengthMs);
  return html`<label class="short" for="${id}"
    ><input type="radio" name="choice" id="${id}" value="${value}" ${checkedIf(value === chosen)} /><span
      >${duration(lengthMs)}</span
    ></label
  >`;
}

function checkedIf(is: boolean): Markup | undefined {
  return is ? html`checked` : undefined;
}

function windowWords(card: Card): Markup {
  const { asked } = split(card);
  const length = duration(card.offer.windowMs);
  const isVault = card.offer.scope === "vault";
  const all = isVault ? html`<strong>ALL of <bdi dir="ltr">${card.vault}</bdi></strong>` : html`${these(asked)}`;
  if (positionsToTick(card).length === 0) return html`${all} for ${length}`;
  return html`<span class="for-all">${all}</span><span class="for-some">${ONLY_TICKED},</span> for ${length}`;
}

/** The script counts; without it the words still hold. */
const ONLY_TICKED = html`only <span data-ticked="the # ticked">what is ticked</span>`;

function windowHint(card: Card): Markup {
  const again = "The agent can read again without asking.";
  if (card.offer.scope === "secret") return html`${again}`;
  const whole = "Every secret in this vault, not only those listed here, without asking again.";
  if (positionsToTick(card).length === 0) return html`${whole}`;
  return html`<span class="for-all">${whole}</span><span class="for-some">Nothing else in this vault. ${again}</span>`;
}
