import * as z from "zod";
import { VaultError } from "../../core/errors.ts";
import { glimpse } from "../../core/text.ts";
import { elsewhereHint, type HttpRequest } from "../http.ts";
import { child, createDocument, type Document, listAt } from "./document.ts";
import { isAction, OPTION_NAMES } from "./options.ts";

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
  /** The values it may have, where they are listed and it is about an action. */
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
/** What is beyond these is passed over: nobody's whole interface is as large, and every call looks through it. */
const MOST_PATHS = 2_000;
const MOST_PARAMETERS = 20_000;
const LONGEST_PATH = 500;
const LONGEST_ADDRESS = 2_000;

const anything = z.record(z.string(), z.unknown());
const DOCUMENT = z.object({ paths: anything });
const SERVER = z.object({ url: z.string().max(LONGEST_ADDRESS) });
const VARIABLE = z.object({ default: z.string().max(200) });
const OPERATION = z.object({
  operationId: z.string().min(1).max(200).optional().catch(undefined),
  requestBody: z.unknown().optional(),
});
const PARAMETER = z.object({
  name: z.string().min(1).max(200),
  in: z.enum(["path", "query"]),
  schema: z.unknown().optional(),
});

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
      hint: "tell the user to check server and tenant, and whether MCP support is enabled there",
    });
  }
  const whole = createDocument(json);
  // Before those of the parameters, for which nothing may be left.
  const listed = whole.textsOf({ $ref: "#/components/schemas/RequestAction" });
  const operations = operationsOf(document.data.paths, whole);
  const server = SERVER.safeParse(listAt(json, "servers")[0]);
  const base = server.success ? serverPath(server.data.url, json, origin, tenant) : basePath(tenant);
  return { base, operations, actions: actionsOf(listed, operations) };
}

function basePath(tenant: string): string {
  return `/ztna/${encodeURIComponent(tenant)}`;
}

function serverPath(url: string, json: unknown, origin: string, tenant: string): string {
  const variables = child(listAt(json, "servers")[0], "variables");
  const filled = url.replace(/\{(\w+)\}/g, (_, name: string) => {
    const variable = VARIABLE.safeParse(child(variables, name));
    return variable.success ? variable.data.default : name === "tenant" ? tenant : "";
  });
  const document = new URL(specPath(tenant), origin);
  if (!URL.canParse(filled, document.href)) return basePath(tenant);
  const target = new URL(filled, document);
  if (target.origin !== document.origin) {
    throw new VaultError(
      "config_invalid",
      `12Port says its operations are at ${glimpse(target.origin, 80)}, and not at ${document.origin}`,
      {
        hint: elsewhereHint(target, { options: OPTION_NAMES }),
      },
    );
  }
  const path = withoutEnd(target.pathname);
  // "/" is what generators write when nobody told them where the server is.
  return path === "" && !/^[a-z]+:/i.test(filled) ? basePath(tenant) : path;
}

/** Without the slashes at its end. */
function withoutEnd(path: string): string {
  let end = path.length;
  while (path[end - 1] === "/") end--;
  return path.slice(0, end);
}

function operationsOf(paths: Readonly<Record<string, unknown>>, whole: Document): Operation[] {
  let left = MOST_PARAMETERS;
  const parametersOf = (holder: unknown): Parameter[] => {
    const written = listAt(holder, "parameters").slice(0, left);
    left -= written.length;
    return written.flatMap((each) => parameterOf(each, whole));
  };
  const known = Object.entries(paths).filter(([path]) => path.startsWith("/") && path.length <= LONGEST_PATH);
  return known.slice(0, MOST_PATHS).flatMap(([path, item]) => {
    const shared = parametersOf(item);
    return METHODS.flatMap((method) => {
      const written = child(item, method);
      const read = OPERATION.safeParse(written);
      if (!read.success) return [];
      const { operationId, requestBody } = read.data;
      const verb = method.toUpperCase() as HttpRequest["method"]; // oxlint-disable-line typescript/no-unsafe-type-assertion -- one of the five above
      return [
        {
          id: operationId ?? `${method} ${path}`,
          method: verb,
          path,
          parameters: [...shared, ...parametersOf(written)],
          takesBody: requestBody !== undefined,
        },
      ];
    });
  });
}

function parameterOf(written: unknown, { resolved, textsOf }: Document): Parameter[] {
  const read = PARAMETER.safeParse(resolved(written));
  if (!read.success) return [];
  const { schema, ...rest } = read.data;
  return [{ ...rest, values: /action/i.test(rest.name) ? textsOf(schema) : [] }];
}

/** The components know it, or the parameter that takes it does. */
function actionsOf(listed: readonly string[], operations: readonly Operation[]): string[] {
  const taken = operations.flatMap(({ parameters }) => parameters.map(({ values }) => values));
  const values = [listed, ...taken].find((each) => each.length > 0) ?? [];
  return [...new Set(values)].filter(isAction).slice(0, MOST_ACTIONS);
}
