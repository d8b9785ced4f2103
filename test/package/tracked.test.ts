import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { describe, expect, it } from "vitest";

const PICTURE = /\.(png|jpg|gif|ico)$/;
/** Documents and tests may show a path in a temporary folder; nothing else has a reason to. */
const MAY_SHOW = /^test\/|\.md$/;
const folderOf = (...names: string[]): RegExp => new RegExp(`(?<![\\w./~-])/(?:${names.join("|")})/`);

// Not in an unpacked archive, where nobody knows what is tracked.
describe.skipIf(!existsSync(".git"))("what is tracked", () => {
  const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8" });
  const tracked = existsSync(".git")
    ? git("ls-files", "-z")
        .split("\0")
        .filter((path) => path !== "" && !PICTURE.test(path) && existsSync(path))
    : [];
  const holding = (what: RegExp, among = tracked): string[] =>
    among.filter((path) => what.test(readFileSync(path, "utf8")));

  it("is more than a few files", () => {
    expect(tracked.length).toBeGreaterThan(50);
  });

  it("takes packages from wherever the machine has them", () => {
    expect(holding(/"resolved"\s*:/, ["package-lock.json"])).toEqual([]);
    expect(holding(/:\/\/|registry=/, [".npmrc"])).toEqual([]);
    const { host } = new URL(execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim());
    expect(holding(new RegExp(host.replaceAll(".", "\\.")))).toEqual([]);
  });

  it("names no machine's folders", () => {
    expect(holding(folderOf("work", "root"))).toEqual([]);
    const rest = tracked.filter((path) => !MAY_SHOW.test(path));
    expect(holding(folderOf("tmp"), rest)).toEqual([]);
  });

  it("would see one that did", () => {
    const shown = ["see ", "root", "notes"].join("/");
    expect(folderOf("work", "root").test(shown)).toBe(true);
    expect(folderOf("work", "root").test("https://example.org/work/paper")).toBe(false);
    expect(folderOf("work", "root").test("./src/work/")).toBe(false);
  });

  it("does not name the machine", () => {
    const name = hostname();
    // A name like "dev" says nothing and stands everywhere.
    if (name.length < 8) return;
    expect(holding(new RegExp(`\\b${name.replaceAll(/[^\w-]/g, "\\$&")}\\b`))).toEqual([]);
  });
});
