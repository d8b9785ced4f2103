import { EventEmitter, once } from "node:events";
import { describe, expect, it } from "vitest";
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/server";
import { oddities } from "../../src/approvers/changes.ts";
import { type Changing, openPairing, OPEN_MS, type Pairing } from "../../src/approvers/pairing.ts";
import { openRemoval } from "../../src/approvers/removal.ts";
import { openApprovers } from "../../src/approvers/store.ts";
import type { Services } from "../../src/cli/command.ts";
import { runCommand } from "../../src/cli/run-command.ts";
import type { Underway } from "../../src/cli/enrolment.ts";
import type { Link } from "../../src/core/ports.ts";
import { makeFolder } from "../config/folder.ts";
import { type Authenticator, createAuthenticator, enrolled, recordOf } from "../support/authenticator.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { FakeJournal } from "../support/house.ts";
import { fakeNotes } from "../support/provider-context.ts";

const PAGE = "https://desk.example.org";
const CONFIG = { vaults: { dev: { type: "env", file: ".env.secrets" } } };

/** The commands over approvers in memory, a page that is a function, and a person at the keyboard. */
function world({
  config = CONFIG,
  link = (token: string): Link => ({ local: `http://localhost:9999/pair/${token}`, public: `${PAGE}/pair/${token}` }),
  hasTerminal = true,
}: { config?: object; link?: (token: string) => Link; hasTerminal?: boolean } = {}) {
  const clock = new FakeClock();
  const journal = new FakeJournal();
  const notes = fakeNotes()("approvers");
  const store = openApprovers({ notes, clock });
  const options = { store, journal, clock };
  const opened = new EventEmitter();
  const keyboard = newKeyboard();
  let interrupt = (): void => {};
  const interrupted = new Promise<string>((resolve) => {
    interrupt = () => resolve("signal SIGINT");
  });
  let [out, err, screen] = ["", "", ""];

  const underway = <T extends Changing>(
    changing: T,
  ): T & Omit<Underway, keyof Changing> & { close: () => Promise<void> } => {
    setImmediate(() => opened.emit("open", changing));
    return { ...changing, link: link(changing.token), close: () => Promise.resolve(changing.close()) };
  };
  const services = {
    clock,
    roll: () => {
      const approvers = store.all();
      const odd = oddities(approvers, journal.events.toReversed()).map(({ text }) => text);
      return Promise.resolve({ approvers, oddities: odd });
    },
    enrolment: () =>
      Promise.resolve({
        pair: (_: unknown, nameFor: (device: string) => string) => {
          const isOutside = link("").public !== undefined;
          return Promise.resolve(underway(openPairing(nameFor(isOutside ? "phone" : "computer"), options)));
        },
        remove: (_: unknown, id: string, lastOne: string) => {
          const approver = store.all().find((each) => each.id === id);
          if (!approver) throw new Error("nobody");
          return Promise.resolve(underway(openRemoval(approver, { ...options, lastOne })));
        },
      }),
    asked: () => interrupted,
    terminal: () =>
      hasTerminal
        ? {
            say: (text: string) => void (screen += text),
            ask: (question: string, signal: AbortSignal) => {
              screen += question;
              return keyboard.line(signal);
            },
            close: () => {},
          }
        : undefined,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rest of the services is not reached
  } as unknown as Services;

  const folder = makeFolder();
  folder.write("agent-vault.config.json", JSON.stringify(config));
  const io = { out: (text: string) => void (out += text), err: (text: string) => void (err += text) };
  return {
    ...options,
    notes,
    type: keyboard.type,
    /** Ctrl-C. */
    interrupt: () => interrupt(),
    run: (...args: string[]) => runCommand(args, io, services, { cwd: folder.cwd, variables: { HOME: folder.home } }),
    /** The change whose page is open next. */
    begun: async <T extends Changing>(): Promise<T> => ((await once(opened, "open")) as [T])[0],
    said: () => ({ out, err, screen }),
  };
}

/** What a phone does on the page, and the code it then shows. */
async function register(pairing: Changing, phone: Authenticator): Promise<string> {
  const at = { device: "a device of its own", origin: phone.origin };
  const begun = await pairing.step(pairing.token, { do: "begin", ...at });
  const response = phone.register(begun?.options as PublicKeyCredentialCreationOptionsJSON);
  return (await pairing.step(pairing.token, { do: "finish", ...at, response }))?.code ?? "";
}

async function sign(changing: Changing, phone: Authenticator): Promise<void> {
  const at = { device: "another device", origin: phone.origin };
  const begun = await changing.step(changing.token, { do: "begin", ...at });
  const response = phone.sign(begun?.options as PublicKeyCredentialRequestOptionsJSON);
  await changing.step(changing.token, { do: "finish", ...at, response });
}

const codeOn = async (pairing: Changing): Promise<string> =>
  (await pairing.step(pairing.token, { do: "look", device: "a device of its own" }))?.code ?? "";

const other = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, "0");

/** Lines that are typed one by one, before or after they are asked for. */
function newKeyboard() {
  const lines: (string | undefined)[] = [];
  const events = new EventEmitter();
  return {
    /** Undefined: the terminal is closed. */
    type: (line: string | undefined) => {
      lines.push(line);
      events.emit("line");
    },
    line: async (signal: AbortSignal): Promise<string | undefined> => {
      while (lines.length === 0) {
        try {
          await once(events, "line", { signal });
        } catch {
          return undefined;
        }
      }
      return lines.shift();
    },
  };
}

describe("agent-vault pair", () => {
  it("shows the link, and enrols when the code of the phone was typed", async () => {
    const { run, begun, type, store, said } = world();
    const running = run("pair", "--name", "Maria's phone");
    const pairing = await begun<Pairing>();
    const code = await register(pairing, createAuthenticator({ origin: PAGE }));
    type(code);
    expect(await running).toBe(0);
    const { screen, out, err } = said();
    expect(screen).toContain(`  ${PAGE}/pair/${pairing.token}\n`);
    expect(screen).toMatch(/[▀▄█]{7}/);
    expect(screen).toContain("could have enrolled a passkey of its own before you");
    expect(screen).toContain(`"Maria's phone" is enrolled. From now on approving needs its passkey`);
    expect(screen).toContain(`signs on ${PAGE} only`);
    expect(screen).not.toContain(code);
    expect([out, err]).toEqual(["", ""]);
    expect(store.all()).toMatchObject([{ name: "Maria's phone", origin: PAGE }]);
  });

  it("does nothing without a terminal: an agent in a pipe cannot confirm", async () => {
    const { run, said, store, journal } = world({ hasTerminal: false });
    expect(await run("pair")).toBe(2);
    expect(said().err).toContain("pairing needs a terminal");
    expect([store.all(), journal.events]).toEqual([[], []]);
  });

  it("lets the person mistype twice, and no more", async () => {
    const twice = world();
    const running = twice.run("pair");
    const pairing = await twice.begun<Pairing>();
    const code = await register(pairing, createAuthenticator({ origin: PAGE }));
    for (const line of ["", other(code), other(code), ` ${code} `]) twice.type(line);
    expect(await running).toBe(0);
    expect(twice.said().screen.match(/not the code/g)).toHaveLength(2);

    const thrice = world();
    const failing = thrice.run("pair");
    const next = await thrice.begun<Pairing>();
    const right = await register(next, createAuthenticator({ origin: PAGE }));
    for (const line of [other(right), other(right), other(right), right]) thrice.type(line);
    expect(await failing).toBe(3);
    expect(thrice.said().err).toContain("nobody was enrolled: another code was typed three times");
    expect(thrice.store.all()).toEqual([]);
  });

  it("says that time is up, also while it waits for the code", async () => {
    const { run, begun, clock, said, store } = world();
    const running = run("pair");
    const pairing = await begun<Pairing>();
    await register(pairing, createAuthenticator({ origin: PAGE }));
    clock.advance(OPEN_MS);
    expect(await running).toBe(3);
    expect(said().err).toContain("within 5 minutes");
    expect(store.all()).toEqual([]);
  });

  it("enrols nobody when the terminal is closed", async () => {
    const { run, begun, type, said, store } = world();
    const running = run("pair");
    const pairing = await begun<Pairing>();
    await register(pairing, createAuthenticator({ origin: PAGE }));
    type(undefined);
    expect(await running).toBe(3);
    expect(said().err).toContain("the terminal is gone");
    expect(pairing.view().stage).toBe("failed");
    expect(store.all()).toEqual([]);
  });

  it("enrols nobody on Ctrl-C, and says so", async () => {
    const { run, begun, interrupt, said, store } = world();
    const running = run("pair");
    const pairing = await begun<Pairing>();
    await register(pairing, createAuthenticator({ origin: PAGE }));
    interrupt();
    expect(await running).toBe(3);
    expect(said().err).toBe("agent-vault: not paired\n");
    expect([pairing.view().stage, store.all()]).toEqual(["failed", []]);
  });

  it("asks one who is enrolled to sign for the next one, and names them", async () => {
    const at = world();
    const maria = createAuthenticator({ origin: PAGE });
    enrolled(maria, "Maria's phone", at);
    const running = at.run("pair", "--name", "Tablet");
    const pairing = await at.begun<Pairing>();
    expect(await register(pairing, createAuthenticator({ origin: PAGE }))).toBe("");
    await sign(pairing, maria);
    at.type(await codeOn(pairing));
    expect(await running).toBe(0);
    const { screen } = at.said();
    expect(screen).toContain(`"Maria's phone" has to sign.\n`);
    expect(screen).toContain(`Signed by "Maria's phone".`);
    expect(screen).not.toContain("before you");
    expect(at.store.all().map(({ name }) => name)).toEqual(["Maria's phone", "Tablet"]);
  });

  it("says that only this computer can be paired where nothing else can reach the page", async () => {
    const at = world({
      link: (token) => ({ local: `http://localhost:9999/pair/${token}`, trouble: "the ngrok tunnel is off" }),
    });
    const running = at.run("pair");
    const pairing = await at.begun<Pairing>();
    at.type(await register(pairing, createAuthenticator({ origin: "http://localhost:9999" })));
    expect(await running).toBe(0);
    const { screen } = at.said();
    expect(screen).toContain(
      "The tunnel does not work, so only this computer can be paired: the ngrok tunnel is off.\n",
    );
    expect(screen).toContain("agent-vault doctor --online");
    expect(screen).not.toContain("ngrokAuthToken");
    expect(at.store.all()[0]?.name).toMatch(/'s computer$/);
    expect(screen).not.toMatch(/[▀▄█]{7}/);
  });

  it("gives a name of its own that is free, and takes none that is not", async () => {
    const at = world();
    enrolled(createAuthenticator({ origin: PAGE }), "Maria's phone", at);
    for (const [name, said] of [
      ["Maria's phone", "is enrolled already"],
      ["x".repeat(61), "1 to 60 characters"],
      ["a\u202eb", "can be seen"],
    ] as const) {
      expect(await at.run("pair", "--name", name)).toBe(2);
      expect(at.said().err).toContain(said);
    }
  });

  it("names the vaults that ask for the link alone", async () => {
    const vaults = { ...CONFIG.vaults, open: { type: "env", file: ".env.open", require: "link" } };
    const { run, begun, type, said } = world({ config: { vaults } });
    const running = run("pair");
    type(await register(await begun<Pairing>(), createAuthenticator({ origin: PAGE })));
    expect(await running).toBe(0);
    expect(said().screen).toContain('Except for "open"');
  });
});

describe("agent-vault approvers", () => {
  it("lists who may approve, and as JSON", async () => {
    const at = world();
    expect(await at.run("approvers")).toBe(0);
    expect(at.said().out).toContain("Nobody is enrolled: whoever has the link");
    const maria = createAuthenticator({ origin: PAGE });
    enrolled(maria, "Maria's phone", at);
    await at.run("approvers");
    expect(at.said().out).toMatch(/Maria's phone\s+2026-11-01\s+https:\/\/desk\.example\.org\s+this one device/);
    const json = world();
    enrolled(maria, "Maria's phone", json);
    await json.run("approvers", "--json");
    expect(JSON.parse(json.said().out)).toMatchObject({
      approvers: [{ id: maria.credentialId, name: "Maria's phone", origin: PAGE, addedAt: "2026-11-01T00:00:00.000Z" }],
      oddities: [expect.stringContaining("does not say since when")],
    });
    expect(json.said().out).not.toContain(maria.publicKey);
  });

  it("points at whoever came past this program", async () => {
    const at = world();
    const running = at.run("pair", "--name", "Maria's phone");
    at.type(await register(await at.begun<Pairing>(), createAuthenticator({ origin: PAGE })));
    await running;
    await at.run("approvers");
    expect(at.said().err).toBe("");
    const stranger = createAuthenticator({ origin: PAGE });
    at.notes.put(stranger.credentialId, recordOf(stranger, "Printer"));
    expect(await at.run("approvers")).toBe(0);
    expect(at.said().err).toBe('look: "Printer" may approve, and the audit log does not say since when\n');
  });

  it("removes one when one who stays has signed", async () => {
    const at = world();
    const [maria, tablet] = [createAuthenticator({ origin: PAGE }), createAuthenticator({ origin: PAGE })];
    enrolled(maria, "Maria's phone", at);
    enrolled(tablet, "Tablet", at);
    const running = at.run("approvers", "--remove", "Maria's phone");
    const removal = await at.begun<Changing>();
    await sign(removal, tablet);
    expect(await running).toBe(0);
    const { err, out } = at.said();
    expect(err).toContain(`Removing "Maria's phone".\n"Tablet" has to sign. Open this there, within 5 minutes:\n`);
    expect(err).toContain(`${PAGE}/pair/${removal.token}`);
    expect(err).toContain(`"Maria's phone" is removed, signed by "Tablet"`);
    expect([out, at.store.all().map(({ name }) => name)]).toEqual(["", ["Tablet"]]);
  });

  it("says what the removal of the last one means before and after it", async () => {
    const vaults = { ...CONFIG.vaults, prod: { type: "env", file: ".env.prod", require: "passkey" } };
    const at = world({ config: { vaults } });
    const maria = createAuthenticator({ origin: PAGE });
    enrolled(maria, "Maria's phone", at);
    const running = at.run("approvers", "--remove", maria.credentialId);
    const removal = await at.begun<Changing>();
    const meaning = 'whoever has the link can approve, and nothing of "prod" can be approved until';
    expect(removal.view().text).toContain(meaning);
    await sign(removal, maria);
    expect(await running).toBe(0);
    expect(at.said().err.split(meaning)).toHaveLength(3);
  });

  it("removes nobody when nobody signs, and knows nobody else", async () => {
    const at = world();
    const maria = createAuthenticator({ origin: PAGE });
    enrolled(maria, "Maria's phone", at);
    const running = at.run("approvers", "--remove", "Maria's phone");
    await at.begun<Changing>();
    at.clock.advance(OPEN_MS);
    expect(await running).toBe(3);
    expect(await at.run("approvers", "--remove", "Nobody")).toBe(2);
    expect(at.said().err).toContain(`there is "Maria's phone"`);
    expect(at.store.all()).toHaveLength(1);
    const empty = world();
    expect(await empty.run("approvers", "--remove", "Nobody")).toBe(2);
    expect(empty.said().err).toContain("nothing to remove\nhint: agent-vault pair enrols a phone");
  });
});
