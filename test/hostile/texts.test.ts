import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { visible } from "../../src/core/text.ts";
import { PROGRAM } from "../support/agent.ts";
import { HOSTILE_TEXTS, rawIn } from "../support/hostile-texts.ts";
import { expectShown, expectClean, openStage, plainPages, readPage, sayEverywhere } from "../support/hostile-run.ts";
import { buildPatched } from "../support/patched.ts";

const run = promisify(execFile);

/** Every n-th of them: the first of each shape, then the second, and so on. */
const some = (n: number): readonly string[] => HOSTILE_TEXTS.filter((_, at) => at % n === n - 1);

it("holds 500 texts, all different", () => {
  expect(new Set(HOSTILE_TEXTS).size).toBe(500);
});

it("a hostile reason, name, vault, tool or argument stays text on every surface", async () => {
  const stage = await openStage();
  const plain = await plainPages(stage);
  for (const text of some(9)) await sayEverywhere(stage, text, plain);
  await expectClean(stage);
  const { project, env } = stage.world;
  for (const args of [["audit"], ["audit", "--json"], ["doctor"]]) {
    const { stdout, stderr } = await run(process.execPath, [PROGRAM, ...args], { cwd: project, env }).catch(
      (failed: unknown) => failed as { stdout: string; stderr: string },
    );
    expect(stdout).toContain("dev");
    expect(rawIn(`${stdout}${stderr}`)).toBeUndefined();
  }
});

it.each(some(97).map((text) => [visible(text).slice(0, 40), text] as const))(
  "a client that calls itself %s is shown so, with its folders",
  (_, text) => expectShown(text),
);

it("would be seen to pass markup and controls if they were let through", async () => {
  const plants = [
    {
      file: "src/core/text.ts",
      from: "return text.replace(UNSEEN, escape).replace(PILED_MARKS, escape);",
      to: "return text;",
    },
    { file: "src/web/html.ts", from: "return escape(String(piece));", to: "return String(piece);" },
  ];
  const twin = await buildPatched("src/main.ts", plants);
  try {
    const stage = await openStage({ program: twin.file });
    const [plain] = await plainPages(stage);
    const asked = stage.raw.call("get_secret", {
      vault: "dev",
      name: "DATABASE_URL",
      reason: "\u202E<img src=x onerror=alert(1)>",
    });
    const link = await stage.raw.link();
    const page = readPage(link, await (await fetch(link)).text());
    expect(page.skeleton).not.toBe(plain?.skeleton);
    expect(rawIn(page.html)).toContain("U+202e");
    await stage.raw.call("get_secret", { vault: "\u001B[31m", name: "x", reason: "x" });
    asked.catch(() => {});
    await expect(expectClean(stage)).rejects.toThrow(/U\+/);
  } finally {
    twin.remove();
  }
});
