import { expect, it, onTestFinished } from "vitest";
import { newDesk } from "../support/desk-sessions.ts";
import { until } from "../support/hub.ts";
import { DOMAIN, openAccount } from "../support/one-domain.ts";
import { buildPatched } from "../support/patched.ts";
import { send } from "../support/web.ts";

/** The program, with an account of one domain in the place of ngrok. */
const PLANT = {
  file: "src/tunnels/ngrok.ts",
  from: 'const { default: sdk } = await import("@ngrok/ngrok");',
  to: 'const { default: sdk } = await import("../../test/support/one-domain-sdk.ts");',
};

it("ten sessions share one tunnel, and it moves on with the page", async () => {
  const account = await openAccount({ lingerMs: 700 });
  onTestFinished(() => account.close());
  const program = await buildPatched("src/main.ts", [PLANT]);
  onTestFinished(() => program.remove());
  const names = Array.from({ length: 10 }, (_, at) => `KEY_${at}`);
  const desk = newDesk({
    secrets: Object.fromEntries(names.map((name) => [name, `hunter2-4711-${name}`])),
    program: program.file,
    config: { tunnel: { type: "ngrok", authToken: account.authToken } },
  });
  onTestFinished(() => desk.close());

  const sessions = names.map(() => desk.start());
  const calls = sessions.map((session, at) => session.ask(names[at] ?? ""));
  const links = await Promise.all(calls.map(({ link }) => link));
  expect(new Set(links.map((link) => new URL(link).origin))).toEqual(new Set([`http://localhost:${desk.port}`]));
  for (const [at, session] of sessions.entries()) {
    expect(session.stderr()).toContain(`https://${DOMAIN}${new URL(links[at] ?? "").pathname}`);
  }
  expect(account.claims).toEqual(["given"]);

  const host = await desk.host();
  const at = sessions.indexOf(host);
  await host.kill();
  await account.given(2);
  // While its address was still taken it was told so, and tried again.
  expect(account.claims.at(-1)).toBe("given");
  expect(account.claims).toContain("refused");
  const others = names.map((_, each) => each).filter((each) => each !== at);
  const path = new URL(links[others[0] ?? 0] ?? "").pathname;
  await until(async () => (await send(desk.port, { path, headers: { Host: DOMAIN } })).status === 200);

  for (const each of others.slice(0, 3)) {
    expect(await desk.sign(links[each] ?? "")).toBe(true);
    expect(await calls[each]?.outcome).toBe(`hunter2-4711-${names[each]}`);
  }
}, 60_000);
