import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { openOnePassword } from "../../../src/providers/onepassword/provider.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { serviceAccountToken } from "../../support/fake-onepassword-token.ts";
import { providerContext } from "../../support/provider-context.ts";
import { errorOf, SIGNAL } from "./support.ts";

const open = new Set<Server>();

afterEach(() => {
  for (const server of open) {
    server.closeAllConnections();
    server.close();
  }
  open.clear();
});

/** A host that answers every call alike. The real SDK asks it, because the token says so. */
async function host(status: number, body = "{}", headers: Record<string, string> = {}) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (status === 0) return;
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.add(server);
  return { asked, token: serviceAccountToken(`http://127.0.0.1:${(server.address() as AddressInfo).port}`) };
}

async function signIn(token: string) {
  const provider = await openOnePassword({ serviceAccountToken: token }, providerContext());
  const error = await errorOf(provider.check?.(SIGNAL) ?? Promise.resolve());
  expect(`${error.message} ${error.hint}`).not.toContain(token.slice(0, 30));
  expect(error.cause).toBeUndefined();
  return error;
}

describe("signing in with the real SDK", () => {
  it.each([
    [401, "provider_auth", 1],
    [403, "provider_forbidden", 1],
    [404, "config_invalid", 1],
    [409, "provider_unavailable", 2],
    [429, "rate_limited", 1],
    [500, "provider_unavailable", 1],
    [503, "provider_unavailable", 1],
  ])("tells what status %i means", async (status, code, times) => {
    const { asked, token } = await host(status);
    const error = await signIn(token);
    expect(error.code).toBe(code);
    expect(error.hint).toBeTruthy();
    expect(asked).toEqual(Array.from({ length: times }, () => "POST /api/v3/auth/start"));
  });

  it("takes no web page and no two megabytes for an answer", async () => {
    for (const body of ["<html>hunter2</html>", `{"canary":"${"x".repeat(2_000_000)}`]) {
      const { token } = await host(200, body, { "content-type": "text/html" });
      expect((await signIn(token)).code).toBe("provider_unavailable");
    }
  });

  it("takes an answer that does not fit the token for a bad token", async () => {
    expect((await signIn((await host(200)).token)).code).toBe("provider_auth");
  });

  it("says that nobody listens", async () => {
    const error = await signIn(serviceAccountToken("http://127.0.0.1:1"));
    expect(error).toMatchObject({ code: "provider_unavailable", message: "1Password cannot be reached" });
  });

  it("gives up on a host that never answers", async () => {
    const { asked, token } = await host(0);
    const clock = new FakeClock();
    const provider = await openOnePassword({ serviceAccountToken: token }, providerContext({ clock }));
    const failing = errorOf(provider.check?.(SIGNAL) ?? Promise.resolve());
    await expect.poll(() => asked.length).toBe(1);
    clock.advance(30_000);
    expect((await failing).code).toBe("provider_unavailable");
  });

  it.each([
    "ops_garbage-canary-hunter2",
    "canary-hunter2",
    `ops_${Buffer.from('{"a":"canary"}').toString("base64url")}`,
  ])("takes %s for no token, and does not repeat it", async (token) => {
    expect((await signIn(token)).code).toBe("provider_auth");
  });
});
