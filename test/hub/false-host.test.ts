import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { expect, it, onTestFinished } from "vitest";
import type { Approval, Card } from "../../src/core/card.ts";
import type { Decision, Signed } from "../../src/core/proof.ts";
import { hashOf, type Statement } from "../../src/core/statement.ts";
import type { createHub } from "../../src/hub/hub.ts";
import { preparePlace, takeLock } from "../../src/hub/place.ts";
import { type Authenticator, createAuthenticator } from "../support/authenticator.ts";
import { addFiles, hunt, newCanary } from "../support/canaries.ts";
import { newDesk } from "../support/desk-sessions.ts";
import { falseHost } from "../support/false-host.ts";
import { codeOf } from "../support/house.ts";
import { share, stateFolder } from "../support/hub.ts";
import { buildPatched, loadPatched } from "../support/patched.ts";
import { approve } from "../support/person.ts";

/** What came of everything that a false host can make up, against one session that waits for a signature. */
async function attack(program?: string) {
  const canary = newCanary("value");
  const desk = newDesk({
    secrets: { KEY: canary.core },
    vault: { ttl: 10 },
    ...(program !== undefined && { program }),
  });
  onTestFinished(() => desk.close());
  const host = await falseHost(desk.world);
  onTestFinished(() => host.close());
  const session = desk.start();
  const call = session.ask("KEY");
  const token = await host.token;
  await call.link;
  const card = (await host.call("card", { token })).value as Card;
  const once: Approval = { verdict: "approve", choice: "once", revision: card.revision };
  const window: Approval = { ...once, choice: "window" };
  const statement = (await host.call("statement", { token, approval: once })).value as Statement;
  const decision: Decision = { v: 1, decision: "approve", at: Date.now(), hashes: [hashOf(statement)] };

  const { phone } = desk;
  const stranger = createAuthenticator({ origin: phone.origin });
  // The very key and the very computer, on a page that is not ours.
  const elsewhere = signedOn(phone, "https://localhost", decision);
  const signIn = phone.signed({ ...decision, decision: "sign-in" });
  const other = phone.signed({ ...decision, hashes: ["x".repeat(43)] });
  const tries: Record<string, [Approval, unknown]> = {
    "the bare link": [once, "link"],
    "no signature at all": [once, { approver: phone.credentialId, decision, response: {} }],
    "a signature of nobody who is enrolled": [once, stranger.signed(decision)],
    "that in the name of one who is": [once, { ...stranger.signed(decision), approver: phone.credentialId }],
    "one of another page": [once, elsewhere],
    "one that was given to sign in": [once, signIn],
    "that, said to be a yes": [once, { ...signIn, decision }],
    "one that was given to another request": [once, other],
    "that, said to be for this one": [once, { ...other, decision }],
    "one of an hour ago": [once, phone.signed({ ...decision, at: decision.at - 3_600_000 })],
    "one for just once, used for a window": [window, phone.signed(decision)],
  };
  const taken: string[] = [];
  for (const [name, [answer, proof]] of Object.entries(tries)) {
    const { value } = await host.call("answer", { token, answer, by: { proof } });
    if (value === true) taken.push(name);
  }
  const places = new Map([["the socket", host.heard()]]);
  addFiles(places, "state", dirname(desk.world.database), () => false);
  const denied = await host.call("answer", { token, answer: { verdict: "deny" }, by: { proof: "link" } });
  // What is looked through has everything that a card shows.
  expect(host.heard().toString()).toContain("run migration 0042");
  return { taken, leaks: hunt([canary], places), denied: denied.value, came: await call.outcome };
}

it("a false host learns no value and can approve nothing: it can lie to the person, and deny", async () => {
  expect(await attack()).toEqual({ taken: [], leaks: [], denied: true, came: "denied" });
});

/** A decision as the phone signs it when its browser is on this page. */
function signedOn(phone: Authenticator, origin: string, decision: Decision): Signed {
  const own = phone.origin;
  phone.origin = origin;
  try {
    return phone.signed(decision);
  } finally {
    phone.origin = own;
  }
}

const ANY_PAGE = {
  file: "src/approvers/assertion.ts",
  from: "const expectedOrigin = pageOf(parsed.data.response.clientDataJSON, origin);",
  to: 'const expectedOrigin = [origin, "https://localhost"];',
};

it("would approve if sessions believed what they are told (planted bug)", async () => {
  const plants = [
    {
      file: "src/core/approving.ts",
      from: "const approver = await this.#approvers.accept(proof);",
      to: "const approver = this.#approvers.all()[0]!;",
    },
  ];
  const twin = await buildPatched("src/main.ts", plants);
  onTestFinished(() => twin.remove());
  const { taken, came } = await attack(twin.file);
  expect(taken.length).toBeGreaterThan(0);
  expect(came).not.toBe("denied");
});

it("would approve what was signed on another page if sessions did not look at where it was (planted bug)", async () => {
  const twin = await buildPatched("src/main.ts", [ANY_PAGE]);
  onTestFinished(() => twin.remove());
  expect((await attack(twin.file)).taken).toEqual(["one of another page"]);
});

const PAGE = { local: "http://localhost:4711/approve/", isSettled: true };
const KEY = "k".repeat(43);
const ODD: readonly [string, string, object][] = [
  ["a page that is no address", KEY, { ...PAGE, local: "nonsense" }],
  ["a page on another computer", KEY, { ...PAGE, local: "http://desk.example/approve/" }],
  ["a page at a port there is not", KEY, { ...PAGE, local: "http://localhost:99999/approve/" }],
  ["a page for everybody that is not private", KEY, { ...PAGE, public: "http://desk.example/approve/" }],
  ["a page for everybody that is no address", KEY, { ...PAGE, public: "https://desk.example/approve/?to=" }],
  ["a key for the forms that is too short", "short", PAGE],
  ["a key for the forms that is none", "?".repeat(43), PAGE],
];

it.each(ODD)("a host that tells of %s, and goes, leaves the others with a page", async (_, formKey, page) => {
  expect(await isPageLeft(formKey, page)).toBe(true);
});

it.each([
  [
    "a host's page",
    { ...PAGE, local: "nonsense" },
    KEY,
    {
      file: "src/hub/shapes.ts",
      from: ".regex(/^http:\\/\\/localhost:[1-9]\\d{0,4}\\/approve\\/$/)\n    .refine((url) => URL.canParse(url)),",
      to: ",",
    },
  ],
  [
    "a host's key",
    PAGE,
    "short",
    {
      file: "src/hub/guest.ts",
      from: 'if (as === "session" && !formKey.safeParse(hello.formKey).success) throw silent();',
      to: "",
    },
  ],
] as const)("would leave them without, if %s were taken as it is (planted bug)", async (_, page, formKey, plant) => {
  const { createHub: create } = (await loadPatched("src/hub/hub.ts", [plant])) as { createHub: typeof createHub };
  expect(await isPageLeft(formKey, page, create)).toBe(false);
});

/** Whether a session that has been told this by a false host, which then goes, has a page that approves. */
async function isPageLeft(formKey: string, page: object, create?: typeof createHub): Promise<boolean> {
  const folder = stateFolder();
  const place = preparePlace(folder);
  const lock = takeLock(place);
  const sockets = new Set<Socket>();
  let told = (): void => {};
  const isTold = new Promise<void>((resolve) => (told = resolve));
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", told);
    const lines = createInterface({ input: socket });
    lines.on("error", () => {});
    lines.on("line", (line) => {
      const { do: name, id } = JSON.parse(line) as { do?: string; id?: number };
      const replies: Record<string, object> = {
        hello: { hub: 1, formKey },
        open: { page, shared: [] },
        ping: {},
      };
      if (name !== undefined && replies[name]) socket.write(`${JSON.stringify({ re: id, value: replies[name] })}\n`);
      // It takes the page as it is.
      if (name === "overview" || name === "open") setTimeout(told, 50);
    });
  });
  server.listen(place.socket);
  await once(server, "listening");
  const session = share(folder, create && { create });
  const call = session.house.get("DATABASE_URL");
  await isTold;
  server.close();
  lock?.leave();
  for (const socket of sockets) socket.destroy();
  const link = await session.link().catch(() => undefined);
  if (link === undefined) return false;
  expect(await approve(link)).toBe(303);
  return (await codeOf(call)) === "done";
}
