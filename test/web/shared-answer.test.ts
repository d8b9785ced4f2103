import { afterEach, describe, expect, it } from "vitest";
import type { createWeb } from "../../src/web/server.ts";
import { loadPatched } from "../support/patched.ts";
import { startWeb, textOf } from "../support/web.ts";

const NOT_FOR_ALL = "Your answer was taken, but not for all sessions that asked for this. This one still waits.";

let close: (() => Promise<void>) | undefined;
afterEach(async () => close?.());

/** What is read after a yes to a card of several sessions, when it counted and the page goes on with this card. */
async function readsAfter(next: "waiting" | "approved", create?: typeof createWeb): Promise<string> {
  const { web, front, show, get, tap } = await startWeb(create);
  ({ close } = web);
  const token = front.add();
  const { answer } = front;
  // As the hub does it: the others are approved, and the page leads on to the one that could not be.
  Object.assign(front, {
    answer: (...given: Parameters<typeof answer>) => (next === "approved" ? answer(...given) : Promise.resolve(true)),
  });
  const { status, headers } = await tap(token, { verdict: "approve", choice: "once" });
  expect(status).toBe(303);
  expect(textOf((await show(token)).text)).not.toContain(NOT_FOR_ALL);
  return textOf((await get(String(headers["location"]))).text);
}

describe("an answer for several sessions", () => {
  it("that did not count for one of them says so, and shows the one that waits", async () => {
    expect(await readsAfter("waiting")).toContain(NOT_FOR_ALL);
  });

  it("that counted for all says nothing of the kind", async () => {
    expect(await readsAfter("approved")).not.toContain(NOT_FOR_ALL);
  });

  it("would be taken for one that counted for all, were the card not looked at again", async () => {
    const twin = (await loadPatched("src/web/server.ts", [
      { file: "src/web/approve.ts", from: 'now?.standing.is === "waiting" ? `${path}?others` : path', to: "path" },
    ])) as { createWeb: typeof createWeb };
    expect(await readsAfter("waiting", twin.createWeb)).not.toContain(NOT_FOR_ALL);
  });
});
