import * as z from "zod";
import { VaultError } from "../../../../src/core/errors.ts";
import type { Each, Provider } from "../../../../src/core/ports.ts";
import type { Handle, Plan } from "../../../../src/core/request.ts";
import { Secret } from "../../../../src/core/secret.ts";
import { quoted } from "../../../../src/core/text.ts";
import { defineProvider, type ProviderContext } from "../../../../src/providers/define.ts";
import { createHttp, type Http, type HttpAnswer } from "../../../../src/providers/http.ts";
import { type Bug, buggyHttp } from "./bugs.ts";
import { checked, type Entry, kept, list, nothingCalled, refuseAborted, severalCalled } from "./names.ts";

const PRIMARY = "password";

/** The provider of the paper vault: as good as it can be, but for one bug at most. */
export function paperWith(bug?: Bug) {
  return defineProvider({
    type: "paper",
    title: "paper vault",
    summary: "A vault that exists for these tests only.",
    can: ["list", "fields", "prepare", "write"],
    options: z.strictObject({
      server: z.string().describe("Where it is"),
      token: z.string().describe("What it knows us by"),
      ca: z.string().describe("Whom it vouches by"),
    }),
    example: { server: "https://paper.example", token: "env:PAPER_TOKEN", ca: "paper.pem" },
    open: async (options, context) => openPaper(options, context, bug),
  });
}

/** Without a bug. */
export const paper = paperWith();
/** Those whose bug shows in a process of their own. */
export const eager = paperWith("opens a connection early");
export const sleepless = paperWith("stays awake");
export const clinging = paperWith("does not hang up");

interface Options {
  readonly server: string;
  readonly token: string;
  readonly ca: string;
}

function openPaper({ server, token, ca }: Options, context: ProviderContext, bug: Bug | undefined): Provider {
  const is = (planted: Bug): boolean => bug === planted;
  const { clock } = context;
  const options = { address: "server", ca: "ca" };
  const common = { who: "the paper vault", origin: server, options, userAgent: "paper", clock };
  const good = createHttp({ ...common, ca, token: new Secret(token) });
  const http: Http = bug === undefined ? good : buggyHttp(bug, good, { server, token, ca, clock });
  const names = kept(clock, bug, (signal) => list(http, signal, bug));
  if (is("opens a connection early"))
    void http.request({ method: "GET", path: "/papers", signal: none }).catch(() => {});
  if (is("stays awake")) setInterval(() => {}, 1_000);

  const known = (signal: AbortSignal): Promise<readonly Entry[]> =>
    is("knows no names to find") ? list(http, signal, bug) : names.get(signal);
  const find = (name: string, entries: readonly Entry[]): Entry | VaultError => {
    const found = entries.filter((entry) => entry.name === name);
    if (found.length > 1 && !is("takes the first of several")) return severalCalled(name, found);
    const part = is("takes a part of a name") ? entries.find((entry) => entry.name.includes(name)) : undefined;
    const byId = entries.find((entry) => entry.id === name);
    return found[0] ?? byId ?? part ?? nothingCalled(name, is("suggests nothing") ? [] : entries);
  };
  const handle = (name: string, { id, version, fields }: Entry, field: string): Handle => ({
    name,
    ref: is("gives all fields one address") ? id : JSON.stringify([id, field]),
    checked: true,
    version: String(version),
    field: fields.includes(field) ? field : PRIMARY,
  });
  const idOf = (ref: string): [id: string, field: string] =>
    is("gives all fields one address") ? [ref, PRIMARY] : (JSON.parse(ref) as [string, string]);

  const refuse = is("begins what was cancelled") ? (): void => {} : refuseAborted;

  const readOne = async ({ name, ref }: Handle, signal: AbortSignal): Promise<Secret | VaultError> => {
    let [id, field] = idOf(ref);
    if (is("reads by name")) {
      const now = (await list(http, signal, bug)).find((entry) => entry.name === name);
      if (now) id = now.id;
    }
    if (is("reads by name alone")) {
      const now = (await list(http, signal, bug)).find((entry) => entry.name === name);
      if (!now) return nothingCalled(name, []);
    }
    const answer = await http.request({ method: "GET", path: `/papers/${id}/${field}`, signal });
    if (answer.status === 404) {
      const code = is("calls what is gone unknown") ? "secret_not_found" : "conflict";
      return new VaultError(code, `${quoted(name)} is gone`, { hint: "ask again" });
    }
    const value = valueIn(await checked(answer, bug));
    if (is("talks on stdout")) console.log(`read ${name}`);
    if (is("prints what it reads")) console.error(`read ${name}: ${value}`);
    if (is("warns with what it reads")) context.warn(`${name} is ${value}`);
    if (is("notes what it reads")) context.notes("paper").put(name, { value });
    return new Secret(is("trims values") ? value.trim() : value);
  };

  const saveOne = async (plan: Plan, value: Secret, signal: AbortSignal): Promise<{ saved: true } | VaultError> => {
    let [id, field] = idOf(plan.ref);
    const text = value.reveal();
    const body = { name: plan.name, value: is("trims what it saves") ? text.trim() : text, version: plan.version };
    if (is("writes by name")) id = (await list(http, signal, bug)).findLast(({ name }) => name === plan.name)?.id ?? id;
    const careless = is("overwrites whatever is there") ? { version: undefined } : {};
    const answer =
      plan.effect === "create"
        ? await http.request({
            method: "POST",
            path: "/papers",
            body: { ...body, ...(is("creates a second one") ? { force: "1" } : {}) },
            signal,
          })
        : await http.request({ method: "PUT", path: `/papers/${id}/${field}`, body: { ...body, ...careless }, signal });
    if (!is("remembers what it has changed")) names.forget();
    if (answer.status === 404 && is("brings back what is gone")) {
      return saveOne({ ...plan, effect: "create" }, value, signal);
    }
    if (answer.status === 409 || answer.status === 404) {
      if (is("says that it saved")) return { saved: true };
      return new VaultError("conflict", `${quoted(plan.name)} was not saved`, { hint: "ask again" });
    }
    await checked(answer, bug);
    if (is("writes beside") && plan.effect === "replace")
      await http.request({ method: "PUT", path: `/papers/${id}/username`, body: { value: "hunter2-4711" }, signal });
    return { saved: true };
  };

  const provider: Provider = {
    list: async (signal) => {
      const entries = await names.get(signal);
      if (is("lists values")) {
        const listed = entries.map(async ({ id, name }) => {
          const answer = await http.request({ method: "GET", path: `/papers/${id}/${PRIMARY}`, signal });
          return `${name}=${valueIn(answer)}`;
        });
        return Promise.all(listed);
      }
      if (is("fetches values to list"))
        for (const { id } of entries) await http.request({ method: "GET", path: `/papers/${id}/${PRIMARY}`, signal });
      const listed = entries.map(({ name }) => name);
      return is("knows no letters but ours") ? listed.filter((name) => /^[ -~]*$/.test(name)) : listed;
    },
    resolve: async (asked, signal) => {
      refuse(signal);
      const entries = await known(signal);
      const outcomes = asked.map(async (name) => {
        const entry = find(name, entries);
        if (is("fetches values to resolve") && !(entry instanceof VaultError))
          await http.request({ method: "GET", path: `/papers/${entry.id}/${PRIMARY}`, signal });
        return entry instanceof VaultError
          ? entry
          : handle(name, entry, is("means another field") ? "username" : PRIMARY);
      });
      const each = await Promise.all(outcomes);
      const failed = each.find((outcome) => outcome instanceof VaultError);
      if (is("fails a batch for one") && failed) throw failed;
      return is("loses the order") ? each.toReversed() : each;
    },
    fields: async (name, wanted, signal) => {
      const entries = await known(signal);
      const found = find(name, entries);
      const instead = is("finds fields of anything") ? entries[0] : undefined;
      const entry = found instanceof VaultError ? (instead ?? found) : found;
      if (entry instanceof VaultError) throw entry;
      const all = wanted.includes("*") || is("gives every field");
      const fields = all ? (is("leaves fields out of *") ? [PRIMARY] : entry.fields) : wanted;
      const missing = fields.find((field) => !entry.fields.includes(field));
      if (missing !== undefined) {
        const there = is("suggests nothing") ? [] : entry.fields;
        throw new VaultError("secret_not_found", `${quoted(name)} has no field ${quoted(missing)}`, {
          hint: `it has ${there.map(quoted).join(", ")}`,
        });
      }
      return fields.map((field) => handle(name, entry, field));
    },
    prepare: async (handles) => {
      if (is("asks before it reads")) await http.request({ method: "GET", path: "/papers", signal: none });
      return handles.map(() => "ready");
    },
    read: async (handles, signal): Promise<Each<Secret>> => {
      refuse(signal);
      if (is("reads all at once")) return Promise.all(handles.map((each) => readOne(each, signal)));
      const values: (Secret | VaultError)[] = [];
      for (const each of handles) values.push(await readOne(each, signal));
      return values;
    },
    planWrite: async (entries, signal) => {
      refuse(signal);
      const there = is("plans with old names") ? await names.get(signal) : await list(http, signal, bug);
      return Promise.all(
        entries.map(async ({ name, value }, index): Promise<Plan | VaultError> => {
          if (entries.some((entry, at) => at !== index && entry.name === name) && !is("takes one name twice"))
            return new VaultError("invalid_arguments", `${quoted(name)} is given twice`, { hint: "give it once" });
          const found = there.filter((entry) => entry.name === name);
          if (found.length > 1 && !is("takes the first of several")) return severalCalled(name, found);
          const create = { name, ref: JSON.stringify(["", name]), checked: true, effect: "create" } as const;
          if (is("writes to plan")) await saveOne(create, value, signal);
          return found[0] ? { ...handle(name, found[0], PRIMARY), effect: "replace" } : create;
        }),
      );
    },
    write: async (entries, signal) => {
      refuse(signal);
      const saved: (VaultError | { saved: true })[] = [];
      for (const { plan, value } of entries) {
        const outcome = await saveOne(plan, value, signal);
        if (is("stops at the first that fails") && outcome instanceof VaultError) throw outcome;
        saved.push(outcome);
      }
      return saved;
    },
    check: async (signal) => {
      const entries = await list(http, signal, bug);
      if (is("reads a value to check")) await readOne(handle("", must(entries[0]), PRIMARY), signal);
      return [`paper vault: ${entries.length} names`];
    },
    close: async () => {
      if (is("complains when it closes")) throw new VaultError("internal", "not now", { hint: "wait" });
      if (!is("does not hang up")) await http.close();
    },
  };
  if (is("shows its token")) return Object.assign(provider, { options: { token } });
  if (is("cannot what it says")) delete (provider as { fields?: unknown }).fields;
  return provider;
}

const none = new AbortController().signal;

function valueIn({ json }: HttpAnswer): string {
  const value: unknown = typeof json === "object" && json !== null && "value" in json ? json.value : undefined;
  if (typeof value === "string") return value;
  throw new VaultError("provider_unavailable", "the paper vault talks nonsense", { hint: "try again later" });
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("there should be something here");
  return value;
}
