import { randomBytes } from "node:crypto";

export type FakeOperation = "search" | "credentials" | "createRequest" | "requestStatus" | "completeRequest";

/** How the operationIds of a server are spelled: as in the vendor's guide, in other ways, or in none that is known. */
export type Spelling = "guide" | "kebab" | "capitals" | "unknown";

const SPELLINGS: Record<Spelling, Record<FakeOperation | "sixth", string>> = {
  guide: {
    search: "polySearch_1",
    credentials: "credentials_1",
    createRequest: "createAssetRequest",
    requestStatus: "get-request-status",
    completeRequest: "complete-request",
    sixth: "findRequests_2",
  },
  kebab: {
    search: "poly-search",
    credentials: "get-asset-credentials",
    createRequest: "create-asset-request",
    requestStatus: "getRequestStatus",
    completeRequest: "completeRequest",
    sixth: "list-requests",
  },
  capitals: {
    search: "PolySearch",
    credentials: "GetAssetCredentials_3",
    createRequest: "CREATE_ASSET_REQUEST",
    requestStatus: "Request.Status_1",
    completeRequest: "CompleteRequest_7",
    sixth: "ListRequests",
  },
  unknown: {
    search: "opA",
    credentials: "opB",
    createRequest: "opC",
    requestStatus: "opD",
    completeRequest: "opE",
    sixth: "opF",
  },
};

/** Eight values; the vendor's guide names two of them, the others are ours. */
export const ACTIONS = [
  "TestSession",
  "TestConnect",
  "AssetUnlock",
  "TestRotate",
  "TestExecute",
  "AssetAccess",
  "TestShare",
  "TestDelete",
] as const;

/** Where a server keeps one operation. */
export interface Place {
  readonly operation: FakeOperation | "sixth";
  readonly method: string;
  readonly path: string;
  readonly matches: RegExp;
}

export interface DocumentOptions {
  readonly tenant: string;
  readonly spelling: Spelling;
  /** `servers[0].url`; absent: the document has no servers. */
  readonly server?: string;
  /** Where the values of RequestAction stand. */
  readonly actions: "components" | "parameter" | "nowhere";
  /** Operations that are not there at all. */
  readonly without?: readonly FakeOperation[];
}

export interface FakeDocument {
  readonly paths: Readonly<Record<string, unknown>>;
}

/** An OpenAPI document with paths that nobody can guess, and where they lead. */
export function fakeDocument(options: DocumentOptions): {
  readonly document: FakeDocument;
  readonly places: readonly Place[];
} {
  const { tenant, spelling, server, actions, without = [] } = options;
  const root = `/api/mcp/${randomBytes(3).toString("hex")}`;
  const ids = SPELLINGS[spelling];
  const uuid = { type: "string", format: "uuid" };
  const inPath = (name: string, schema: object = uuid) => ({ name, in: "path", required: true, schema });
  const inQuery = (name: string, schema: object = { type: "string" }) => ({ name, in: "query", schema });
  const enumeration = { type: "string", enum: [...ACTIONS] };
  const action =
    actions === "parameter"
      ? enumeration
      : actions === "components"
        ? { $ref: "#/components/schemas/RequestAction" }
        : { type: "string" };
  const body = { content: { "application/json": { schema: { type: "object" } } } };
  const all: { operation: Place["operation"]; method: string; path: string; rest: object }[] = [
    {
      operation: "search",
      method: "get",
      path: `${root}/assets/search`,
      rest: {
        description: "Use the structured form: q.1.f=<name>",
        parameters: ["f", "ctp", "pgp", "pgs"].map((name) => inQuery(name)),
      },
    },
    {
      operation: "credentials",
      method: "get",
      path: `${root}/assets/{id}/credentials`,
      rest: { parameters: [{ $ref: "#/components/parameters/Id" }] },
    },
    {
      operation: "createRequest",
      method: "post",
      path: `${root}/assets/{asset-id}/request`,
      rest: { parameters: [inPath("asset-id")], requestBody: body },
    },
    {
      operation: "requestStatus",
      method: "get",
      path: `${root}/request-status/{action}`,
      rest: { parameters: [inPath("action", action), inQuery("aid", uuid)] },
    },
    {
      operation: "completeRequest",
      method: "put",
      path: `${root}/requests/{request-id}/complete`,
      rest: { parameters: [inPath("request-id")] },
    },
    { operation: "sixth", method: "get", path: `${root}/requests`, rest: {} },
  ];
  const there = all.filter(({ operation }) => operation === "sixth" || !without.includes(operation));
  const document = {
    openapi: "3.0.1",
    info: { title: "MCP", version: "1" },
    ...(server !== undefined && { servers: [{ url: server, description: "Generated server url" }] }),
    paths: Object.fromEntries(
      there.map(({ operation, method, path, rest }) => [path, { [method]: { operationId: ids[operation], ...rest } }]),
    ),
    components: {
      parameters: { Id: inPath("id") },
      schemas: actions === "components" ? { RequestAction: enumeration } : {},
    },
    "x-unknown": [{ anything: true }],
  };
  const base = `/ztna/${encodeURIComponent(tenant)}`;
  const places = there.map(({ operation, method, path }) => ({
    operation,
    method: method.toUpperCase(),
    path: `${base}${path}`,
    matches: new RegExp(`^${escaped(base + path).replace(/\\\{[^}]*\\\}/g, "([^/]+)")}$`),
  }));
  return { document, places };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\-]/g, "\\$&");
}
