import type { WaitingLine, WindowLine } from "../core/overview.ts";
import { html, type Markup } from "./html.ts";
import { eventList, nameList } from "./inbox-events.ts";
import { inOrder, type InboxView, stampOf, type WaitingGroup } from "./inbox-view.ts";
import { page } from "./page.ts";
import { count, countdown } from "./words.ts";

/** More than a person looks through; the rest is said as a number. */
const MOST_ROWS = 100;

/** Everything that waits and everything that is open, for a phone that is signed in. */
export function inboxPage(view: InboxView): string {
  const { overview, events, name, seal, now } = view;
  const { groups, behind } = inOrder(overview.waiting);
  const hasNames = groups.length + overview.windows.length > 0;
  const title = groups.length === 0 ? "Nothing waits" : `${count(groups.length, "request")} waiting`;
  return page({
    title: groups.length === 0 ? "Inbox - agent-vault" : `(${groups.length}) Inbox - agent-vault`,
    look: "inbox",
    standing: "inbox",
    live: { path: "/inbox/live", version: stampOf(overview) },
    news: `${title}. ${opens(overview.windows)} open.`,
    header: html`<bdi class="whose">${name}</bdi>`,
    main: html`<main>
      <div data-part="title">
        <h1 class="headline" tabindex="-1">${title}</h1>
        ${
          groups.length > 0 && overview.windows.length > 0
            ? html`<a class="more" href="#open">${overview.windows.length} open now</a>`
            : undefined
        }
      </div>
      <section data-part="waiting" aria-label="Waiting">${waitingRows(groups, now)} ${behindLines(behind)}</section>
      <section data-part="open">
        <h2 id="open">Open now</h2>
        ${openRows(overview.windows, { seal, now })}
      </section>
      <section data-part="events">
        <h2>Latest</h2>
        ${events ? eventList(events, now) : html`<p class="fine">The log cannot be read just now.</p>`}
        ${hasNames ? html`<p class="fine">Names of agents are what they call themselves.</p>` : undefined}
      </section>
      <form method="post" action="/inbox" class="sign-out">
        <input type="hidden" name="seal" value="${seal}" />
        <button class="button quiet" id="sign-out" type="submit" name="do" value="sign-out">Sign out</button>
      </form>
    </main>`,
  });
}

function waitingRows(groups: readonly WaitingGroup[], now: number): Markup | undefined {
  if (groups.length === 0) return html`<p class="fine">What an agent asks for shows up here by itself.</p>`;
  const more = groups.length - MOST_ROWS;
  return html`<ul class="rows">
      ${groups.slice(0, MOST_ROWS).map((group) => waitingRow(group, now))}
    </ul>
    ${more > 0 ? html`<p class="fine behind">And ${more} more.</p>` : undefined}`;
}

function waitingRow({ line, sessions }: WaitingGroup, now: number): Markup {
  const { token, request, action, names, vault } = line;
  const write = action === "write";
  const others = sessions > 1 ? html`<span class="fine">The same for ${count(sessions, "session")}</span>` : undefined;
  return html`<li>
    <a class="row ${action}" id="waiting-${request}" href="/approve/${token}">
      <span class="top-line"
        ><span class="badge">${write ? "WRITE" : "READ"}</span> ${timeLeft(line.expiresAt - now)}</span
      >
      <span class="ask"
        >${clientOf(line)} wants to ${write ? "save" : "read"}
        ${names.length === 1 ? undefined : count(names.length, "secret")}</span
      >
      <span class="of">${nameList(names)} ${write ? "to" : "from"} <bdi class="vault">${vault}</bdi></span>
      ${placeOf(line)} ${others}
    </a>
  </li>`;
}

/** Those of one client that wait for their turn. */
function behindLines(behind: ReadonlyMap<string, number>): readonly Markup[] {
  return [...behind].map(
    ([client, n]) =>
      html`<p class="fine behind">${n} more of ${clientOf({ client })} ${n === 1 ? "waits" : "wait"} behind these.</p>`,
  );
}

function openRows(windows: readonly WindowLine[], { seal, now }: Pick<InboxView, "seal" | "now">): Markup {
  if (windows.length === 0)
    return html`<p class="fine">Nothing is open: no agent can read anything without asking.</p>`;
  const all = html`<form method="post" action="/inbox">
    <input type="hidden" name="seal" value="${seal}" />
    <button class="button quiet all" id="end-all" type="submit" name="do" value="revoke-all">Revoke everything</button>
  </form>`;
  return html`<ul class="rows">
      ${windows.slice(0, MOST_ROWS).map((line) => openRow(line, seal, now))}
    </ul>
    ${windows.length > MOST_ROWS ? html`<p class="fine behind">And ${windows.length - MOST_ROWS} more.</p>` : undefined}
    ${windows.length > 1 ? all : undefined}`;
}

function openRow(line: WindowLine, seal: string, now: number): Markup {
  const { approval, vault, scope, names, isOnce, until, by } = line;
  const what =
    scope === "vault"
      ? html`<strong>ALL of <bdi class="vault">${vault}</bdi></strong>`
      : html`${nameList(names)} in <bdi class="vault">${vault}</bdi>`;
  const once = until === undefined ? "Just once, on its way" : "Just once, not used yet";
  return html`<li class="row window">
    <div class="about">
      <span class="ask">${clientOf(line)}</span> <span class="of">${what}</span>
      ${isOnce ? html`<span class="fine">${once}</span>` : undefined} ${placeOf(line)}
      ${by === undefined ? undefined : html`<span class="fine">Approved by <bdi>${by}</bdi></span>`}
    </div>
    <form method="post" action="/inbox">
      ${until === undefined ? undefined : timeLeft(until - now)}
      <input type="hidden" name="seal" value="${seal}" />
      <input type="hidden" name="approval" value="${approval}" />
      <button
        class="button quiet"
        id="end-${approval}"
        type="submit"
        name="do"
        value="revoke"
        aria-label="Revoke ${names.join(", ")} of ${vault}"
      >
        Revoke
      </button>
    </form>
  </li>`;
}

function opens(windows: readonly WindowLine[]): string {
  return windows.length === 0 ? "Nothing" : count(windows.length, "permission");
}

function placeOf({ folder }: Pick<WaitingLine, "folder">): Markup | undefined {
  return folder === "" ? undefined : html`<bdi class="fine mono" dir="ltr">${folder}</bdi>`;
}

function clientOf({ client }: Pick<WaitingLine, "client">): Markup {
  const name = client.trim();
  return name === "" ? html`An agent without a name` : html`<bdi>${name}</bdi>`;
}

/** As on the page of a request: the script counts it down. */
function timeLeft(ms: number): Markup {
  const left = Math.max(0, ms);
  return html`<span class="left" data-left="${left}">${countdown(left)} left</span>`;
}
