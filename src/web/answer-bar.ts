import type { Card } from "../core/card.ts";
import { openingWords } from "./choices.ts";
import { html, type Markup } from "./html.ts";
import type { Proving } from "./proving.ts";

/** The two buttons, always in view; and what stands in the place of Approve where it cannot be given. */
export function answerBar(card: Card, path: string, proving: Proving): Markup {
  return html`<footer class="bar" aria-label="Your answer">
    ${lines(card, proving)}
    <button class="button deny" type="submit" form="decide" id="deny" name="verdict" value="deny">
      <span class="verb">Deny</span>
    </button>
    ${yes(card, path, proving)}
  </footer>`;
}

function yes(card: Card, path: string, proving: Proving): Markup | undefined {
  if (proving.is === "link") return approve(card, undefined);
  if (proving.is === "passkey") {
    return approve(
      card,
      html` data-passkey="sign" data-options="${path}/sign" data-closed="${closedWords(proving.by)}"`,
    );
  }
  if (proving.is !== "elsewhere") return undefined;
  return html`<a class="button approve" id="elsewhere" href="${proving.origin}${path}"
    ><span class="verb">Open to approve</span> <small>at <bdi dir="ltr">${new URL(proving.origin).host}</bdi></small></a
  >`;
}

function approve(card: Card, sign: Markup | undefined): Markup {
  const verb =
    card.action === "write"
      ? html`<span class="verb">Save to <bdi dir="ltr">${card.vault}</bdi></span>`
      : html`<span class="verb">Approve</span>`;
  const signing = sign && html`<small class="for-signing">waiting for your passkey</small>`;
  return html`<button
    class="button approve"
    type="submit"
    form="decide"
    id="approve"
    name="verdict"
    value="approve"
    ${sign}
  >
    ${verb} ${openingWords(card, sign !== undefined)} ${signing}
  </button>`;
}

const MOST_NAMED = 3;

/** A phone that has none of these passkeys offers others, or none at all, and does not say why. */
function closedWords(by: readonly string[]): string {
  return `Nothing was decided: the passkey was not used. Use a device that is paired: ${by.slice(0, MOST_NAMED).join(" or ")}.`;
}

/** Said above the buttons, where it cannot be missed. */
function lines({ requester }: Card, proving: Proving): Markup | undefined {
  const host = html`<bdi>${requester.facts.host}</bdi>`;
  const said = {
    link: () => undefined,
    passkey: () =>
      html`<p class="bar-line" role="alert" data-says hidden></p>
        <p class="bar-line unsupported">
          This browser has no passkeys. Open this page in one that has; Deny works here.
        </p>
        <noscript
          ><p class="bar-line">
            Approving needs your passkey, and the browser asks for it by script. Deny works without.
          </p></noscript
        >`,
    elsewhere: () =>
      html`<p class="bar-line">
        The passkey does not work at this address. Open this same request where it was paired.
      </p>`,
    nowhere: () =>
      html`<p class="bar-line">
        No passkey works at this address.
        ${proving.is === "nowhere" && proving.onHost ? html`Approve in a browser on ${host}, or pair here:` : "To approve, pair again:"}
        <code>agent-vault pair</code> on ${host}.
      </p>`,
    unknown: () =>
      html`<p class="bar-line">
        Whose passkeys count cannot be read on ${host} just now, so this cannot be approved.
      </p>`,
  };
  return said[proving.is]();
}
