/**
 * What makes a page live, served as /live.js: it counts down, tells times in the phone's own zone, and brings the page
 * up to date when something changed elsewhere. It decides nothing, and without it the page still does everything.
 */
export const SCRIPT = `"use strict";
(() => {
  const page = () => document.getElementById("page");
  const news = document.getElementById("news");
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  let shownAt = Date.now();
  let atZero = false;

  const two = (n) => String(n).padStart(2, "0");
  function face(ms) {
    const s = Math.max(0, Math.ceil(ms / 1000));
    const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
    return (h > 0 ? h + ":" + two(m) : String(m)) + ":" + two(s % 60) + " left";
  }

  // What is left was measured on the other computer; from then on this one only counts.
  function tick() {
    let over = false;
    for (const timer of document.querySelectorAll("[data-left]")) {
      const left = Number(timer.dataset.left) - (Date.now() - shownAt);
      timer.textContent = face(left);
      timer.classList.toggle("soon", left < 60000);
      over ||= left <= 0;
    }
    if (over && !atZero) { atZero = true; void refresh().catch(() => undefined); }
  }

  function localTimes() {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      const today = at.toDateString() === new Date().toDateString();
      time.textContent = at.toLocaleString([], { ...(today ? {} : { dateStyle: "medium" }), timeStyle: "short" });
    }
    const text = document.querySelector(".clamp");
    const more = document.querySelector(".more");
    const box = document.getElementById("more");
    if (text && more && box && !box.checked) more.hidden = box.disabled = text.scrollHeight <= text.clientHeight + 1;
  }

  // How many of the boxes are ticked, in words that are there already.
  function tally() {
    const boxes = [...document.querySelectorAll(".tick")];
    const ticked = boxes.filter((box) => box.checked).length;
    for (const words of document.querySelectorAll("[data-ticked]"))
      words.textContent = words.dataset.ticked.replace("#", ticked);
    const yes = document.getElementById("approve");
    if (yes) yes.ariaDisabled = boxes.length > 0 && ticked === 0 ? "true" : null;
    return ticked + " of " + boxes.length + " ticked";
  }

  // While a request stands as it did only the parts that can change are exchanged, so a half-written note, the chosen
  // option, the focus and the place on the page stay as they are.
  const kind = (of) => [of.dataset.standing, ...[...of.querySelectorAll("[data-part]")].map((part) => part.dataset.part)].join();
  function show(next) {
    const now = page();
    // Signed out meanwhile: to sign in again takes a script that this page did not bring along.
    if (next.dataset.standing === "stranger" && now.dataset.standing !== "stranger") return location.reload();
    const same = kind(now) === kind(next);
    const changed = now.dataset.news !== next.dataset.news || now.dataset.standing !== next.dataset.standing;
    shownAt = Date.now();
    atZero = false;
    if (same) {
      for (const part of next.querySelectorAll("[data-part]")) {
        const old = now.querySelector('[data-part="' + part.dataset.part + '"]');
        if (!old || old.outerHTML === part.outerHTML) continue;
        const focused = document.activeElement;
        const held = old === focused ? part : old.contains(focused) && part.querySelector("#" + CSS.escape(focused.id || "none"));
        const off = [...old.querySelectorAll(".tick:not(:checked)")].map((tick) => tick.id);
        old.replaceWith(part);
        for (const tick of part.querySelectorAll(".tick")) tick.checked = !off.includes(tick.id);
        if (held) held.focus({ preventScroll: true });
      }
      now.dataset.version = next.dataset.version;
      now.dataset.news = next.dataset.news;
    } else {
      const held = now.contains(document.activeElement) ? document.activeElement.id : "";
      now.replaceWith(next);
      if (held) (document.getElementById(held) || document.querySelector("h1")).focus({ preventScroll: true });
      if (changed) scrollTo(0, 0);
    }
    localTimes();
    tick();
    tally();
    if (changed) news.textContent = next.dataset.news;
  }

  // On this computer every port is sent the cookies of every other, but not what a page keeps for itself: there it takes
  // both to be signed in.
  const KEPT = "agent-vault-page";
  const isLocal = location.protocol === "http:";
  function kept(made) {
    try {
      if (made) localStorage.setItem(KEPT, made);
      return isLocal && localStorage.getItem(KEPT) || "";
    } catch {
      return "";
    }
  }
  function newKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }
  addEventListener("formdata", (event) => {
    if (isLocal) event.formData.set("key", kept() || kept(newKey()));
  });
  const ask = (address) => fetch(address, { cache: "no-store", headers: kept() ? { [KEPT]: kept() } : {} });

  async function refresh() {
    const answer = await ask(location.href);
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = next.getElementById("page");
    if (!fresh) throw new Error("not our page");
    document.title = next.title;
    show(document.adoptNode(fresh));
  }

  function connection(lost) {
    const old = document.getElementById("lost");
    if (!lost) { if (old) old.remove(); return; }
    if (old) return;
    const line = document.createElement("p");
    line.id = "lost";
    line.setAttribute("role", "alert");
    const over = page().dataset.standing === "inbox"
      ? "If no agent runs there any more, nothing waits and nothing is open."
      : "If its agent was closed, this request is over and nothing more is released.";
    line.textContent = "No connection to the computer that asks. Trying again. " + over;
    document.body.prepend(line);
  }

  async function watch() {
    let failures = 0;
    while (page().dataset.live) {
      const began = Date.now();
      try {
        const answer = await ask(page().dataset.live + "?version=" + page().dataset.version);
        // A use that was picked up changes no version, how long somebody is waited for only grows, and the log has more
        // lines than changes: such pages are looked at after each quiet poll too.
        const stale = answer.status === 204 && ["approved", "inbox"].includes(page().dataset.standing);
        if (answer.status === 200 || answer.status === 404 || stale) await refresh();
        else if (answer.status !== 204) throw new Error("busy");
        failures = 0;
        connection(false);
        if (Date.now() - began < 500) await wait(500);
      } catch {
        failures += 1;
        if (failures > 1) connection(true);
        await wait(Math.min(15000, 500 * 2 ** failures));
      }
    }
    connection(false);
  }

  // One tap is one answer, however fast the second one follows.
  document.addEventListener("submit", (event) => {
    const root = document.documentElement;
    if (event.submitter && event.submitter.formMethod === "dialog") return;
    if (event.submitter && event.submitter.ariaDisabled === "true") return event.preventDefault();
    if (root.classList.contains("sent")) event.preventDefault();
    else root.classList.add("sent");
  });
  addEventListener("pageshow", () => document.documentElement.classList.remove("sent"));
  document.addEventListener("change", (event) => {
    if (!event.target.classList.contains("tick")) return;
    news.textContent = tally();
  });
  addEventListener("resize", localTimes);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && page().dataset.live) void refresh().catch(() => undefined);
  });

  localTimes();
  tick();
  tally();
  setInterval(tick, 1000);
  // Browsers send no sign-in along where a link on another site led here; what the page itself fetches has it.
  if (page().dataset.standing === "stranger") {
    const root = document.documentElement;
    root.classList.toggle("coming", kept() !== "");
    void refresh().catch(() => undefined).finally(() => root.classList.remove("coming")).then(watch);
  } else void watch();
})();
`;
