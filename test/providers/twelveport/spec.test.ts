// What a document costs is counted in looks at it: whatever it holds, nothing else may stand still for long.
import { describe, expect, it } from "vitest";
import { readSpec, type Spec } from "../../../src/providers/twelveport/spec.ts";
import { ask, scene, settle } from "./support.ts";

const ORIGIN = "https://vault.example";

const read = (json: unknown): Spec => readSpec(json, ORIGIN, "acme");

/** Reads a document in which every look at every part of it is counted. */
function looks(json: unknown): { readonly spec: Spec; readonly count: number } {
  let count = 0;
  const watched = (thing: unknown): unknown => {
    if (typeof thing !== "object" || thing === null) return thing;
    return new Proxy(thing, {
      get: (target, key, receiver) => {
        count++;
        return watched(Reflect.get(target, key, receiver));
      },
      getOwnPropertyDescriptor: (target, key) => {
        count++;
        return Reflect.getOwnPropertyDescriptor(target, key);
      },
    });
  };
  const spec = read(watched(json));
  return { spec, count };
}

const action = (schema: object): object => ({ name: "action", in: "query", schema });
const times = <T>(count: number, thing: T): T[] => Array.from({ length: count }, () => thing);
const withParameters = (...parameters: object[]): object => ({ "/x": { get: { operationId: "a", parameters } } });

describe("the cost of a document", () => {
  it("does not multiply where a schema holds itself", () => {
    const itself = { $ref: "#/s" };
    const { spec, count } = looks({ paths: withParameters(action(itself)), s: { allOf: times(8, itself) } });
    expect(spec.actions).toEqual([]);
    // Eight times itself, five deep, is more than thirty thousand.
    expect(count).toBeLessThan(10_000);
  });

  it("is the same however much lies beside what is referred to", () => {
    const cost = (others: number): number => {
      const beside = Object.fromEntries(Array.from({ length: others }, (_, at) => [`a${at}`, 1]));
      const p = { ...beside, mine: action({ enum: ["AssetAccess"] }) };
      const { spec, count } = looks({ paths: withParameters(...times(50, { $ref: "#/p/mine" })), p });
      expect(spec.actions).toEqual(["AssetAccess"]);
      return count;
    };
    expect(cost(500)).toBe(cost(0));
  });

  it("has an end, and so has what is kept of it", () => {
    const parameter = { name: "x", in: "query" };
    const paths = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, at) => [`/p${at}`, { get: { parameters: times(10, parameter) } }]),
    );
    const { operations } = read({ paths });
    expect(operations).toHaveLength(2_000);
    expect(operations.flatMap(({ parameters }) => parameters)).toHaveLength(20_000);
    const values = Array.from({ length: 100_000 }, (_, at) => `a${at}`);
    const [operation] = read({ paths: withParameters(action({ enum: values })) }).operations;
    expect(operation?.parameters[0]?.values).toHaveLength(200);
    expect(read({ paths: { [`/${"x".repeat(500)}`]: { get: {} } } }).operations).toEqual([]);
  });

  it("leaves the actions of the components alone when parameters have used it up", () => {
    const many = Array.from({ length: 300 }, () => action({ type: "string" }));
    const components = { schemas: { RequestAction: { enum: ["AssetUnlock"] } } };
    expect(read({ paths: withParameters(...many), components }).actions).toEqual(["AssetUnlock"]);
  });
});

describe("an address in a document", () => {
  const baseOf = (url: string, variables: object = {}): string =>
    read({ paths: {}, servers: [{ url, variables }] }).base;

  it("ends before its last slashes", () => {
    expect(baseOf(`/api${"/".repeat(1_000)}`)).toBe("/api");
  });

  it.each([
    ["one that is too long", `/${"/".repeat(2_000)}x`],
    ["one that is none", "http://["],
  ])("is passed over where it is %s", (_, url) => {
    expect(baseOf(url)).toBe("/ztna/acme");
  });

  it("takes no long texts for its variables", () => {
    expect(baseOf("/api/{v}/x", { v: { default: "v2" } })).toBe("/api/v2/x");
    expect(baseOf("/api/{v}/x", { v: { default: "y".repeat(201) } })).toBe("/api//x");
    expect(baseOf("/api/{constructor}/x")).toBe("/api//x");
  });
});

it("a document that is full of traps serves as any other", async () => {
  const { fake, open, clock } = await scene({
    edit: (document) => ({
      ...document,
      servers: [{ url: "/ztna/acme////" }],
      s: { allOf: times(8, { $ref: "#/s" }) },
      paths: {
        ...document.paths,
        "/trap": {
          parameters: [{ $ref: "#/s" }, action({ $ref: "#/s" }), 4711, null],
          get: { parameters: {} },
          put: [],
        },
      },
    }),
  });
  fake.add({ name: "db", password: "hunter2-4711", way: "approvers" });
  const waiting = (text: string): void => void (text.includes("12Port's approvers: ") && fake.approve("db"));
  expect(await settle(clock, ask(await open(), "db", { waiting }))).toEqual(["hunter2-4711"]);
});
