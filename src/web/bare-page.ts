import { html } from "./html.ts";
import { page } from "./page.ts";

/** What became of an attempt to sign in, for its page. */
export const TRIED = {
  refused: "That passkey did not sign you in. Use the device you paired.",
  unkept: "You could not be signed in just now. Try again in a moment.",
} as const;

/**
 * What everybody sees who is not signed in, at every address of the inbox. Where somebody is paired it offers them to
 * sign in; it tells nothing else.
 */
export function barePage({ seal, tried }: { seal?: string; tried?: keyof typeof TRIED } = {}): string {
  const signIn =
    seal === undefined
      ? undefined
      : html`<form method="post" action="/inbox" class="sign-in">
          <input type="hidden" name="seal" value="${seal}" />
          <p class="note" role="alert" data-says ${tried ? undefined : HIDDEN}>${tried && TRIED[tried]}</p>
          <button
            class="button approve"
            id="sign-in"
            type="submit"
            name="do"
            value="sign-in"
            data-passkey="sign"
            data-options="/inbox/challenge"
            data-closed="The passkey was not used, so you are not signed in. Use the device you paired."
          >
            Sign in with your passkey
          </button>
          <p class="fine unsupported">This browser has no passkeys: use the one you paired with.</p>
          <noscript><p class="fine">Signing in needs JavaScript.</p></noscript>
        </form>`;
  return page({
    title: "agent-vault",
    look: "plain",
    ...(seal !== undefined && { standing: "stranger", passkey: true }),
    main: html`<main class="plain-main">
      <h1 class="headline">agent-vault</h1>
      <p>An agent asks here before it may use a secret.</p>
      <p>Each request has its own link. Open the one you were sent.</p>
      ${signIn && html`<p>Sign in to see what waits and what is open.</p>`} ${signIn}
    </main>`,
  });
}

const HIDDEN = html`hidden`;
