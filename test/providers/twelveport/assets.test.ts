import { randomUUID } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { VaultError } from "../../../src/core/errors.ts";
import type { SearchShape } from "../../support/fake-twelveport.ts";
import { loadPatched } from "../../support/patched.ts";
import { providerContext } from "../../support/provider-context.ts";
import { ask, handlesOf, never, refusal, scene } from "./support.ts";

describe("names", () => {
  it.each<SearchShape>(["array", "content", "items", "nested", "titles"])(
    "are found in an answer of the form %s",
    async (shape) => {
      const { fake, open } = await scene({ shape });
      for (let at = 0; at < 60; at++) fake.add({ name: `db-${at}` });
      const { id, password } = fake.add({ name: "db" });
      const provider = await open();
      const [handle] = await handlesOf(provider, "db");
      expect(handle).toEqual({ name: "db", ref: JSON.stringify([id, "password"]), checked: true, field: "password" });
      expect(await ask(provider, "db")).toEqual([password]);
      expect(await provider.list?.(never)).toHaveLength(61);
    },
  );

  it("an answer of no known form is told, and not taken for an empty one", async () => {
    const { fake, open } = await scene({ shape: "unknown" });
    fake.add({ name: "db" });
    const error = await refusal((await open()).resolve(["db"], never));
    expect(error).toMatchObject({
      code: "provider_unavailable",
      message: expect.stringContaining("in a form that is not known here") as string,
    });
  });

  it("the only one that contains what was asked for is offered and never taken", async () => {
    const { fake, open } = await scene();
    fake.add({ name: "prod-db" });
    const provider = await open();
    expect(await refusal(provider.resolve(["db"], never))).toMatchObject({
      code: "secret_not_found",
      message: 'there is no asset called "db" in 12Port',
      hint: 'did you mean "prod-db"? only exact names are taken',
    });
  });

  it("a copy that follows the vendor's single partial match is noticed", async () => {
    const { fake } = await scene();
    fake.add({ name: "prod-db" });
    const plant = {
      file: "src/providers/twelveport/assets.ts",
      from: "const [only, ...more] = close;",
      to: "const [only, ...more] = close.length > 0 ? close : assets;",
    };
    const { twelveport } = (await loadPatched("src/providers/twelveport/index.ts", [plant])) as {
      twelveport: typeof import("../../../src/providers/twelveport/index.ts").twelveport;
    };
    const twin = await twelveport.open(twelveport.options.parse(fake.options), providerContext());
    const [outcome] = await twin.resolve(["db"], never);
    await twin.close?.();
    expect(inspect(outcome)).toContain("prod-db");
  });

  it("capitals count where they tell two apart, and else do not", async () => {
    const { fake, open } = await scene();
    const small = fake.add({ name: "db" });
    fake.add({ name: "DB" });
    const other = fake.add({ name: "Mail" });
    const provider = await open();
    const [exact, mail] = await provider.resolve(["db", "mAIL"], never);
    expect(exact).toMatchObject({ ref: JSON.stringify([small.id, "password"]) });
    expect(mail).toMatchObject({ name: "mAIL", title: "Mail", ref: JSON.stringify([other.id, "password"]) });
    expect(await refusal(provider.resolve(["Db"], never))).toMatchObject({ code: "ambiguous" });
  });

  it("two assets of the same name are told apart by their ids", async () => {
    const { fake, open } = await scene();
    const [one, two] = [fake.add({ name: "db" }), fake.add({ name: "db", password: "hunter2-0002" })];
    const provider = await open();
    const error = await refusal(provider.resolve(["db"], never));
    expect(error.code).toBe("ambiguous");
    expect(error.message).toContain(one.id);
    expect(error.message).toContain(two.id);
    expect(await ask(provider, two.id)).toEqual(["hunter2-0002"]);
  });

  it("more than a thousand matches are not searched to their end", async () => {
    const { fake, open } = await scene();
    for (let at = 0; at < 1_001; at++) fake.add({ name: `db-${at}` });
    const error = await refusal((await open()).resolve(["db"], never));
    expect(error.code).toBe("ambiguous");
    expect(fake.calls.search).toBe(40);
  });

  it("are found in pages of the server's own size, and a thousand are enough", async () => {
    const { fake, open } = await scene({ pageSize: 300 });
    for (let at = 0; at < 700; at++) fake.add({ name: `db-${at}` });
    const provider = await open();
    expect(await provider.resolve(["db-699"], never)).toMatchObject([{ name: "db-699" }]);
    for (let at = 700; at < 2_000; at++) fake.add({ name: `db-${at}` });
    const before = fake.calls.search;
    expect((await refusal(provider.resolve(["db"], never))).code).toBe("ambiguous");
    expect(fake.calls.search - before).toBe(4);
  });

  it("are not taken from a page far larger than asked for, nor where they have no end", async () => {
    const { fake, open } = await scene({ pageSize: 5_000 });
    fake.add({ name: "db" });
    fake.add({ name: "db".repeat(600) });
    const provider = await open();
    expect(await provider.list?.(never)).toEqual(["db"]);
    for (let at = 0; at < 1_000; at++) fake.add({ name: `db-${at}` });
    expect(await refusal(provider.resolve(["db"], never))).toMatchObject({
      code: "provider_unavailable",
      message: "12Port answered the search with 1002 assets at once, where 25 were asked for",
    });
  });

  it("one that is renamed after the question stays the secret that was asked about", async () => {
    const { fake, open } = await scene();
    const asset = fake.add({ name: "db", password: "hunter2-0001" });
    const provider = await open();
    const handles = await handlesOf(provider, "db");
    asset.name = "old-db";
    fake.add({ name: "db", password: "hunter2-0002" });
    const [value] = await provider.read(handles, never);
    expect(value instanceof VaultError ? value : value?.reveal()).toBe("hunter2-0001");
  });

  it("what is missing, ambiguous and fine in one question is told apart", async () => {
    const { fake, open } = await scene();
    fake.add({ name: "a" });
    fake.add({ name: "twice" });
    fake.add({ name: "twice" });
    const outcomes = await (await open()).resolve(["a", "nowhere", "twice"], never);
    expect(outcomes.map((each) => (each instanceof VaultError ? each.code : each.name))).toEqual([
      "a",
      "secret_not_found",
      "ambiguous",
    ]);
  });
});

describe("ids", () => {
  it("need no search; a person sees that nobody has checked the name", async () => {
    const { fake, open } = await scene();
    const { id, password } = fake.add({ name: "db" });
    const provider = await open();
    const [handle] = await handlesOf(provider, id.toUpperCase());
    expect(handle).toMatchObject({
      checked: false,
      title: `asset ${id}, name unknown`,
      ref: JSON.stringify([id, "password"]),
    });
    expect(await ask(provider, id)).toEqual([password]);
    expect(fake.calls.search).toBe(0);
  });

  it("and names of the configuration lead to each other without one", async () => {
    const { fake, open } = await scene();
    const { id, password } = fake.add({ name: "something else" });
    const provider = await open({ assets: { billing: id } });
    const [[byName], [byId]] = await Promise.all([handlesOf(provider, "billing"), handlesOf(provider, id)]);
    expect(byName).toMatchObject({ name: "billing", checked: false });
    expect(byName).not.toHaveProperty("title");
    expect(byId).toMatchObject({ title: "billing", ref: byName?.ref });
    expect(await ask(provider, "billing")).toEqual([password]);
    expect(fake.calls.search).toBe(0);
  });

  it("that no asset has are not found, and one of the configuration is said to be wrong", async () => {
    const { open } = await scene();
    const id = randomUUID();
    const hint = "call list_secrets for the names there are";
    expect(await refusal(ask(await open(), id))).toMatchObject({ code: "secret_not_found", hint });
    expect(await refusal(ask(await open({ assets: { ghost: id } }), "ghost"))).toMatchObject({
      code: "secret_not_found",
      hint: 'the id of "ghost" in the vault\'s assets is wrong; tell the user to correct it',
    });
  });
});

describe("the list", () => {
  it("has the names of the configuration first, each name once, and is kept for a minute", async () => {
    const { fake, open, clock } = await scene();
    const { id } = fake.add({ name: "db" });
    fake.add({ name: "db" });
    fake.add({ name: "mail" });
    const provider = await open({ assets: { billing: id } });
    expect(await provider.list?.(never)).toEqual(["billing", "db", "mail"]);
    fake.add({ name: "new" });
    expect(await provider.list?.(never)).toEqual(["billing", "db", "mail"]);
    clock.advance(60_000);
    expect(await provider.list?.(never)).toContain("new");
    expect(fake.calls.credentials).toBe(0);
  });

  it("is that of the configuration where a search for everything is refused", async () => {
    const { fake, open } = await scene({ emptySearch: false });
    const { id } = fake.add({ name: "db" });
    expect(await (await open({ assets: { billing: id } })).list?.(never)).toEqual(["billing"]);
    expect(await refusal((await open()).list?.(never) ?? Promise.resolve())).toMatchObject({
      code: "provider_unavailable",
      message: expect.stringContaining("MSG-00002") as string,
    });
  });

  it("is no empty one where the token is not accepted", async () => {
    const { fake, open } = await scene();
    const { id } = fake.add({ name: "db" });
    fake.break("wrong");
    expect(await refusal((await open({ assets: { billing: id } })).list?.(never) ?? Promise.resolve())).toMatchObject({
      code: "provider_auth",
    });
  });
});

describe("fields", () => {
  it("are password, user and configuration, read with one call", async () => {
    const { fake, open } = await scene();
    const configuration = { port: 5432, hosts: ["a", "b"] };
    const { id } = fake.add({ name: "db", password: "hunter2-4711", user: "svc", configuration });
    const provider = await open();
    expect(await ask(provider, "db", { fields: ["*"] })).toEqual([
      "hunter2-4711",
      "svc",
      JSON.stringify(configuration),
    ]);
    expect(fake.reads.get(id)).toBe(1);
    expect(await ask(provider, "db", { fields: ["user"] })).toEqual(["svc"]);
    expect(await handlesOf(provider, "db", ["User", "user"])).toEqual([
      { name: "db", ref: JSON.stringify([id, "user"]), checked: true, field: "user" },
    ]);
  });

  it("that no asset has are refused before anybody is asked", async () => {
    const { fake, open } = await scene();
    fake.add({ name: "db" });
    const provider = await open();
    expect(await refusal(provider.fields?.("db", ["pin"], never) ?? Promise.resolve())).toMatchObject({
      code: "secret_not_found",
      hint: "the fields are password, user, configuration",
    });
    expect(await refusal(provider.fields?.("nowhere", ["user"], never) ?? Promise.resolve())).toMatchObject({
      code: "secret_not_found",
    });
  });

  it("that this asset lacks are told with those it has, and an empty one is a value", async () => {
    const { fake, open } = await scene();
    fake.add({ name: "db", password: null, user: "", configuration: undefined });
    const provider = await open();
    expect(await refusal(ask(provider, "db"))).toMatchObject({
      code: "secret_not_found",
      hint: expect.stringContaining("it has user") as string,
    });
    expect(await ask(provider, "db", { fields: ["user"] })).toEqual([""]);
  });

  it.each([["ünïcode ✓ 😀"], ["two\nlines\r\n"], ["  spaces  "], ["x".repeat(65_536)], ['"quotes" \\ and \u0000']])(
    "keep every character (%#)",
    async (password) => {
      const { fake, open } = await scene();
      fake.add({ name: "db", password });
      expect(await ask(await open(), "db")).toEqual([password]);
    },
  );

  it("of a hundred assets take a hundred calls and no more than a handful at a time", async () => {
    const { fake, open } = await scene();
    for (let at = 0; at < 100; at++) fake.add({ name: `asset ${at}`, password: `hunter2-${at}` });
    let most = 0;
    fake.watch = () => void (most = Math.max(most, fake.busy()));
    const provider = await open();
    const names = fake.assets.map(({ name }) => name);
    const handles = (await provider.resolve(names, never)).map((each) => {
      if (each instanceof VaultError) throw each;
      return each;
    });
    const values = await provider.read(handles, never);
    expect(values.map((each) => (each instanceof VaultError ? each : each.reveal()))).toEqual(
      names.map((_, at) => `hunter2-${at}`),
    );
    expect(fake.calls.credentials).toBe(100);
    expect(most).toBeLessThanOrEqual(8);
  });
});
