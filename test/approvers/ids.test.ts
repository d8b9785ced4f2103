import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PublicKeyCredentialCreationOptionsJSON } from "@simplewebauthn/server";
import { afterEach, describe, expect, it } from "vitest";
import { openPairing } from "../../src/approvers/pairing.ts";
import { openApprovers } from "../../src/approvers/store.ts";
import type { Decision } from "../../src/core/proof.ts";
import { openNotes } from "../../src/state/notes.ts";
import { createAuthenticator } from "../support/authenticator.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { FakeJournal } from "../support/house.ts";
import { loadPatched } from "../support/patched.ts";

const PAGE = "https://desk.example.org";
/** As many bytes as become 1,024 characters, which is what the notes take as a key. */
const LONGEST = 768;

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0).toReversed()) close();
});

/** A pairing over real notes on the disk, and a passkey whose id is this long. */
function world(idBytes: number, pair: typeof openPairing = openPairing) {
  const folder = mkdtempSync(join(tmpdir(), "ids-"));
  open.push(() => rmSync(folder, { recursive: true, force: true }));
  const notes = openNotes(folder);
  open.push(notes.close);
  const [clock, journal] = [new FakeClock(), new FakeJournal()];
  const store = openApprovers({ notes: notes.of("approvers"), clock });
  const pairing = pair("Maria's phone", { store, journal, clock });
  const phone = createAuthenticator({ origin: PAGE, idBytes });
  const device = "d".repeat(43);
  /** What the page brings; `as` changes what the browser says of it. */
  const register = async (as: (made: ReturnType<typeof phone.register>) => unknown = (made) => made) => {
    const begun = await pairing.step(pairing.token, { do: "begin", device, origin: PAGE });
    const response = as(phone.register(begun?.options as PublicKeyCredentialCreationOptionsJSON));
    return pairing.step(pairing.token, { do: "finish", device, origin: PAGE, response });
  };
  return { store, journal, pairing, phone, register, clock };
}

describe("the id of a passkey", () => {
  it("may be as long as can be kept, and then counts like any other", async () => {
    const { store, pairing, phone, register, clock } = world(LONGEST);
    const shown = await register();
    expect(await pairing.confirm(shown?.code ?? "")).toBe(true);
    expect(store.all().map(({ id }) => id.length)).toEqual([1_024]);
    const decision: Decision = { v: 1, decision: "approve", at: clock.now(), hashes: ["h".repeat(43)] };
    expect(await store.accept(phone.signed(decision))).toMatchObject({ id: phone.credentialId });
  });

  it("that is longer is refused on the page, before anything is in the log", async () => {
    const { store, journal, register } = world(LONGEST + 1);
    expect(await register()).toMatchObject({ stage: "ready", text: expect.stringContaining("no new passkey") });
    expect([store.all(), journal.events.filter(({ kind }) => kind === "approver_added")]).toEqual([[], []]);
  });

  it("is the one its authenticator says, not the one that comes beside it", async () => {
    const { register } = world(LONGEST + 1);
    const short = createAuthenticator({ origin: PAGE }).credentialId;
    expect(await register((made) => ({ ...made, id: short, rawId: short }))).toMatchObject({ stage: "ready" });
  });

  it("would be the one beside it were the two not compared", async () => {
    const twin = (await loadPatched("src/approvers/pairing.ts", [
      {
        file: "src/approvers/attestation.ts",
        from: "if (credential.id !== parsed.data.id) throw notMade();",
        to: "",
      },
    ])) as { openPairing: typeof openPairing };
    const { register } = world(LONGEST + 1, twin.openPairing);
    const short = createAuthenticator({ origin: PAGE }).credentialId;
    expect(await register((made) => ({ ...made, id: short, rawId: short }))).not.toMatchObject({ stage: "ready" });
  });
});
