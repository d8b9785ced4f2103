import type { PairingView } from "../core/pairing.ts";
import { clockFace } from "./card-parts.ts";
import { html, type Markup } from "./html.ts";
import { mark } from "./icon.ts";
import { page } from "./page.ts";

export interface PairPageView {
  readonly view: PairingView;
  readonly token: string;
  readonly seal: string;
  readonly now: number;
  /** Whether the inbox is at this address already, or comes when the next agent asks; absent: there is none. */
  readonly inbox?: "here" | "later" | undefined;
}

type Stage = PairingView["stage"];

/** In the order they come: where each stands is the version of its page. */
export const STAGES: readonly Stage[] = ["ready", "confirm", "compare", "done", "failed", "over"];

/** One stage in words. */
interface Step {
  readonly headline: Markup;
  readonly main: Markup;
  /** What one can do at this stage. */
  readonly button?: Button;
}

interface Button {
  readonly words: string;
  readonly passkey: "create" | "sign";
  readonly closed: string;
  /** Set where it is not what most come for: it waits behind these words. */
  readonly behind?: string;
}

/** The page of a change of who may approve, at the stage it is at. */
export function pairPage({ view, token, seal, now, inbox }: PairPageView): string {
  const { stage, expiresAt } = view;
  const path = `/pair/${token}`;
  const { headline, main, button } = STEPS[stage](view, inbox);
  const isOpen = stage === "ready" || stage === "confirm" || stage === "compare";
  return page({
    title: view.kind === "add" ? "Pairing - agent-vault" : "Removing - agent-vault",
    look: "pair",
    standing: stage,
    news: NEWS[stage],
    passkey: isOpen,
    ...(isOpen && {
      live: { path: `${path}/live`, version: STAGES.indexOf(stage) },
      header: clockFace(expiresAt - now),
    }),
    main: html`<main>
      <h1 class="verdict" id="verdict" tabindex="-1">${headline}</h1>
      ${main} ${button?.behind === undefined ? undefined : aside(button, button.behind, path, seal)}
    </main>`,
    ...(button && button.behind === undefined && { footer: bar(button, path, seal) }),
  });
}

/** What a screen reader is told when the page becomes this one by itself. */
const NEWS: Readonly<Record<Stage, string>> = {
  ready: "Create a passkey.",
  confirm: "One who can approve has to sign.",
  compare: "Type the code into the terminal.",
  done: "Done.",
  failed: "That did not work.",
  over: "Time is up.",
};

const STEPS: Readonly<Record<Stage, (view: PairingView, inbox: PairPageView["inbox"]) => Step>> = {
  ready: ready,
  confirm: confirm,
  compare: compare,
  done: done,
  failed: (view) => ended(view, "no", view.kind === "add" ? "Not paired" : "Not removed"),
  over: (view) => ended(view, "over", "Time is up"),
};

function ready(view: PairingView): Step {
  return {
    headline: html`<span>Pair this device</span>`,
    main: html`${note(view)}
      <p class="line">It will approve what agents ask for, under the name <bdi class="called">${view.name}</bdi>.</p>
      <ol class="steps">
        <li>Create a passkey here, with the lock of this device: face, finger or PIN.</li>
        <li>Then this page shows six digits. Type them into the terminal.</li>
      </ol>
      <p class="fine">
        Only if it was you who ran <code>agent-vault pair</code> just now. Nothing counts before the digits are typed
        there.
      </p>`,
    button: { words: "Create passkey", passkey: "create", closed: "No passkey was created. You can try again." },
  };
}

function confirm(view: PairingView): Step {
  const isAdd = view.kind === "add";
  const called = html`<bdi class="called">${view.name}</bdi>`;
  if (view.isOwn) {
    return {
      headline: html`<span>One more step</span>`,
      main: html`${note(view)}
        <p class="line">Open the same link there. This page goes on by itself.</p>`,
      button: { ...SIGN_ADD, behind: "It can sign on this device, too" },
    };
  }
  return {
    headline: html`<span>${isAdd ? "Allow one more?" : "Remove an approver?"}</span>`,
    main: html`${
        isAdd
          ? html`<p class="line">From now on ${called} can approve what agents ask for, too.</p>`
          : html`<p class="line">${called} will not be able to approve any more, and what it approved ends.</p>`
      }
      ${note(view, "On another device, open this same link there.")}
      <p class="fine">If it was not you who began this, close this page: nothing changes.</p>`,
    button: isAdd ? SIGN_ADD : { ...SIGN_ADD, words: "Remove with passkey" },
  };
}

const SIGN_ADD: Button = {
  words: "Allow with passkey",
  passkey: "sign",
  closed: "The passkey was not used, so nothing changed. You can try again.",
};

function compare(view: PairingView): Step {
  const { code } = view;
  if (code === undefined) {
    return {
      headline: html`<span>Almost there</span>`,
      main: html`${note(view)}
        <p class="line">Type it into the terminal.</p>`,
    };
  }
  const half = Math.ceil(code.length / 2);
  return {
    headline: html`<span>Type this into the terminal</span>`,
    main: html`<p class="code" aria-label="${[...code].join(" ")}">
        <span>${code.slice(0, half)}</span> <span>${code.slice(half)}</span>
      </p>
      <p class="line">
        The window where <code>agent-vault pair</code> runs asks for it. Until it is typed there, nothing counts.
      </p>
      <p class="fine">If no terminal of yours asks for this code, close this page: then it was not you who began.</p>`,
  };
}

function done(view: PairingView, inbox: PairPageView["inbox"]): Step {
  const called = html`<bdi class="called">${view.name}</bdi>`;
  if (view.kind === "remove") {
    return {
      headline: html`${mark("yes")}<span>Removed</span>`,
      main: html`<p class="line">${called} approves no more, and what it had approved is over.</p>
        ${note(view)}
        <p class="fine">Its passkey can be deleted from that device. You can close this page.</p>`,
    };
  }
  return {
    headline: html`${mark("yes")}<span>Paired</span>`,
    main: html`<p class="line">
        ${called} approves from now on: a request needs its passkey, the link alone is not enough.
      </p>
      ${note(view)} ${inbox && SEE[inbox]}
      <p class="fine">Pair a second device too, in case this one is lost.</p>`,
  };
}

const SEE = {
  here: html`<p><a class="button quiet" href="/inbox">See what waits</a></p>`,
  later: html`<p class="fine">
    What waits for you will stand at <code>/inbox</code> of this address, as soon as an agent asks.
  </p>`,
} as const;

function ended(view: PairingView, shape: "no" | "over", words: string): Step {
  const [command, nothing] =
    view.kind === "add"
      ? ["agent-vault pair", "This device was not paired."]
      : ["agent-vault approvers", "Nobody was removed."];
  return {
    headline: html`${mark(shape)}<span>${words}</span>`,
    main: html`${note(view)}
      <p class="line">${nothing} Start again in the terminal: <code>${command}</code></p>`,
  };
}

function note({ text }: PairingView, more?: string): Markup | undefined {
  if (text === undefined) return undefined;
  return html`<p class="note"><bdi>${text}</bdi>${more === undefined ? undefined : ` ${more}`}</p>`;
}

function bar(button: Button, path: string, seal: string): Markup {
  return html`<footer class="bar" aria-label="What to do">${SAID} ${form(button, "approve", path, seal)}</footer>`;
}

/** The same button, for the few. */
function aside(button: Button, words: string, path: string, seal: string): Markup {
  return html`<details>
    <summary>${words}</summary>
    ${SAID} ${form(button, "quiet", path, seal)}
  </details>`;
}

const SAID = html`<p class="bar-line" role="alert" data-says hidden></p>
  <p class="bar-line unsupported">This browser has no passkeys. Open the link in another one.</p>
  <noscript><p class="bar-line">A passkey needs script, and this browser runs none here.</p></noscript>`;

function form({ words, passkey, closed }: Button, look: "approve" | "quiet", path: string, seal: string): Markup {
  return html`<form method="post" action="${path}">
    <input type="hidden" name="seal" value="${seal}" />
    <button
      class="button ${look}"
      id="go"
      type="submit"
      data-passkey="${passkey}"
      data-options="${path}/begin"
      data-closed="${closed}"
    >
      <span class="verb">${words}</span> <small class="for-signing">waiting for your passkey</small>
    </button>
  </form>`;
}
