// Several processes on one file, as several brokers are. Each promise is followed by its twin: the same check on a copy
// of the program with a bug in it, where it must fail.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bundle, start } from "./bundle.ts";
import { damage, file, halfFiles, litter, lostUpdates, takeover } from "./checks.ts";
import { must } from "./support.ts";

describe("two processes that save in the same instant", () => {
  it("lose nothing in 60 rounds", async () => {
    expect(await lostUpdates(await bundle(), 60)).toBe(0);
  });

  it("lose nothing on a slow disk either", async () => {
    expect(await lostUpdates(await bundle("slowDisk"), 15)).toBe(0);
  });

  it("would lose updates without the lock", async () => {
    expect(await lostUpdates(await bundle("slowDisk", "noLock"), 15)).toBeGreaterThan(0);
  });

  it("would lose updates with a lock that looks before it announces itself", async () => {
    expect(await lostUpdates(await bundle("slowDisk", "looksTooEarly"), 15)).toBeGreaterThan(0);
  });
});

describe("a reader", () => {
  it("never sees half a file", async () => {
    expect(await halfFiles(await bundle())).toBe(0);
  });

  it("would see one if it were written in place", async () => {
    expect(await halfFiles(await bundle("inPlace"))).toBeGreaterThan(0);
  });
});

describe("a writer killed at a random moment", () => {
  it("leaves a whole file with everything it had saved", async () => {
    expect(await damage(await bundle(), 6)).toBe(0);
  });

  it("would leave half of one if it wrote in place", async () => {
    expect(await damage(await bundle("inPlace"), 6)).toBeGreaterThan(0);
  });
});

describe("a lock", () => {
  it("is waited for, then the one who holds it is named, and nothing is saved", async () => {
    const program = await bundle("impatient");
    const path = file("A=old\n");
    const holder = start(program, path);
    expect(await holder.ask("hold")).toEqual({ ok: "holding" });
    const answer = await start(program, path).ask("set", "A", "new");
    expect(answer).toMatchObject({
      code: "provider_unavailable",
      message: expect.stringContaining(`process ${holder.child.pid} `),
    });
    expect(answer.hint).toContain(must(litter(path)[0]));
    expect(litter(path)).toHaveLength(1);
    expect(readFileSync(path, "utf8")).toBe("A=old\n");
  });

  it("ends with its process, also when several want it then", async () => {
    expect(await takeover(await bundle("slowDisk"))).toEqual([]);
  });

  it("would outlast it if nobody looked whether it lives", async () => {
    expect(await takeover(await bundle("impatient", "noTakeover"))).not.toEqual([]);
  });
});

describe("an editor that knows no lock and saves while we do", () => {
  it("loses nothing, and neither do we", async () => {
    expect(await editedMeanwhile(await bundle("holdsDraft"))).toBe("A=new\nB='by hand'\n");
  });

  it("would lose its change without the last look", async () => {
    expect(await editedMeanwhile(await bundle("holdsDraftBlindly"))).toBe("A=new\n");
  });

  async function editedMeanwhile(program: string): Promise<string> {
    const path = file("A=old\n");
    const saving = start(program, path).ask("set", "A", "new");
    await expect
      .poll(() => litter(path).some((name) => name.includes(".tmp-")), { interval: 1, timeout: 20_000 })
      .toBe(true);
    writeFileSync(path, "A=old\nB='by hand'\n");
    writeFileSync(join(path, "..", "go"), "");
    expect(await saving).toEqual({ ok: "saved" });
    return readFileSync(path, "utf8");
  }
});
