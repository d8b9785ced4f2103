import { randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import {
  ACTIONS,
  type DocumentOptions,
  type FakeDocument,
  fakeDocument,
  type FakeOperation,
  type Spelling,
} from "./fake-twelveport-document.ts";

/** How an asset is given out: at once, after people or a form agreed, or never. */
export type Way = "direct" | "approvers" | "automatic" | "restricting" | "mfa";

export interface FakeAsset {
  readonly id: string;
  name: string;
  password?: string | null;
  user?: string | null;
  configuration?: unknown;
  readonly way: Way;
  /** The only action under which its request is kept. */
  readonly action: string;
  /** So many status calls under its action pass before a request shows up in the queue. */
  readonly lag: number;
}

/** What the server does to everybody from now on. */
export type FakeFault =
  | "wrong"
  | "expired"
  | "insufficient"
  | "limited"
  | "outage"
  | "gateway"
  | "silent"
  | "page"
  | "huge"
  | "deep"
  | "redirect"
  | "reset";

export type SearchShape = "array" | "content" | "items" | "nested" | "titles" | "unknown";

export interface FakeTwelvePortOptions {
  readonly tenant?: string;
  readonly token?: string;
  readonly spelling?: Spelling;
  readonly actions?: DocumentOptions["actions"];
  readonly without?: readonly FakeOperation[];
  /** `servers[0].url` of the document, made from the server's own origin. */
  readonly server?: (origin: string) => string;
  readonly shape?: SearchShape;
  /** Pages have this size, whatever is asked for. */
  readonly pageSize?: number;
  /** Whether a search for nothing finds everything; else it is refused. */
  readonly emptySearch?: boolean;
  /** A key and its certificate: it then speaks TLS, as `localhost`. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly retryAfter?: string;
  /** Its clock, epoch ms; by default that of this computer. */
  readonly now?: () => number;
  /** What becomes of its document before it is served. */
  readonly edit?: (document: FakeDocument) => object;
}

/** What one request is at. */
type Standing = "queued" | "active" | "approved" | "rejected" | "over";

interface FakeRequest {
  readonly id: string;
  readonly workflow: string;
  readonly asset: string;
  readonly body: Readonly<Record<string, unknown>>;
  standing: Standing;
  lag: number;
  /** After so many polls in the queue its people agree by themselves. */
  approveAfter: number | undefined;
}

export type Counted = FakeOperation | "document" | "other";

export interface FakeTwelvePort {
  readonly origin: string;
  readonly tenant: string;
  readonly token: string;
  /** What a vault needs to use it. */
  readonly options: { readonly server: string; readonly tenant: string; readonly token: string; readonly ca?: string };
  /** How often each operation was called, answered or not. */
  readonly calls: Readonly<Record<Counted, number>>;
  /** Calls for credentials, per asset id. */
  readonly reads: ReadonlyMap<string, number>;
  /** Every request that was ever submitted, oldest first. */
  readonly requests: readonly Readonly<FakeRequest>[];
  /** Workflow ids that were completed, and whatever else was sent there. */
  readonly completed: readonly string[];
  /** Requests that came to the host that "redirect" sends to. */
  readonly elsewhere: () => number;
  readonly assets: readonly FakeAsset[];
  readonly add: (asset: { name: string } & Partial<FakeAsset>) => FakeAsset;
  readonly remove: (name: string) => void;
  /** Its people agree to whatever is asked for an asset, now or, with `after`, once it was polled so often. */
  readonly approve: (name: string, after?: number) => void;
  readonly reject: (name: string) => void;
  /** What was approved is over, as when somebody closes it. */
  readonly end: (name: string) => void;
  readonly break: (fault: FakeFault) => void;
  readonly mend: () => void;
  /** Called with each operation: "before" it has had an effect, "after" it has and before it is answered. */
  watch: (operation: Counted, when: "before" | "after") => void | Promise<void>;
  /** Calls that are not answered yet. */
  readonly busy: () => number;
  /** Resolves when a call is in hand; `over` when that call has ended, however. */
  readonly called: () => Promise<{ readonly over: Promise<void> }>;
  readonly close: () => Promise<void>;
}

/** What 12Port says of an asset that its people have to agree to. */
const RESTRICTED = "MSG-00863: Action is restricted by workflow form";

/**
 * A server that behaves as the vendor's guide says, on this machine: paths that stand in its document alone, eight
 * actions of which the wrong ones always answer Open, and odd replies where the guide is silent. No live 12Port was at
 * hand when it was written.
 */
export async function startFakeTwelvePort(options: FakeTwelvePortOptions = {}): Promise<FakeTwelvePort> {
  const { tenant = "acme", shape = "array", emptySearch = true, tls } = options;
  const token = options.token ?? `tok-${randomBytes(12).toString("hex")}`;
  const assets: FakeAsset[] = [];
  const requests: FakeRequest[] = [];
  const completed: string[] = [];
  const reads = new Map<string, number>();
  const calls: Record<Counted, number> = {
    document: 0,
    search: 0,
    credentials: 0,
    createRequest: 0,
    requestStatus: 0,
    completeRequest: 0,
    other: 0,
  };
  let fault: FakeFault | undefined;
  let strangers = 0;
  let busy = 0;
  const callers: ((call: { over: Promise<void> }) => void)[] = [];

  const other = createServer((_, response) => {
    strangers++;
    response.end("{}");
  });
  await listening(other);

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    busy++;
    if (options.now) response.setHeader("date", new Date(options.now()).toUTCString());
    const over = new Promise<void>((resolve) =>
      response.once("close", () => {
        busy--;
        resolve();
      }),
    );
    for (const caller of callers.splice(0)) caller({ over });
    const url = new URL(request.url ?? "/", origin);
    const body = await bodyOf(request);
    const place = places.find(({ method, matches }) => method === request.method && matches.test(url.pathname));
    const isDocument = url.pathname === `/ztna/${encodeURIComponent(tenant)}/.well-known/mcp-agent.json`;
    const what: Counted = isDocument
      ? "document"
      : place === undefined || place.operation === "sixth"
        ? "other"
        : place.operation;
    calls[what]++;
    const args = place?.matches.exec(url.pathname)?.slice(1).map(decodeURIComponent) ?? [];
    if (what === "credentials") reads.set(args[0] ?? "", (reads.get(args[0] ?? "") ?? 0) + 1);
    await fake.watch(what, "before");
    if (fault !== undefined) return fail(response, fault);
    if (request.headers.authorization !== `Bearer ${token}`)
      return send(response, 401, { value: `TENANT:${tenant}; who is this?` });
    const [status, json] = answer(what, args, url, body);
    await fake.watch(what, "after");
    if (fault !== undefined) return fail(response, fault);
    if (what === "document") {
      const etag = `"${calls.document > 1_000 ? "new" : "same"}"`;
      if (request.headers["if-none-match"] === etag) return void response.writeHead(304).end();
      response.setHeader("etag", etag);
    }
    send(response, status, json);
  };

  const answer = (what: Counted, args: readonly string[], url: URL, body: unknown): readonly [number, unknown] => {
    const [first = ""] = args;
    if (what === "document") return [200, document];
    if (what === "search") return found(url.searchParams);
    if (what === "credentials") return credentials(first);
    if (what === "createRequest") return submit(first, body as Record<string, unknown>);
    if (what === "requestStatus") return standing(first, url.searchParams.get("aid") ?? "");
    if (what === "completeRequest") return complete(first);
    return [404, { value: `TENANT:${tenant}; MSG-00404: nothing here` }];
  };

  const found = (query: URLSearchParams): readonly [number, unknown] => {
    const text = query.get("q.1.f");
    if (text === null || query.get("ctp") !== "1") return [500, { value: "MSG-00001: bad query" }];
    if (text === "" && !emptySearch) return [500, { value: `TENANT:${tenant}; MSG-00002: nothing to look for` }];
    const size = options.pageSize ?? Number(query.get("pgs"));
    const from = Number(query.get("pgp")) * size;
    const matching = assets.filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()));
    const page = matching.slice(from, from + size);
    const entries = page.map(({ id, name }) => ({ id, name, type: "Secret", parent: "Root" }));
    const answers: Record<SearchShape, unknown> = {
      array: entries,
      content: { content: entries, totalElements: matching.length, last: from + size >= matching.length },
      items: { items: entries.map((asset) => ({ asset })), page: query.get("pgp") },
      nested: { data: { records: entries }, errors: [] },
      titles: { results: page.map(({ id, name }) => ({ id, title: name })) },
      unknown: { hits: { a: 1 } },
    };
    return [200, answers[shape]];
  };

  const credentials = (id: string): readonly [number, unknown] => {
    const asset = assets.find((each) => each.id === id);
    if (asset === undefined) return [404, { value: `TENANT:${tenant}; MSG-00101: no asset ${id}` }];
    const isOpen = asset.way === "direct" || latest(id)?.standing === "approved";
    const { user = "svc", password, configuration = null } = asset;
    return isOpen ? [200, { user, password, configuration }] : [500, { value: `TENANT:${tenant}; ${RESTRICTED}` }];
  };

  const submit = (id: string, body: Record<string, unknown>): readonly [number, unknown] => {
    const asset = assets.find((each) => each.id === id);
    if (asset === undefined) return [404, { value: "MSG-00101: no asset" }];
    if (Object.values(body).some((value) => typeof value !== "string"))
      return [400, { value: "MSG-00003: bad request" }];
    const made: FakeRequest = {
      id: String(4711 + requests.length),
      workflow: randomUUID(),
      asset: id,
      body,
      standing: asset.way === "automatic" ? "approved" : asset.lag > 0 ? "queued" : "active",
      lag: asset.lag,
      approveAfter: undefined,
    };
    requests.push(made);
    return [200, { value: made.id }];
  };

  const standing = (action: string, id: string): readonly [number, unknown] => {
    const asset = assets.find((each) => each.id === id);
    if (asset === undefined || action !== asset.action) return [200, { status: "Open" }];
    if (asset.way === "restricting") return [200, { status: "Restricted" }];
    if (asset.way === "mfa") return [200, { status: "MFA" }];
    const made = latest(id);
    if (made?.standing === "queued" && --made.lag < 0) made.standing = "active";
    if (made?.standing === "active" && made.approveAfter !== undefined && made.approveAfter-- <= 0)
      made.standing = "approved";
    if (made?.standing === "active")
      return [200, { status: "Active", id: made.workflow, message: made.body["message"] }];
    if (made?.standing === "approved") return [200, { status: "Open", id: null }];
    // A request that is not in its queue yet does not show; what became of the last one does.
    const isRefused = made?.standing === "queued" ? requests.some(isRejected(id)) : made !== undefined;
    return [200, { status: isRefused ? "Closed" : "Open" }];
  };

  const complete = (workflow: string): readonly [number, unknown] => {
    completed.push(workflow);
    const made = requests.find((each) => each.workflow === workflow);
    if (made === undefined) return [404, { value: "MSG-00102: no request" }];
    made.standing = "over";
    return [200, { value: "OK" }];
  };

  const fail = (response: ServerResponse, kind: FakeFault): void => {
    switch (kind) {
      case "wrong":
        return send(response, 401, { value: `TENANT:${tenant}; invalid token ${token}` });
      case "expired":
        return send(response, 401, { value: `TENANT:${tenant}; token ${token} has expired` });
      case "insufficient":
        return send(response, 403, { value: `TENANT:${tenant}; MSG-00403: ${token} may not` });
      case "limited":
        response.setHeader("retry-after", options.retryAfter ?? "137");
        return send(response, 429, { value: "slow down" });
      case "outage":
        return send(response, 503, { value: `TENANT:${tenant}; down` });
      case "gateway":
        return void response.writeHead(502, { "content-type": "text/html" }).end(`<html>Bad gateway ${token}</html>`);
      case "page":
        return void response.writeHead(200, { "content-type": "text/html" }).end(`<html>Please log in ${token}</html>`);
      case "huge":
        return send(response, 200, { value: "x".repeat(2_000_000) });
      case "deep":
        return void response
          .writeHead(500, { "content-type": "application/json" })
          .end(`${"[".repeat(200_000)}${"]".repeat(200_000)}`);
      case "redirect":
        return void response
          .writeHead(302, { location: `http://localhost:${portOf(other)}/elsewhere?t=${token}` })
          .end();
      case "reset":
        return void response.socket?.resetAndDestroy();
      case "silent":
    }
  };

  const latest = (id: string): FakeRequest | undefined => requests.findLast(({ asset }) => asset === id);
  const named = (name: string): FakeAsset => {
    const asset = assets.find((each) => each.name === name || each.id === name);
    if (asset === undefined) throw new Error(`no asset ${name}`);
    return asset;
  };
  const move = (name: string, to: Standing): void => {
    const made = latest(named(name).id);
    if (made === undefined) throw new Error(`nobody asked for ${name}`);
    made.standing = to;
  };

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response).catch(() => response.destroy());
  };
  const server = tls ? createSecureServer(tls, listener) : createServer(listener);
  await listening(server);
  const origin = tls ? `https://localhost:${portOf(server)}` : `http://127.0.0.1:${portOf(server)}`;
  const made = fakeDocument({
    tenant,
    spelling: options.spelling ?? "guide",
    actions: options.actions ?? "components",
    ...(options.without && { without: options.without }),
    ...(options.server && { server: options.server(origin) }),
  });
  const { places } = made;
  const document = options.edit?.(made.document) ?? made.document;

  const fake: FakeTwelvePort = {
    origin,
    tenant,
    token,
    options: { server: origin, tenant, token, ...(tls && { ca: tls.cert }) },
    calls,
    reads,
    requests,
    completed,
    elsewhere: () => strangers,
    assets,
    add: ({ name, ...rest }) => {
      const asset: FakeAsset = {
        id: randomUUID(),
        name,
        password: `pw-${randomBytes(6).toString("hex")}`,
        way: "direct",
        action: ACTIONS[Math.floor(Math.random() * ACTIONS.length)] ?? "AssetAccess",
        lag: 0,
        ...rest,
      };
      assets.push(asset);
      return asset;
    },
    remove: (name) => void assets.splice(assets.indexOf(named(name)), 1),
    approve: (name, after) => {
      const made = latest(named(name).id);
      if (after === undefined || made === undefined) return move(name, "approved");
      made.approveAfter = after;
    },
    reject: (name) => move(name, "rejected"),
    end: (name) => move(name, "over"),
    break: (kind) => (fault = kind),
    mend: () => (fault = undefined),
    watch: () => {},
    busy: () => busy,
    called: () => new Promise((resolve) => callers.push(resolve)),
    close: async () => {
      await Promise.all(
        [server, other].map((each) => {
          each.closeAllConnections();
          return new Promise((closed) => each.close(closed));
        }),
      );
    },
  };
  return fake;
}

function isRejected(id: string): (request: FakeRequest) => boolean {
  return ({ asset, standing }) => asset === id && standing === "rejected";
}

function listening(server: ReturnType<typeof createServer>): Promise<void> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
}

function portOf(server: ReturnType<typeof createServer>): number {
  return (server.address() as AddressInfo).port;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? {} : JSON.parse(text);
}

function send(response: ServerResponse, status: number, json: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
}
