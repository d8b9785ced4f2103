// Processes that are killed while the vault's people are asked. What each promise is worth shows in the copy with a bug
// that follows it.
import { describe, expect, it } from "vitest";
import { finish, isOver, isWaiting, killSomewhere, NO_NOTE, PASSWORD, ward, type Ward } from "./children.ts";

/** How often its people were asked and the secret was called for, once a second process has got it. */
async function outcome(made: Ward): Promise<object> {
  const { value } = await finish(made);
  const [asset] = made.fake.assets;
  return { value, requests: made.fake.requests.length, reads: made.fake.reads.get(asset?.id ?? "") };
}

const ONCE = { value: PASSWORD, requests: 1, reads: 2 };

async function killedAt(...[operation, when, made]: [...Parameters<Ward["at"]>, Ward]): Promise<void> {
  const first = made.start();
  await made.at(operation, when);
  await first.kill();
}

describe("a process that is killed", () => {
  it("when the request has arrived and before it was told so leaves it to the next one", async () => {
    const made = await ward();
    await killedAt("createRequest", "after", made);
    expect(made.fake.requests).toHaveLength(1);
    expect(await outcome(made)).toEqual(ONCE);
  });

  it("in that moment makes a copy ask twice that notes nothing", async () => {
    const made = await ward(NO_NOTE);
    await killedAt("createRequest", "after", made);
    await finish(made);
    expect(made.fake.requests.length).toBeGreaterThan(1);
  });

  it("before its request arrived leaves none, and the next one asks", async () => {
    const made = await ward();
    const { fake } = made;
    const first = made.start();
    await new Promise<void>((resolve) => {
      fake.watch = async (operation, when) => {
        if (operation !== "createRequest" || when !== "before") return;
        await first.kill();
        resolve();
        throw new Error("lost on the way");
      };
    });
    expect(fake.requests).toHaveLength(0);
    expect(await outcome(made)).toEqual({ ...ONCE, reads: 3 });
  });

  it("between its note and the first look under an action leaves it to the next one", async () => {
    const made = await ward();
    await killedAt("requestStatus", "before", made);
    expect(await outcome(made)).toEqual(ONCE);
  });

  it("while it waits leaves it to the next one", async () => {
    const made = await ward();
    const first = made.start();
    await first.line(isWaiting);
    await made.at("requestStatus", "after");
    await first.kill();
    expect(await outcome(made)).toEqual(ONCE);
  });

  it("while it waits, and whose request is approved meanwhile, has it used by the next one without another look", async () => {
    const made = await ward();
    const first = made.start();
    await first.line(isWaiting);
    await first.kill();
    made.fake.approve("db-prod");
    const before = made.fake.calls.requestStatus;
    expect(await outcome(made)).toEqual(ONCE);
    expect(made.fake.calls.requestStatus - before).toBe(1);
  });

  it("at any moment makes nobody ask twice", async () => {
    for (let round = 0; round < 3; round++) {
      const { line, requests } = await killSomewhere(await ward(), 60);
      expect([line.value, requests]).toEqual([PASSWORD, 1]);
    }
  });
});

describe("two processes that ask at the same time", () => {
  const both = async (made: Ward): Promise<(string | undefined)[]> => {
    const readers = [made.start(), made.start()];
    await Promise.all(readers.map((each) => Promise.race([each.line(isWaiting), each.line(isOver)])));
    made.fake.approve("db-prod");
    const lines = await Promise.all(readers.map((each) => each.line(isOver)));
    return lines.map(({ value }) => value);
  };

  it("ask once, and both are served", async () => {
    const made = await ward();
    expect(await both(made)).toEqual([PASSWORD, PASSWORD]);
    expect(made.fake.requests).toHaveLength(1);
  });

  it("ask twice in a copy that notes nothing", async () => {
    const made = await ward(NO_NOTE);
    await both(made).catch(() => {});
    expect(made.fake.requests).toHaveLength(2);
  });
});
