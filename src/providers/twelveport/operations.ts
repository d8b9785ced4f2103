import { VaultError } from "../../core/errors.ts";
import { glimpse, quoted } from "../../core/text.ts";
import type { HttpRequest } from "../http.ts";
import type { OperationName, TwelvePortOptions } from "./options.ts";
import type { Operation, Spec } from "./spec.ts";

const MOST_LISTED = 20;

/** How an operation is known: by the spellings of its operationId, else by its looks. */
interface Look {
  /** Lower case, letters and digits alone, without the number that generators put behind. */
  readonly ids: readonly string[];
  readonly looksLike: (operation: Operation) => boolean;
}

const LOOKS: Readonly<Record<OperationName, Look>> = {
  search: {
    ids: ["polysearch", "assetpolysearch", "assetsearch", "searchassets", "searchasset", "findassets"],
    looksLike: ({ method, path, parameters }) =>
      method === "GET" &&
      placeholders(path).length === 0 &&
      (/search/i.test(path) || takes(parameters, /^(?:f|ctp)$/i)),
  },
  credentials: {
    ids: ["credentials", "getcredentials", "assetcredentials", "getassetcredentials", "credentialsinfo"],
    looksLike: ({ method, path }) => method === "GET" && /credential/i.test(path) && placeholders(path).length > 0,
  },
  createRequest: {
    ids: ["createassetrequest", "createrequest", "assetrequest", "requestassetaccess", "submitassetrequest"],
    looksLike: ({ method, path }) =>
      (method === "POST" || method === "PUT") && /request/i.test(path) && /asset/i.test(path) && !isClosing(path),
  },
  requestStatus: {
    ids: ["getrequeststatus", "requeststatus", "getassetrequeststatus", "assetrequeststatus"],
    looksLike: ({ method, path, parameters }) =>
      method === "GET" && placeholders(path).length === 1 && takes(parameters, /^aid$/i),
  },
  completeRequest: {
    ids: ["completerequest", "completeassetrequest", "requestcomplete", "closerequest"],
    looksLike: ({ method, path }) => method !== "GET" && isClosing(path),
  },
};

/**
 * The operation that does what we call `name`: the one the configuration names, else the one whose operationId is
 * known, else the only one that looks like it. Throws `config_invalid` with what there is.
 */
export function findOperation(spec: Spec, name: OperationName, chosen: TwelvePortOptions["operations"]): Operation {
  const { ids, looksLike } = LOOKS[name];
  const wanted = chosen[name];
  if (wanted !== undefined) {
    const exact = spec.operations.filter(({ id }) => id === wanted);
    const same = exact.length > 0 ? exact : spec.operations.filter(({ id }) => bare(id) === bare(wanted));
    if (same.length > 0) return onlyOne(same, name, spec);
    throw new VaultError(
      "config_invalid",
      `operations.${name} is ${quoted(wanted)}, which is not in 12Port's document; it has ${listOf(spec.operations)}`,
      { hint: `tell the user to put one of these into operations.${name} of the vault, or to leave it out` },
    );
  }
  const byId = ids.map((id) => spec.operations.filter((each) => bare(each.id) === id)).find((some) => some.length > 0);
  if (byId) {
    // Versions of the same operation: the one that looks right, if that tells them apart.
    const right = byId.filter(looksLike);
    return onlyOne(byId.length > 1 && right.length > 0 ? right : byId, name, spec);
  }
  const known = Object.values(LOOKS).flatMap((look) => look.ids);
  return onlyOne(
    spec.operations.filter((each) => looksLike(each) && !known.includes(bare(each.id))),
    name,
    spec,
  );
}

/** What a call is about; each operation takes one of the two ids. */
export interface Subject {
  readonly tenant: string;
  readonly asset?: string;
  readonly action?: string;
  /** Id of the workflow's request: not the asset's. */
  readonly workflow?: string;
}

/**
 * Where and how an operation is called for a subject; its ids go into the path, or into the query where it wants them.
 */
export function callOf(
  spec: Spec,
  operation: Operation,
  subject: Subject,
): Pick<HttpRequest, "method" | "path" | "query"> {
  const { method, path, parameters } = operation;
  const left = new Map<"id" | "action", string>();
  const id = subject.workflow ?? subject.asset;
  if (id !== undefined) left.set("id", id);
  if (subject.action !== undefined) left.set("action", subject.action);
  const take = (parameter: string): string | undefined => {
    if (/^tenant/i.test(parameter)) return subject.tenant;
    const key = /action|type/i.test(parameter) && left.has("action") ? "action" : "id";
    const value = left.get(key);
    left.delete(key);
    return value;
  };
  const filled = path.replace(/\{([^{}]*)\}/g, (_, parameter: string) => {
    const value = take(parameter);
    if (value !== undefined) return encodeURIComponent(value);
    throw new VaultError("config_invalid", `12Port wants ${glimpse(parameter, 40)} for ${glimpse(operation.id, 60)}`, {
      hint: "this version of agent-vault does not know what to put there: please report it",
    });
  });
  const asked = parameters.filter((each) => each.in === "query").map((each) => each.name);
  const query = Object.fromEntries(
    [...left].map(([key, value]) => [
      key === "action" ? (asked.find((name) => /action|type/i.test(name)) ?? "action") : idParameter(asked),
      value,
    ]),
  );
  const whole = filled === spec.base || filled.startsWith(`${spec.base}/`) ? filled : `${spec.base}${filled}`;
  return { method, path: whole, query };
}

/** One line for `doctor`. */
export function operationLine(name: OperationName, { id, method, path }: Operation): string {
  return `operation ${name}: ${glimpse(id, 60)} (${method} ${glimpse(path, 120)})`;
}

function onlyOne(found: readonly Operation[], name: OperationName, spec: Spec): Operation {
  const [only, ...more] = found;
  if (only !== undefined && more.length === 0) return sentOnce(only, name);
  const message =
    only === undefined
      ? `12Port's document has no operation for ${name}; it has ${listOf(spec.operations)}`
      : `12Port's document has several operations for ${name}: ${listOf(found)}`;
  throw new VaultError("config_invalid", message, {
    hint: `tell the user to put the right operationId into operations.${name} of the vault`,
  });
}

function listOf(operations: readonly Operation[]): string {
  const ids = operations.slice(0, MOST_LISTED).map(({ id }) => glimpse(id, 60));
  return ids.join(", ") || "none at all";
}

/** What asks people or ends what they agreed to is no GET: those are tried again, by us and by whoever is in between. */
function sentOnce(operation: Operation, name: OperationName): Operation {
  if (operation.method !== "GET" || (name !== "createRequest" && name !== "completeRequest")) return operation;
  const called = `${glimpse(operation.id, 60)} for ${name}`;
  throw new VaultError("config_invalid", `12Port's document has ${called}, and it is a GET, which changes nothing`, {
    hint: `tell the user to put the right operationId into operations.${name} of the vault`,
  });
}

function bare(id: string): string {
  return id
    .replace(/_\d+$/, "")
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "");
}

function placeholders(path: string): readonly string[] {
  return path.match(/\{[^{}]*\}/g) ?? [];
}

function takes(parameters: Operation["parameters"], name: RegExp): boolean {
  return parameters.some((each) => each.in === "query" && name.test(each.name));
}

function isClosing(path: string): boolean {
  return /complete|close/i.test(path);
}

function idParameter(names: readonly string[]): string {
  return names.find((name) => /^aid$/i.test(name)) ?? names.find((name) => /id$/i.test(name)) ?? "id";
}
