import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { createWeb } from "../../src/web/server.ts";
import { fieldsOf, item } from "../support/fake-front.ts";
import { loadPatched } from "../support/patched.ts";
import { startWeb, textOf } from "../support/web.ts";

let started: Awaited<ReturnType<typeof startWeb>>;
beforeAll(async () => void (started = await startWeb()));
afterAll(() => started.web.close());

type Seed = NonNullable<Parameters<typeof started.front.add>[0]>;
const reads = async (seed: Seed, web = started): Promise<string> => textOf((await web.show(web.front.add(seed))).text);
const once = { windowMs: 0, scope: "secret" } as const;
const soon = (): number => started.clock.now() + 900_000;
const approved = (): Seed => ({ standing: { is: "approved", at: started.clock.now(), until: soon() } });

describe("a request for fields", () => {
  it("of one secret for one field opens that field and no more", async () => {
    const items = fieldsOf(item("Stripe"), "password");
    const text = await reads({ items });
    expect(text).toContain("wants to read 1 secret READ from prod");
    expect(text).toContain("Stripe field: password The agent says");
    expect(text).toContain("this field for 15 minutes");
    expect(text).not.toContain("this secret for");
    expect(await reads({ items, ...approved() })).toMatch(
      /can read field password of Stripe until \d\d:47 \S+\. Revoke/,
    );
  });

  it("of one secret for several names it once, with its fields beneath", async () => {
    const items = fieldsOf(item("Stripe"), "username", "password", "one-time password");
    const text = await reads({ items });
    expect(text).toContain("wants to read 1 secret READ 3 fields, from prod");
    expect(text).toContain(
      "1password Stripe fields: username, password, one-time password Untick what it should not get. The agent says",
    );
    expect(text).toContain("these 3 fields for 15 minutes");
    expect(text).not.toContain("every field");
    expect(await reads({ items, ...approved() })).toContain("can read these 3 fields of Stripe until");
  });

  it("of one secret for all says every field, and which they are", async () => {
    const items = fieldsOf(item("Stripe"), "username", "password", "notes");
    const text = await reads({ items, everyField: true });
    expect(text).toContain("wants to read 1 secret READ all 3 fields, from prod");
    expect(text).toContain(
      "Stripe every field: username, password, notes Untick what it should not get. The agent says",
    );
    expect(text).toContain("these 3 fields for 15 minutes");
    expect(await reads({ items, everyField: true, ...approved() })).toContain("can read every field of Stripe until");
    const only = await reads({ items: fieldsOf(item("PIN"), "pin"), everyField: true });
    expect(only).toContain("wants to read 1 secret READ from prod");
    expect(only).toContain("PIN every field: pin The agent says");
  });

  it("lists quietly, with its name, the field that is open already, and asks for the others", async () => {
    const open = fieldsOf({ ...item("Stripe"), openUntil: soon() }, "username");
    const items = [...open, ...fieldsOf(item("Stripe"), "password", "notes")];
    const text = await reads({ items });
    expect(text).toContain("1 secret READ 2 fields, from");
    expect(text).toMatch(
      /Stripe fields: password, notes Untick what it should not get. Already open Stripe field: username open until \d\d:47/,
    );
    expect(text).toContain("these 2 fields for 15 minutes");
    const every = await reads({ items, everyField: true });
    expect(every).toContain(
      "Stripe all other fields: password, notes Untick what it should not get. Already open Stripe field: username open until",
    );
    expect(every).not.toContain("every field");
    expect(await reads({ items, everyField: true, ...approved() })).toContain(
      "can read these 2 fields of Stripe until",
    );
  });

  it("of several secrets for one field each says so at each of them, and counts secrets", async () => {
    const items = ["Stripe", "Sentry"].flatMap((name) => fieldsOf(item(name), "password"));
    const text = await reads({ items });
    expect(text).toContain("wants to read 2 secrets READ from prod");
    expect(text).toContain(
      "Stripe field: password Sentry field: password Untick what it should not get. The agent says",
    );
    expect(text).toContain("these 2 secrets for 15 minutes");
    expect(await reads({ items, ...approved() })).toContain("can read these 2 secrets until");
    const more = [...items, ...fieldsOf(item("Sentry"), "user")];
    expect(await reads({ items: more, ...approved() })).toContain("can read these 3 fields until");
  });

  it("calls neither a field a secret nor a secret a field where it is some of each", async () => {
    const text = await reads({});
    expect(text).toContain("these 2 for 15 minutes");
    expect(await reads(approved())).toContain("can read these 2 until");
  });

  it("shows every one of 60 fields in its own frame, whatever commas are in them", async () => {
    const names = Array.from({ length: 60 }, (_, at) => `field, ${at} ${"x".repeat(70)}`);
    const { text } = await started.show(started.front.add({ items: fieldsOf(item("All"), ...names) }));
    const framed = [...text.matchAll(/<bdi class="field" dir="ltr">([^<]+)<\/bdi>/g)].map(([, name]) => name);
    expect(framed).toEqual(names);
  });

  it("never joins what differs: other secrets, titles, or what is checked", async () => {
    const text = await reads({
      items: [
        ...fieldsOf({ ...item("a"), title: "Old" }, "password"),
        ...fieldsOf({ ...item("a"), title: "New" }, "password"),
        ...fieldsOf({ ...item("b"), checked: false }, "password"),
      ],
    });
    expect(text).toContain(
      "Old asked for as a field: password New asked for as a field: password b field: password not",
    );
  });

  it.each([
    [
      "says that a window over a field opens the secret",
      "src/web/rows.ts",
      "return `this ${noun",
      "return `this secret ${noun",
    ],
    ["forgets all fields but the first", "src/web/rows.ts", "row.fields.push(field)", "row.fields[0] ??= field"],
    ["says every field where some are not asked for", "src/web/rows.ts", "split(card).open.length === 0", "true"],
  ])("would be noticed when it %s", async (_what, file, from, to) => {
    const twin = (await loadPatched("src/web/server.ts", [{ file, from, to }])) as { createWeb: typeof createWeb };
    const broken = await startWeb(twin.createWeb);
    const one = await reads({ items: fieldsOf(item("Stripe"), "password") }, broken);
    const open = fieldsOf({ ...item("Stripe"), openUntil: soon() }, "username");
    const rest = await reads({ items: [...open, ...fieldsOf(item("Stripe"), "a", "b")], everyField: true }, broken);
    await broken.web.close();
    const right =
      !one.includes("this secret") && one.includes("this field for") && rest.includes("Stripe all other fields: a, b");
    expect(right).toBe(false);
  });
});

describe("what the vault calls it", () => {
  const asset = { ...item("op://x7k2/m9/password"), title: "Database of the shop" };

  it("stands first where an id was asked for, and in every sentence", async () => {
    const text = await reads({ items: [asset] });
    expect(text).toContain("Database of the shop asked for as op://x7k2/m9/password The agent says");
    expect(await reads({ items: [asset], ...approved() })).toContain("can read Database of the shop until");
    const gone = { standing: { is: "approved", at: 0, until: 1, ended: "revoked" } } as const;
    const revoked = await reads({ items: fieldsOf(asset, "password"), ...gone });
    expect(revoked).toContain("can no longer read field password of Database of the shop.");
  });

  it.each([
    ["Stripe", "Stripe"],
    ["Stripe", "Stripe (Work)"],
    ["Stripe (old)", "Stripe (old) (Work)"],
    ["266DD4A9-4711-4b0e-9d5c-2f1f0a8e7c31", "asset 266dd4a9-4711-4b0e-9d5c-2f1f0a8e7c31, name unknown"],
  ])("stands alone where it holds what was asked for: %s, %s", async (name, title) => {
    const text = await reads({ items: [{ ...item(name), title }] });
    expect(text).toContain(`1password ${title} The agent says`);
  });

  it.each([
    ["Stripe", "Stripes (Work)"],
    ["stripe", "Stripe (Work)"],
    ["Stripe (Work)", "Stripe"],
    ["Stripe", "Sentry, not Stripe"],
    ["op://Work/x7k2m9 (Dup)", "Dup (Work)"],
  ])("stands beside what was asked for where that differs: %s, %s", async (name, title) => {
    const text = await reads({ items: [{ ...item(name), title }] });
    expect(text).toContain(`1password ${title} asked for as ${name} The agent says`);
  });

  it("stays apart from the words around it when it is written from right to left", async () => {
    const { text } = await started.show(started.front.add({ items: [{ ...asset, title: "مفتاح" }] }));
    expect(text).toContain('<bdi class="title">مفتاح</bdi>');
  });

  it("counts as one secret what has one name, and as a field only what is one", async () => {
    expect(await reads({ items: [...fieldsOf(asset, "a", "b"), item("PIN")] })).toContain("2 secrets READ from");
  });
});

describe("a write to a field", () => {
  const preview = { length: 32, head: "sk_", tail: "9xF" };
  const replace = { ...item("Stripe"), field: "password", write: { effect: "replace" as const, preview } };
  const create = {
    ...item("Sentry"),
    title: "Sentry (Shop)",
    write: { effect: "create" as const, preview: { length: 9 } },
  };
  const saving = { action: "write", offer: once } as const;

  it("says which field it replaces, and where something new is made", async () => {
    const text = await reads({ ...saving, items: [replace, create, { ...create, field: "token", title: "Sentry" }] });
    expect(text).toContain("wants to save 2 secrets WRITE to prod");
    expect(text).toContain("Stripe replaces field password 32 characters sk_…9xF");
    expect(text).toContain("Sentry (Shop) new 9 characters");
    expect(text).toContain("Sentry new field token 9 characters");
  });

  it("names the thing as the vault does when an id was given", async () => {
    const items = [{ ...replace, ...item("x7k2m9"), title: "Stripe" }];
    expect(await reads({ ...saving, items })).toContain("Stripe asked for as x7k2m9 replaces field password");
    const done = { is: "approved", at: started.clock.now(), ended: "over" } as const;
    const text = await reads({ ...saving, items, standing: done });
    expect(text).toContain("was allowed to save field password of Stripe, just this once.");
  });
});
