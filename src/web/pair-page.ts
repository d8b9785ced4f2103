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
}

type Stage = PairingView["stage"];

/** In the order they come: where each stands is the version of its page. */
export const STAGES: readonly Stage[] = ["ready", "confirm", "compare", "done", "failed", "over"];

/** One stage in words. */
interface Step {
  readonly headline: Markup;
  readonly main: Markup;
  /** What one can do at this stage. */
  readonly button?: { readonly words: string; readonly passkey: "create" | "sign"; readonly closed: string };
}

/** The page of a change of who may approve, at the stage it is at. */
export function pairPage({ view, token, seal, now }: PairPageView): string {
  const { stage, expiresAt } = view;
  const path = `/pair/${token}`;
  const { headline, main, button } = STEPS[stage](view);
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
      ${main}
    </main>`,
    ...(button && { footer: bar(button, path, seal) }),
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

const STEPS: Readonly<Record<Stage, (view: PairingView) => Step>> = {
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
  return {
    headline: html`<span>${isAdd ? "Allow one more?" : "Remove an approver?"}</span>`,
    main: html`${
        isAdd
          ? html`<p class="line">${called} is to approve what agents ask for, from now on.</p>`
          : html`<p class="line">${called} is to approve no more. What it had approved is over with it.</p>`
      }
      ${note(view)}
      <p class="fine">On a device whose passkey may sign, open this same page and sign here.</p>`,
    button: {
      words: isAdd ? "Allow with passkey" : "Remove with passkey",
      passkey: "sign",
      closed: "The passkey was not used, so nothing changed. You can try again.",
    },
  };
}

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
      <p class="fine">If no terminal of yours asks for them, close this page: then it was not you who began.</p>`,
  };
}

function done(view: PairingView): Step {
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
      ${note(view)}
      <p><a class="button quiet" href="/inbox">See what waits</a></p>
      <p class="fine">Pair a second device too, in case this one is lost.</p>`,
  };
}

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

function note({ text }: PairingView): Markup | undefined {
  return text === undefined ? undefined : html`<p class="note"><bdi>${text}</bdi></p>`;
}

function bar({ words, passkey, closed }: NonNullable<Step["button"]>, path: string, seal: string): Markup {
  return html`<footer class="bar" aria-label="What to do">
    <p class="bar-line" role="alert" data-says hidden></p>
    <p class="bar-line unsupported">This browser has no passkeys. Open the link in another one.</p>
    <noscript><p class="bar-line">A passkey needs script, and this browser runs none here.</p></noscript>
    <form method="post" action="${path}">
      <input type="hidden" name="seal" value="${seal}" />
      <button
        class="button approve"
        id="go"
        type="submit"
        data-passkey="${passkey}"
        data-options="${path}/begin"
        data-closed="${closed}"
      >
        <span class="verb">${words}</span> <small class="for-signing">waiting for your passkey</small>
      </button>
    </form>
  </footer>`;
}
