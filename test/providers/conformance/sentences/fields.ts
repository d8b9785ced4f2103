import { codes, get, good, must, plan, read, refusal, resolve, verify, write } from "../outcomes.ts";
import { door, sentence } from "../sentence.ts";

export const defaultField = sentence(
  "means the field that holds the secret when none is named",
  ["fields"],
  async (stage) => {
    const { primary, other } = must(stage.world.fields);
    const value = stage.secret("primary");
    const backend = await stage.start([["DB_PASSWORD", { [other]: stage.secret("other"), [primary]: value }]]);
    const provider = await stage.open(backend);
    const [handle] = await resolve(stage, provider, "DB_PASSWORD");
    const [named] = await must(provider.fields)("DB_PASSWORD", [primary], stage.signal);
    verify(must(handle).ref, "one field has one address").toBe(must(named).ref);
    verify(must(named).field).toBe(primary);
    verify(must(handle).field, "the person sees which field").toBe(primary);
    verify(await get(stage, provider, "DB_PASSWORD")).toBe(value);
  },
);

export const fieldsByName = sentence(
  "reads the fields that were named, in that order, and no other",
  ["fields"],
  async (stage) => {
    const { primary, other } = must(stage.world.fields);
    const [one, two] = [stage.secret("primary"), stage.secret("other")];
    const backend = await stage.start([["DB_PASSWORD", { [primary]: one, [other]: two }]]);
    const provider = await stage.open(backend);
    const fields = must(provider.fields);
    const handles = await fields("DB_PASSWORD", [other, primary], stage.signal);
    verify(handles.map(({ name, field }) => [name, field])).toEqual([
      ["DB_PASSWORD", other],
      ["DB_PASSWORD", primary],
    ]);
    verify(new Set(handles.map(({ ref }) => ref)).size).toBe(2);
    verify(await read(stage, provider, handles)).toEqual([two, one]);
    verify(await read(stage, provider, await fields("DB_PASSWORD", [other], stage.signal))).toEqual([two]);
  },
);

export const everyField = sentence("reads every field for *", ["fields"], async (stage) => {
  const { primary, other } = must(stage.world.fields);
  const [one, two] = [stage.secret("primary"), stage.secret("other")];
  const backend = await stage.start([["DB_PASSWORD", { [primary]: one, [other]: two }]]);
  const provider = await stage.open(backend);
  const handles = await must(provider.fields)("DB_PASSWORD", ["*"], stage.signal);
  verify(new Set(handles.map(({ ref }) => ref)).size).toBe(handles.length);
  const values = await read(stage, provider, handles);
  const found = Object.fromEntries(handles.map(({ field }, index) => [field, values[index]]));
  verify(found).toMatchObject({ [primary]: one, [other]: two });
});

export const unknownFields = sentence(
  "answers an unknown field with the fields there are",
  ["fields"],
  async (stage) => {
    const { primary, other } = must(stage.world.fields);
    const backend = await stage.start([
      ["DB_PASSWORD", { [primary]: stage.secret("one"), [other]: stage.secret("two") }],
    ]);
    const provider = await stage.open(backend);
    const fields = must(provider.fields);
    for (const wanted of [["no such field"], [primary, "no such field"], [primary.slice(0, -1)]]) {
      const error = await refusal(fields("DB_PASSWORD", wanted, stage.signal));
      verify(error.code).toBe("secret_not_found");
      verify(`${error.message}; ${error.hint}`).toContain(primary);
      verify(`${error.message}; ${error.hint}`).toContain(other);
    }
  },
);

export const fieldsOfUnknown = sentence("answers fields of an unknown name as that name", ["fields"], async (stage) => {
  const backend = await stage.start([["DB_PASSWORD", stage.secret("one")]]);
  const provider = await stage.open(backend);
  const error = await refusal(must(provider.fields)("DB_PASWORD", ["*"], stage.signal));
  verify(error.code).toBe("secret_not_found");
  verify(error.message).toContain("DB_PASWORD");
  verify(error.hint).toBeTruthy();
});

export const fieldsOfSeveral = sentence(
  "answers fields of a name that several have with which there are",
  ["fields"],
  async (stage) => {
    const backend = await stage.start([["DB_PASSWORD", stage.secret("one")]]);
    await door(backend, "add")("DB_PASSWORD", stage.secret("two"));
    const provider = await stage.open(backend);
    verify((await refusal(must(provider.fields)("DB_PASSWORD", ["*"], stage.signal))).code).toBe("ambiguous");
  },
);

export const writesDefaultField = sentence(
  "writes the field that it would read",
  ["fields", "write"],
  async (stage) => {
    const { primary, other } = must(stage.world.fields);
    const beside = stage.secret("beside");
    const backend = await stage.start([["DB_PASSWORD", { [other]: beside, [primary]: stage.secret("old") }]]);
    const provider = await stage.open(backend);
    const values = [["DB_PASSWORD", stage.secret("now")]] as const;
    const plans = good(await plan(stage, provider, values));
    verify(plans[0]?.field).toBe(primary);
    verify(plans[0]?.ref).toBe((await resolve(stage, provider, "DB_PASSWORD"))[0]?.ref);
    verify(await write(stage, provider, plans, values)).toEqual(["ok"]);
    const handles = await must(provider.fields)("DB_PASSWORD", [primary, other], stage.signal);
    verify(await read(stage, provider, handles)).toEqual([values[0][1], beside]);
  },
);

export const fieldsSurvive = sentence(
  "reports a conflict for the fields of what was deleted",
  ["fields"],
  async (stage) => {
    const { primary, other } = must(stage.world.fields);
    const backend = await stage.start([
      ["DB_PASSWORD", { [primary]: stage.secret("one"), [other]: stage.secret("two") }],
    ]);
    const provider = await stage.open(backend);
    const handles = await must(provider.fields)("DB_PASSWORD", [primary, other], stage.signal);
    await backend.remove("DB_PASSWORD");
    verify(codes(await provider.read(handles, stage.signal))).toEqual(["conflict", "conflict"]);
  },
);
