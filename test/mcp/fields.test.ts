import { describe, expect, it } from "vitest";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import type { Handle } from "../../src/core/request.ts";
import { statusOf, textOf } from "../support/agent.ts";
import { startHouse } from "../support/house.ts";
import { asked, connect } from "./connect.ts";

const SECRETS = {
  "Stripe#username": "maria",
  "Stripe#password": "hunter2-4711",
  "Stripe#__proto__": "proto-canary-0815",
  DATABASE_URL: "postgres://hunter2-0816",
};
const STRIPE = { vault: "dev", name: "Stripe", reason: "log in to the dashboard" };

async function begin() {
  const house = startHouse({ secrets: SECRETS });
  house.vault.hasFields();
  const agent = await connect(house);
  /** The call, with a person who says yes to the one question that it comes to. */
  const approved = async (args: object): Promise<CallToolResult> => {
    const before = house.tokens.length;
    const reply = agent.call("get_secret", { ...STRIPE, ...args });
    await asked(house, before + 1);
    await house.approve();
    return reply;
  };
  return { house, agent, approved };
}

const texts = ({ content }: CallToolResult): string[] =>
  content.map((block) => (block.type === "text" ? block.text : ""));

describe("get_secret", () => {
  it("with field answers with exactly that field's value, and shows the person which one it is", async () => {
    const { house, approved } = await begin();
    const result = await approved({ field: "username" });
    expect(result.content).toEqual([{ type: "text", text: "maria" }]);
    expect(house.card().items).toMatchObject([{ name: "Stripe", field: "username" }]);
    expect(house.card().everyField).toBe(false);
  });

  it("with fields answers with one JSON object, also when there is one field", async () => {
    const { approved } = await begin();
    const two = texts(await approved({ fields: ["password", "username"] }));
    expect(two).toHaveLength(1);
    expect(JSON.parse(two[0] ?? "")).toEqual({ password: "hunter2-4711", username: "maria" });
    expect(texts(await approved({ fields: ["username"] }))).toEqual(['{"username":"maria"}']);
  });

  it('with ["*"] answers with every field, own properties whatever their names, and the person is told so', async () => {
    const { house, approved } = await begin();
    const [block = ""] = texts(await approved({ fields: ["*"] }));
    expect(Object.entries(JSON.parse(block) as object)).toEqual([
      ["username", "maria"],
      ["password", "hunter2-4711"],
      ["__proto__", "proto-canary-0815"],
    ]);
    expect(house.card().everyField).toBe(true);
  });

  it("with neither answers with the field that the vault chooses", async () => {
    const { approved } = await begin();
    expect((await approved({})).content).toEqual([{ type: "text", text: "hunter2-4711" }]);
  });

  it("names what could not be read in a second block, by field", async () => {
    const { house, agent } = await begin();
    const reply = agent.call("get_secret", { ...STRIPE, fields: ["username", "password"] });
    await asked(house, 1);
    house.vault.secrets.delete("Stripe#password");
    await house.approve();
    const [values, failures] = texts(await reply);
    expect(values).toBe('{"username":"maria"}');
    expect(failures).toMatch(/^not read:\n"password": conflict: /);
  });

  it("loses neither value where a vault calls two fields the same", async () => {
    const { house, approved } = await begin();
    house.vault.fields = (name) =>
      Promise.resolve(
        ["username", "password"].map((key): Handle => {
          return { name, field: "token", ref: `id:${name}#${key}`, checked: true };
        }),
      );
    const [block = ""] = texts(await approved({ fields: ["*"] }));
    expect(JSON.parse(block)).toEqual({ token: "maria", "token (2)": "hunter2-4711" });
  });

  it("is one request however the fields are ordered, and another one without them", async () => {
    const { house, agent } = await begin();
    const calls = [["username", "password"], ["password", "username"], ["username"]].map((fields) =>
      agent.call("get_secret", { ...STRIPE, fields }),
    );
    await asked(house, 2);
    for (const at of [0, 1]) await house.approve("once", at);
    const blocks = (await Promise.all(calls)).map((result) => JSON.parse(textOf(result)) as unknown);
    const both = { username: "maria", password: "hunter2-4711" };
    expect(blocks).toEqual([both, both, { username: "maria" }]);
    expect(house.tokens).toHaveLength(2);
  });

  it.each([
    ["both at once", { field: "username", fields: ["password"] }, "field or fields, not both"],
    ["a field named twice", { fields: ["username", "username"] }, "fields may name each field once"],
    ['"*" beside others', { fields: ["*", "username"] }, 'fields may hold "*" only alone'],
    ['"*" as the one field', { field: "*" }, 'pass fields: ["*"]'],
    ["no field at all", { fields: [] }, "fields is empty"],
    ["an empty field", { fields: ["username", ""] }, "fields.1 is empty"],
    ["a hundred and one", { fields: Array.from({ length: 101 }, (_, at) => `f${at}`) }, "at most 100 entries"],
    ["a number", { field: 42 }, "field must be of type string"],
    ["an object", { fields: { username: true } }, "fields must be of type array"],
  ])("refuses %s, before anybody is asked", async (_, args, says) => {
    const { house, agent } = await begin();
    const result = await agent.call("get_secret", { ...STRIPE, ...args });
    expect(statusOf(result)).toBe("invalid_arguments");
    expect(textOf(result)).toContain(says);
    expect(textOf(result)).not.toContain("\n");
    expect(house.vault.resolves).toBe(0);
    expect(house.tokens).toEqual([]);
  });

  it("says which arguments there are where one has another name", async () => {
    const { agent } = await begin();
    const result = await agent.call("get_secret", { ...STRIPE, feild: "username" });
    expect(textOf(result)).toBe(
      "invalid_arguments: get_secret: arguments may not hold feild\nget_secret takes vault, name, reason, field, fields",
    );
  });

  it("says what there is where a field is unknown, and what to do where a vault has none", async () => {
    const { house, agent } = await begin();
    const unknown = await agent.call("get_secret", { ...STRIPE, field: "pin" });
    expect(statusOf(unknown)).toBe("secret_not_found");
    delete house.vault.fields;
    const none = await agent.call("get_secret", { ...STRIPE, name: "DATABASE_URL", fields: ["*"] });
    expect(statusOf(none)).toBe("invalid_arguments");
    expect(textOf(none)).toContain("call again without field and fields");
  });
});

describe("get_secrets", () => {
  it("answers by name, also where the vault chose a field for each", async () => {
    const { house, agent } = await begin();
    const names = ["DATABASE_URL", "Stripe"];
    const reply = agent.call("get_secrets", { vault: "dev", names, reason: "deploy" });
    await asked(house, 1);
    await house.approve();
    expect(JSON.parse(textOf(await reply))).toEqual({
      DATABASE_URL: "postgres://hunter2-0816",
      Stripe: "hunter2-4711",
    });
  });
});
