import { afterEach, describe, expect, it } from "vitest";
import type { createWeb } from "../../src/web/server.ts";
import { PAGE_KEY, startInbox } from "../support/inbox.ts";
import { loadPatched } from "../support/patched.ts";
import { browserHeaders, sealIn, send } from "../support/web.ts";

const open: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const web of open.splice(0)) await web.close();
});

/** What the desk is told of who answered, by this verdict, when the form brings along what `bring` makes of a sign-in. */
async function told(
  bring: (cookie: string) => { readonly cookie?: string; readonly key?: string },
  { verdict = { verdict: "deny" }, create }: { verdict?: Record<string, string>; create?: typeof createWeb } = {},
): Promise<true | undefined> {
  const { web, front, signIn } = await startInbox(create ? { create } : {});
  open.push(web);
  const { cookie, key } = bring(await signIn());
  const path = `/approve/${front.add()}`;
  const seal = sealIn((await send(web.port, { path })).text);
  const body = new URLSearchParams({ seal, ...verdict, ...(key !== undefined && { key }) }).toString();
  const headers = { ...browserHeaders(web.port), ...(cookie !== undefined && { Cookie: cookie }) };
  expect((await send(web.port, { method: "POST", path, headers, body })).status).toBe(303);
  expect(front.decided).toHaveLength(1);
  return front.decided[0]?.signedIn;
}

const AGAIN = { verdict: "again", note: "in another folder" };

describe("an answer", () => {
  it("is said to be from a device that is signed in, where it is from one", async () => {
    expect(await told((cookie) => ({ cookie, key: PAGE_KEY }))).toBe(true);
    expect(await told((cookie) => ({ cookie, key: PAGE_KEY }), { verdict: AGAIN })).toBe(true);
  });

  it.each<[string, Parameters<typeof told>[0]]>([
    ["nothing but the link", () => ({})],
    ["a cookie, as every port of this computer is sent it", (cookie) => ({ cookie })],
    ["a key, as any page makes one", () => ({ key: PAGE_KEY })],
    ["the cookie and a key of its own", (cookie) => ({ cookie, key: "x".repeat(43) })],
    ["a made-up cookie", (cookie) => ({ cookie: cookie.replace(/=.*/, `=${"A".repeat(43)}`), key: PAGE_KEY })],
  ])("is not, with %s", async (_what, bring) => {
    expect(await told(bring)).toBeUndefined();
    expect(await told(bring, { verdict: AGAIN })).toBeUndefined();
  });

  it("would be, with the cookie alone, were the key not looked at", async () => {
    const twin = (await loadPatched("src/web/server.ts", [
      {
        file: "src/web/page-key.ts",
        from: 'if (origin.startsWith("https:")) return "";',
        to: 'if (origin !== "") return "";',
      },
    ])) as { createWeb: typeof createWeb };
    expect(await told((cookie) => ({ cookie }), { create: twin.createWeb })).toBe(true);
  });
});
