import { describe, expect, it } from "vitest";
import { codeOf, fakeOnePassword, type ItemSeed } from "../../support/fake-onepassword.ts";
import { providerContext } from "../../support/provider-context.ts";
import { errorOf, get, good, handleOf, SIGNAL, texts } from "./support.ts";

const SEED = "otpauth://totp/canary?secret=HUNTER2CANARY";

async function opened(...items: ItemSeed[]) {
  const fake = fakeOnePassword({ vaults: [{ title: "Work", items }] });
  return { fake, provider: await fake.open(providerContext()) };
}

const CODES = ["ambiguous", "unrepresentable", "secret_not_found"];

const RICH: ItemSeed = {
  title: "db",
  password: "hunter2-main",
  notes: "hunter2-notes",
  files: ["key.pem"],
  fields: [
    { id: "username", title: "username", value: "maria", type: "Text" },
    { title: "password", value: "hunter2-admin", section: "Admin" },
    { title: "host", value: "db.example", type: "Url", section: "Server" },
    { title: "one-time password", value: SEED, type: "Totp", section: "Server" },
    { title: "blob", value: "", type: "Unsupported" },
    { title: "", value: "hunter2-nameless", id: "custom1", section: "Admin" },
    { title: "empty", value: "" },
  ],
};

describe("the fields of an item", () => {
  it.each<[string, ItemSeed, string]>([
    [
      "the only concealed one",
      {
        title: "x",
        fields: [
          { title: "user", value: "u", type: "Text" },
          { title: "token", value: "hunter2-1" },
        ],
      },
      "token",
    ],
    ["a login's password", { title: "x", password: "hunter2-1", fields: [{ title: "pin", value: "1" }] }, "password"],
    [
      "an API credential",
      {
        title: "x",
        category: "ApiCredentials",
        fields: [
          { title: "other", value: "o" },
          { id: "credential", title: "credential", value: "hunter2-1" },
        ],
      },
      "credential",
    ],
    [
      "a card's number",
      {
        title: "x",
        category: "CreditCard",
        fields: [
          { id: "cvv", title: "verification number", value: "123" },
          { id: "ccnum", title: "number", value: "hunter2-1", type: "CreditCardNumber" },
        ],
      },
      "number",
    ],
    [
      "an SSH key",
      {
        title: "x",
        category: "SshKey",
        fields: [{ id: "private_key", title: "private key", value: "hunter2-1", type: "SshKey" }],
      },
      "private key",
    ],
    ["a note's text", { title: "x", category: "SecureNote", notes: "hunter2-1" }, "notes"],
    [
      "the only one filled",
      {
        title: "x",
        category: "Person",
        fields: [
          { title: "a", value: "" },
          { title: "b", value: "hunter2-1" },
        ],
      },
      "b",
    ],
    [
      "the only one there is",
      { title: "x", category: "Person", fields: [{ title: "mail", value: "hunter2-1", type: "Email" }] },
      "mail",
    ],
  ])("means %s where no field is named", async (_, seed, label) => {
    const { provider } = await opened(seed);
    expect(await handleOf(provider, "x")).toMatchObject({ field: label });
    expect(await get(provider, "x")).toEqual(["hunter2-1"]);
  });

  it("names the fields where none is the obvious one", async () => {
    const { provider } = await opened({
      title: "x",
      category: "Person",
      fields: [
        { title: "a", value: "hunter2-1" },
        { title: "b", value: "hunter2-2" },
      ],
    });
    const error = await errorOf(provider.resolve(["x"], SIGNAL));
    expect(error).toMatchObject({ code: "ambiguous", hint: 'ask for a field: "a", "b"' });
  });

  it("says that a document holds a file", async () => {
    const { provider } = await opened({ title: "x", category: "Document", files: ["contract.pdf"] });
    expect(await errorOf(provider.resolve(["x"], SIGNAL))).toMatchObject({ code: "unrepresentable" });
  });

  it("gives every field under a name that means only it, and the notes with them", async () => {
    const { provider } = await opened(RICH);
    const handles = (await provider.fields?.("db", ["*"], SIGNAL)) ?? [];
    expect(handles.map(({ field }) => field)).toEqual([
      "password",
      "username",
      "Admin/password",
      "host",
      "one-time password",
      "Admin/custom1",
      "empty",
      "notes",
    ]);
    expect(new Set(handles.map(({ ref }) => ref)).size).toBe(8);
    const values = [
      "hunter2-main",
      "maria",
      "hunter2-admin",
      "db.example",
      codeOf(SEED),
      "hunter2-nameless",
      "",
      "hunter2-notes",
    ];
    expect(texts(await provider.read(handles, SIGNAL))).toEqual(values);
    const labels = handles.map(({ field }) => field ?? "");
    const again = (await provider.fields?.("db", labels, SIGNAL)) ?? [];
    expect(again.map(({ ref }) => ref)).toEqual(handles.map(({ ref }) => ref));
  });

  it.each([
    ["password", "hunter2-main"],
    ["PASSWORD", "ambiguous"],
    ["Admin/password", "hunter2-admin"],
    ["admin/PASSWORD", "hunter2-admin"],
    ["HOST", "db.example"],
    ["Server/host", "db.example"],
    ["notes", "hunter2-notes"],
    ["notesPlain", "hunter2-notes"],
    ["one-time password", codeOf(SEED)],
    ["key.pem", "unrepresentable"],
    ["blob", "unrepresentable"],
    ["passwort", "secret_not_found"],
  ])("finds field %s", async (wanted, value) => {
    const { provider } = await opened(RICH);
    const ways = [
      () => provider.fields?.("db", [wanted], SIGNAL) ?? Promise.resolve([]),
      () => provider.resolve([`op://Work/db/${wanted}`], SIGNAL),
    ];
    for (const ask of ways) {
      if (CODES.includes(value)) expect((await errorOf(ask())).code).toBe(value);
      else expect(texts(await provider.read((await ask()).map(good), SIGNAL))).toEqual([value]);
    }
  });

  it("names what there is when a field is missing, with what is close", async () => {
    const { provider } = await opened(RICH);
    const error = await errorOf(provider.fields?.("db", ["usernme"], SIGNAL) ?? Promise.resolve());
    expect(error.hint).toContain('did you mean "username"? its fields are "password", "username", "Admin/password"');
  });

  it("does not take a field twice: from the name and beside it", async () => {
    const { provider } = await opened(RICH);
    const error = await errorOf(provider.fields?.("op://Work/db/password", ["host"], SIGNAL) ?? Promise.resolve());
    expect(error.code).toBe("invalid_arguments");
  });

  it("gives the code of a one-time password, never its seed, however it is asked for", async () => {
    const { fake, provider } = await opened(RICH);
    const name = "op://Work/db/one-time password";
    expect(await get(provider, name, `${name}?attribute=otp`)).toEqual([codeOf(SEED), codeOf(SEED)]);
    const handle = await handleOf(provider, name);
    expect(handle.ref).toMatch(/\?attribute=otp$/);
    // By its old address, once 1Password can no longer make codes, and once it is no one-time password.
    const field = fake.item("db").fields.find(({ fieldType }) => fieldType === "Totp");
    if (!field) throw new Error("no field");
    field.details = { type: "Otp", content: { errorMessage: "bad seed" } };
    expect(texts(await provider.read([handle], SIGNAL))).toEqual(["unrepresentable"]);
    field.fieldType = "Text";
    expect(texts(await provider.read([handle], SIGNAL))).toEqual(["conflict"]);
  });

  it("gives a private key in OpenSSH form when asked, and refuses what does not go together", async () => {
    const { provider } = await opened(
      {
        title: "key",
        category: "SshKey",
        fields: [{ id: "private_key", title: "private key", value: "hunter2-key", type: "SshKey" }],
      },
      RICH,
    );
    const name = "op://Work/key/private key";
    const [plain, open] = await get(provider, name, `${name}?ssh-format=openssh`);
    expect(plain).toBe("hunter2-key");
    expect(open).toContain("BEGIN OPENSSH");
    for (const wrong of ["op://Work/db/password?attribute=otp", "op://Work/db?ssh-format=openssh"])
      expect((await errorOf(provider.resolve([wrong], SIGNAL))).code).toBe("invalid_name");
  });

  it("keeps nothing of the values that pass through: neither in handles nor in errors", async () => {
    const { provider } = await opened(RICH);
    const handles = (await provider.fields?.("db", ["*"], SIGNAL)) ?? [];
    expect(JSON.stringify(handles)).not.toMatch(/hunter2|CANARY|maria/);
  });
});
