import { WEBAUTHN } from "./webauthn.ts";

/**
 * What asks the phone for its passkey, served as /passkey.js. A button opts in by what it carries:
 *
 * - `data-passkey`: `sign` with a passkey, or `create` one;
 * - `data-options`: the path that makes the options. It is sent the fields of the form, and answers 200 with
 *   `{ options, decision? }`, or anything else with `{ say, to? }`: a sentence, and where to go on.
 *
 * When the browser has signed, the fields that were sent for the options are sent to the form's own action, with one
 * more: `signed`, the JSON of `{ decision?, response }`. What went wrong is said in the element with `data-says`; a
 * button's `data-closed` is what it says when the person closed the prompt.
 * Where the browser has no passkeys at all the page gets the class `no-passkeys`, and such a button sends nothing.
 */
export const PASSKEY_SCRIPT = `${WEBAUTHN}
(() => {
  const root = document.documentElement;
  const { browserSupportsWebAuthn, startAuthentication, startRegistration } = webauthn;
  if (!browserSupportsWebAuthn()) root.classList.add("no-passkeys");
  let busy = false;

  function say(text) {
    const line = document.querySelector("[data-says]");
    if (!line) return;
    line.textContent = text;
    line.hidden = text === "";
  }

  const CLOSED = "The passkey was not used, so nothing changed.";
  function wordsFor(error, button) {
    if (error.name === "SecurityError") return "This browser uses no passkey at this address, so nothing changed.";
    if (error.name === "InvalidStateError") return "This device already has a passkey for this.";
    if (error.name === "NotAllowedError" || error.name === "AbortError") return button.dataset.closed || CLOSED;
    return "This browser could not use a passkey, so nothing changed.";
  }

  async function optionsFor(button, fields) {
    const headers = { accept: "application/json" };
    const sent = { method: "POST", body: new URLSearchParams(fields), headers, cache: "no-store", redirect: "error" };
    try {
      const answer = await fetch(button.dataset.options, sent);
      const reply = await answer.json();
      return answer.ok ? reply : { say: reply.say, to: reply.to };
    } catch {
      return { say: "No connection to the computer that asks. Nothing changed." };
    }
  }

  function send(action, fields) {
    const form = document.createElement("form");
    form.method = "post";
    form.action = action;
    for (const [name, value] of fields) {
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = name;
      field.value = value;
      form.append(field);
    }
    form.hidden = true;
    document.body.append(form);
    root.classList.add("sent");
    form.submit();
  }

  async function run(form, button) {
    const fields = [...new FormData(form), [button.name, button.value]].filter(([name]) => name !== "");
    const { options, decision, say: why, to } = await optionsFor(button, fields);
    if (to) return location.assign(to);
    if (!options) return say(why || CLOSED);
    let response;
    try {
      const start = button.dataset.passkey === "create" ? startRegistration : startAuthentication;
      response = await start({ optionsJSON: options });
    } catch (error) {
      return say(wordsFor(error, button));
    }
    // What was sent for the options is what was signed, whatever the page has become meanwhile.
    send(form.action, [...fields, ["signed", JSON.stringify({ decision, response })]]);
  }

  // Before every other listener: whoever counts what is sent shall count only the answer itself.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button || !button.dataset.passkey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (button.ariaDisabled === "true") return;
    if (busy || root.classList.contains("sent") || root.classList.contains("no-passkeys")) return;
    busy = true;
    root.classList.add("signing");
    say("");
    void run(event.target, button).finally(() => {
      busy = false;
      root.classList.remove("signing");
    });
  }, true);
  addEventListener("pageshow", () => root.classList.remove("signing"));
})();
`;
