import { createHash, randomBytes } from "node:crypto";
import * as z from "zod";
import type { Clock } from "../core/clock.ts";
import { VaultError } from "../core/errors.ts";
import type { Notes } from "../core/ports.ts";
import type { Approver, Approvers } from "../core/proof.ts";
import { type Brought, pageKeyIn } from "./page-key.ts";
import { signersOn } from "./passkey.ts";

/** A phone that is signed in to the inbox. */
export interface SignedIn {
  readonly approver: Approver;
  /** Tells this sign-in from every other; not its cookie. */
  readonly key: string;
}

/**
 * Who is signed in to the inbox. The cookie, with the key of the page where there is one (see page-key.ts), is known to the
 * phone alone: what is kept is their hash, in notes that outlive the process. A sign-in ends with its time, when somebody
 * signs out, and with the approver.
 */
export interface SignIns {
  /** Whose sign-in a request brings along, to a page of this origin; undefined where any doubt is left. */
  readonly of: (request: Brought, origin: string) => SignedIn | undefined;
  /**
   * Signs an approver in on the page that sent this: the `Set-Cookie` to answer with. Throws `provider_unavailable` when
   * it cannot be kept, here or in the browser.
   */
  readonly open: (approver: Approver, request: Brought, origin: string) => string;
  /**
   * A sign-in for a passkey that is just being enrolled: it counts as soon as that is done. Only for the browser that
   * made the passkey. Undefined for one that is enrolled already, and where it cannot be kept.
   */
  readonly expect: (credential: string, request: Brought, origin: string) => string | undefined;
  /** Signs out: the `Set-Cookie` that makes the phone forget. Throws `provider_unavailable`. */
  readonly close: (signedIn: SignedIn, origin: string) => string;
  /** True for the first to use up a nonce, in whatever process. Throws `provider_unavailable`. */
  readonly spend: (nonce: string) => boolean;
}

export interface SignInsOptions {
  /** Notes of this alone. */
  readonly notes: Notes;
  readonly approvers: Approvers;
  readonly clock: Pick<Clock, "now">;
}

const DAY_MS = 24 * 3_600_000;
const LASTS_MS = 30 * DAY_MS;
/** How far a clock may be set back without ending a sign-in, ms. */
const BACK_MS = 2_000;
/** How long what belongs to nobody is kept, ms: an approver may be about to be enrolled, a nonce may come once more. */
const PENDING_MS = 10 * 60_000;
const MOST_SIGNED_IN = 32;
/** A site beside ours can plant cookies of our name; so many of one name are looked at. */
const MOST_COOKIES = 4;

const Record = z.strictObject({ approver: z.string(), since: z.int() });
const Spent = z.strictObject({ spentAt: z.int() });

export function createSignIns({ notes, approvers, clock }: SignInsOptions): SignIns {
  const isOver = (since: number, lastsMs: number): boolean => {
    const age = clock.now() - since;
    return !(age >= -BACK_MS && age < lastsMs);
  };

  /** Forgets what is over, and of the rest the oldest where there are too many. */
  const sweep = (): void => {
    const enrolled = new Set(approvers.all().map(({ id }) => id));
    const kept: { key: string; since: number }[] = [];
    for (const [key, note] of notes.all()) {
      const [record, spent] = [Record.safeParse(note).data, Spent.safeParse(note).data];
      const lastsMs = record && enrolled.has(record.approver) ? LASTS_MS : PENDING_MS;
      if (isOver(record?.since ?? spent?.spentAt ?? Number.NaN, lastsMs)) notes.delete(key);
      else if (record) kept.push({ key, since: record.since });
    }
    kept.sort((a, b) => b.since - a.since);
    for (const { key } of kept.slice(MOST_SIGNED_IN - 1)) notes.delete(key);
  };

  const begin = (approver: string, request: Brought, origin: string): string => {
    const pageKey = pageKeyIn(request, origin);
    if (pageKey === undefined) throw new VaultError("provider_unavailable", "this browser keeps nothing for our pages");
    sweep();
    const cookie = randomBytes(32).toString("base64url");
    notes.put(keyOf(cookie, pageKey), { approver, since: clock.now() });
    return cookieLine(origin, cookie, LASTS_MS);
  };

  const owner = (key: string, origin: string): Approver | undefined => {
    const record = Record.safeParse(notes.get(key)).data;
    if (!record || isOver(record.since, LASTS_MS)) return undefined;
    return signersOn(origin, approvers.all()).find(({ id }) => id === record.approver);
  };

  return {
    of: (request, origin) => {
      const pageKey = pageKeyIn(request, origin);
      if (pageKey === undefined) return undefined;
      try {
        for (const cookie of cookiesIn(request, cookieName(origin))) {
          const key = keyOf(cookie, pageKey);
          const approver = owner(key, origin);
          if (approver) return { approver, key };
        }
      } catch (error) {
        // Who is signed in cannot be known just now: then nobody is.
        if (!(error instanceof VaultError)) throw error;
      }
      return undefined;
    },
    open: ({ id }, request, origin) => begin(id, request, origin),
    expect: (credential, request, origin) => {
      try {
        return approvers.all().some(({ id }) => id === credential) ? undefined : begin(credential, request, origin);
      } catch (error) {
        // Then it has to sign in later, like any other.
        if (error instanceof VaultError) return undefined;
        throw error;
      }
    },
    close: ({ key }, origin) => {
      notes.delete(key);
      return cookieLine(origin, "", 0);
    },
    spend: (nonce) => {
      sweep();
      return notes.add(`nonce ${nonce}`, { spentAt: clock.now() });
    },
  };
}

function keyOf(cookie: string, pageKey: string): string {
  return createHash("sha256").update(`agent-vault inbox ${cookie}${pageKey}`).digest("base64url");
}

/**
 * Browsers send the cookies of a host to all of its ports, so on this machine the name holds the port. Elsewhere the
 * prefix keeps hosts beside ours from setting it.
 */
function cookieName(origin: string): string {
  const { protocol, port } = new URL(origin);
  return protocol === "https:" ? "__Host-agent-vault" : `agent-vault-${port}`;
}

function cookieLine(origin: string, value: string, lastsMs: number): string {
  const secure = origin.startsWith("https:") ? "; Secure" : "";
  const lasts = Math.floor(lastsMs / 1_000);
  return `${cookieName(origin)}=${value}; Max-Age=${lasts}; Path=/; HttpOnly; SameSite=Strict${secure}`;
}

function cookiesIn(request: Brought, name: string): readonly string[] {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim().split("=", 2));
  const found = pairs.flatMap(([key, value = ""]) => (key === name && /^[\w-]{43}$/.test(value) ? [value] : []));
  return found.slice(0, MOST_COOKIES);
}
