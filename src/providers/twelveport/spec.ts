import * as z from "zod";
import { VaultError } from "../../core/errors.ts";
import { glimpse } from "../../core/text.ts";
import type { HttpRequest } from "../http.ts";
import { isAction } from "./options.ts";

/** One operation of the server's own document. */
export interface Operation {
  readonly id: string;
  readonly method: HttpRequest["method"];
  /** With its placeholders, relative to the base: `/assets/{id}/credentials`. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly takesBody: boolean;
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  /** The values it may have, where they are listed. */
  readonly values: readonly string[];
}

/** What is known of a server's interface. */
export interface Spec {
  /** Path that those of the operations are relative to, without a slash at its end. */
  readonly base: string;
  readonly operations: readonly Operation[];
  /** The values of RequestAction, in the order of the document; none where it does not list them. */
  readonly actions: readonly string[];
}

const METHODS = ["get", "post", "put", "patch", "delete"] as const;
const MOST_ACTIONS = 32;

const anything = z.record(z.string(), z.unknown());
const tree = anything.catch({});
const DOCUMENT = z.object({
  paths: anything,
  servers: z
    .array(z.object({ url: z.string(), variables: z.record(z.string(), z.object({ default: z.string() })).catch({}) }))
    .catch([]),
});
const OPERATION = z.object({
  operationId: z.string().min(1).max(200).optional().catch(undefined),
  parameters: z.array(z.unknown()).catch([]),
  requestBody: z.unknown().optional(),
});
const PARAMETER = z.object({ name: z.string().min(1), in: z.enum(["path", "query"]), schema: z.unknown().optional() });

/** Where the document is kept on a server. */
export function specPath(tenant: string): string {
  return `${basePath(tenant)}/.well-known/mcp-agent.json`;
}

/**
 * Reads an OpenAPI document; what is not understood of it is passed over. Throws `config_invalid` when it is no such
 * document, or when its operations are said to be on another host: the token would go there.
 */
export function readSpec(json: unknown, origin: string, tenant: string): Spec {
  const document = DOCUMENT.safeParse(json);
  if (!document.success) {
    throw new VaultError("config_invalid", `what 12Port has at ${specPath(tenant)} is not an OpenAPI document`, {
      hint: "check server and tenant, and whether MCP support is enabled there",
    });
  }
  const { paths, servers } = document.data;
  const at = (ref: string): unknown => follow(json, ref);
  const operations = Object.entries(paths).flatMap(([path, item]) => operationsAt(path, item, at));
  const [server] = servers;
  const base = server === undefined ? basePath(tenant) : serverPath(server, origin, tenant);
  return { base, operations, actions: actionsOf(operations, at) };
}

function basePath(tenant: string): string {
  return `/ztna/${encodeURIComponent(tenant)}`;
}

function serverPath({ url, variables }: z.output<typeof DOCUMENT>["servers"][number], origin: string, tenant: string) {
  const filled = url.replace(
    /\{(\w+)\}/g,
    (_, name: string) => variables[name]?.default ?? (name === "tenant" ? tenant : ""),
  );
  const document = new URL(specPath(tenant), origin);
  if (!URL.canParse(filled, document.href)) return basePath(tenant);
  const target = new URL(filled, document);
  if (target.origin !== document.origin) {
    throw new VaultError(
      "config_invalid",
      `12Port says its operations are at ${glimpse(target.origin, 80)}, and not at ${document.origin}`,
      {
        hint: "the token is only sent where the configuration says: put that address into server if it is the right one",
      },
    );
  }
  const path = target.pathname.replace(/\/+$/, "");
  // "/" is what generators write when nobody told them where the server is.
  return path === "" && !/^[a-z]+:/i.test(filled) ? basePath(tenant) : path;
}

function operationsAt(path: string, item: unknown, at: (ref: string) => unknown): Operation[] {
  const entry = tree.parse(item);
  if (!path.startsWith("/")) return [];
  const shared = z.array(z.unknown()).catch([]).parse(entry["parameters"]);
  return METHODS.flatMap((method) => {
    const read = OPERATION.safeParse(entry[method]);
    if (!read.success) return [];
    const { operationId, parameters, requestBody } = read.data;
    const verb = method.toUpperCase() as HttpRequest["method"]; // oxlint-disable-line typescript/no-unsafe-type-assertion -- one of the five above
    return [
      {
        id: operationId ?? `${method} ${path}`,
        method: verb,
        path,
        parameters: [...shared, ...parameters].flatMap((each) => parameterOf(each, at)),
        takesBody: requestBody !== undefined,
      },
    ];
  });
}

function parameterOf(written: unknown, at: (ref: string) => unknown): Parameter[] {
  const read = PARAMETER.safeParse(resolved(written, at));
  if (!read.success) return [];
  const { schema, ...rest } = read.data;
  return [{ ...rest, values: enumOf(schema, at) }];
}

/** The components know it, or the parameter that takes it does. */
function actionsOf(operations: readonly Operation[], at: (ref: string) => unknown): string[] {
  const listed = enumOf(at("#/components/schemas/RequestAction"), at);
  const taken = operations.flatMap(({ parameters }) =>
    parameters.filter(({ name }) => /action/i.test(name)).map(({ values }) => values),
  );
  const values = [listed, ...taken].find((each) => each.length > 0) ?? [];
  return [...new Set(values)].filter(isAction).slice(0, MOST_ACTIONS);
}

function enumOf(schema: unknown, at: (ref: string) => unknown, depth = 0): string[] {
  if (depth > 4) return [];
  const { enum: values, allOf, oneOf, anyOf } = tree.parse(resolved(schema, at));
  const own = z.array(z.unknown()).catch([]).parse(values);
  const texts = own.filter((value) => typeof value === "string");
  if (texts.length > 0) return texts;
  const parts = [allOf, oneOf, anyOf].flatMap((each) => z.array(z.unknown()).catch([]).parse(each));
  return parts.flatMap((part) => enumOf(part, at, depth + 1));
}

function resolved(thing: unknown, at: (ref: string) => unknown): unknown {
  const ref = tree.parse(thing)["$ref"];
  return typeof ref === "string" ? at(ref) : thing;
}

/** What a reference within the document names; nothing outside of it is ever fetched. */
function follow(document: unknown, ref: string): unknown {
  if (!ref.startsWith("#/")) return undefined;
  return ref
    .slice(2)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce<unknown>(
      (thing, step) => (Object.hasOwn(tree.parse(thing), step) ? tree.parse(thing)[step] : undefined),
      document,
    );
}
