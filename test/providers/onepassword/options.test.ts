import { describe, expect, it } from "vitest";
import { onepassword } from "../../../src/providers/onepassword/index.ts";
import { CATEGORIES, CATEGORY_NAMES } from "../../../src/providers/onepassword/categories.ts";

const token = { serviceAccountToken: "ops_canary" };

function problems(options: object, writable: boolean): string[] {
  const parsed = onepassword.options.parse({ ...token, ...options });
  return (onepassword.problems?.(parsed, { writable }) ?? []).map(
    ({ path, message }) => `${path.join(".")} ${message}`,
  );
}

describe("the options of a 1Password vault", () => {
  it("takes what users of the prototype have configured", () => {
    for (const options of [
      { vaultIds: ["abc123"] },
      { write: { vaultId: "your-1password-vault-id", category: "login" } },
      {},
    ])
      expect(onepassword.options.safeParse({ ...token, ...options }).success).toBe(true);
    expect(onepassword.options.parse({ ...token, write: { vaultId: "v" } }).write?.category).toBe("login");
  });

  it.each([
    {},
    { ...token, serviceAccountToken: "" },
    { ...token, vaultIds: [] },
    { ...token, vaultIds: [""] },
    { ...token, write: { vaultId: "" } },
    ...["document", "Document", "Unsupported", "passport", "logins", ""].map((category) => ({
      ...token,
      write: { vaultId: "v", category },
    })),
    { ...token, vaultid: ["x"] },
    { ...token, write: { vault: "x" } },
  ])("refuses %j", (options) => {
    expect(onepassword.options.safeParse(options).success).toBe(false);
  });

  it("knows what does not go together", () => {
    const missing = ["write.vaultId is missing, so there is nowhere to make new items"];
    expect(problems({}, true)).toEqual(missing);
    expect(problems({ vaultIds: ["a", "b"] }, true)).toEqual(missing);
    expect(problems({ vaultIds: ["a"] }, true)).toEqual([]);
    expect(problems({ write: { vaultId: "a" } }, true)).toEqual([]);
    expect(problems({}, false)).toEqual([]);
    expect(problems({ vaultIds: ["a"], write: { vaultId: "b" } }, true)).toEqual([
      "write.vaultId is not one of vaultIds",
    ]);
  });

  it.each(CATEGORY_NAMES)("takes %s in both spellings, and says how to write it in one", (name) => {
    for (const category of [name, CATEGORIES[name].sdk])
      expect(onepassword.options.parse({ ...token, write: { category } }).write?.category).toBe(name);
    const wrong = onepassword.options.safeParse({ ...token, write: { category: "x" } });
    expect(wrong.error?.issues).toMatchObject([{ code: "invalid_value", values: CATEGORY_NAMES }]);
  });
});
