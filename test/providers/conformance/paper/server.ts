import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Content, line, type Stock } from "../world.ts";

export const PRIMARY = "password";
export const OTHER = "username";

/** A secret of the paper vault as its server keeps it. */
interface Paper {
  readonly id: string;
  name: string;
  version: number;
  fields: Record<string, string>;
}

export interface PaperServer {
  readonly origin: string;
  readonly put: (name: string, content: Content) => void;
  readonly add: (name: string, content: Content) => void;
  readonly rename: (from: string, to: string) => void;
  readonly remove: (name: string) => void;
  readonly everything: () => string[];
  readonly close: () => void;
}

/** The server of a vault that exists for these tests only and has everything that a vault can have. */
export async function startPaperServer(stock: Stock, token: string): Promise<PaperServer> {
  const papers: Paper[] = [];
  let count = 0;
  const fieldsOf = (content: Content): Record<string, string> =>
    typeof content === "string" ? { [PRIMARY]: content } : { ...content };
  const add = (name: string, content: Content): void =>
    void papers.push({ id: `p${++count}`, name, version: 1, fields: fieldsOf(content) });
  const named = (name: string): Paper | undefined => papers.find((paper) => paper.name === name);
  const drop = (paper: Paper | undefined): void => void (paper && papers.splice(papers.indexOf(paper), 1));
  for (const [name, content] of stock) add(name, content);

  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => answer(request, body, response));
  });
  function answer(request: IncomingMessage, body: Record<string, string>, response: ServerResponse): void {
    const say = (status: number, json: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
    };
    if (request.headers.authorization !== `Bearer ${token}`) return say(401, { error: "unknown token" });
    const [, , id = "", field = ""] = (request.url ?? "").split("/").map(decodeURIComponent);
    if (request.url === "/papers" && request.method === "GET") {
      return say(
        200,
        papers.map((paper) => ({
          id: paper.id,
          name: paper.name,
          version: paper.version,
          fields: Object.keys(paper.fields),
        })),
      );
    }
    if (request.url === "/papers") {
      const { name = "", value = "", force } = body;
      if (named(name) && force === undefined) return say(409, { error: "that name is taken" });
      add(name, value);
      return say(200, {});
    }
    const paper = papers.find((each) => each.id === id);
    if (!paper) return say(404, { error: "no such paper" });
    if (request.method === "GET") return say(200, { value: paper.fields[field] });
    if (body["version"] !== undefined && body["version"] !== String(paper.version))
      return say(409, { error: "changed" });
    paper.fields = { ...paper.fields, [field]: body["value"] ?? "" };
    paper.version++;
    return say(200, {});
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add,
    put: (name, content) => {
      const paper = named(name);
      if (!paper) return add(name, content);
      paper.fields = fieldsOf(content);
      paper.version++;
    },
    rename: (from, to) => {
      const paper = named(from);
      if (paper) paper.name = to;
    },
    remove: (name) => drop(named(name)),
    everything: () =>
      papers.flatMap(({ name, fields }) => Object.entries(fields).map(([field, value]) => line(name, field, value))),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, string>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, string>);
}
