import { randomBytes } from "node:crypto";
import type { Answer, Card, CardItem, Front, Standing } from "../../src/core/card.ts";
import type { Clock } from "../../src/core/clock.ts";
import { VaultError } from "../../src/core/errors.ts";

type Seed = Partial<Omit<Card, "version">>;

/** A desk of cards in memory, honest about what the page relies on: one outcome each, versions that grow, `changed`. */
export class FakeFront implements Front {
  /** Everything that was really decided, in order. */
  readonly decided: { token: string; what: Answer | "revoke" }[] = [];
  /** Rejects approvals as a log that cannot be written would. */
  auditBroken = false;
  /** Makes `card` fail, as a bug would. */
  broken = false;
  waiting = 0;
  readonly #clock: Pick<Clock, "now">;
  readonly #cards = new Map<string, Card>();
  readonly #watchers = new Set<() => void>();

  constructor(clock: Pick<Clock, "now"> = { now: Date.now }) {
    this.#clock = clock;
  }

  /** Puts a card on the desk and returns its token. What is not given is an everyday read of two secrets. */
  add(seed: Seed = {}): string {
    const token = randomBytes(16).toString("base64url");
    this.#cards.set(token, { ...everyday(this.#clock.now()), ...seed, version: 1 });
    return token;
  }

  /** Changes a card as the desk would: agents come and go, requests expire. Quietly: without a new version. */
  change(token: string, { quietly = false, ...seed }: Seed & { quietly?: boolean }): void {
    const card = this.#cards.get(token);
    if (card === undefined) throw new TypeError("no such card");
    this.#cards.set(token, { ...card, ...seed, version: card.version + (quietly ? 0 : 1) });
    for (const wake of this.#watchers) wake();
  }

  /** Says who of the vault's people an approved request waits for; undefined: for nobody any more. */
  waitsFor(token: string, upstream: Card["upstream"]): void {
    if (upstream) return this.change(token, { upstream });
    const card = this.#cards.get(token);
    if (card === undefined) throw new TypeError("no such card");
    const { upstream: _over, ...rest } = card;
    this.#cards.set(token, rest);
    this.change(token, {});
  }

  /** Says why nothing came of the latest delivery; undefined: one has succeeded. */
  fails(token: string, failure: Card["failure"]): void {
    if (failure) return this.change(token, { failure });
    const card = this.#cards.get(token);
    if (card === undefined) throw new TypeError("no such card");
    const { failure: _over, ...rest } = card;
    this.#cards.set(token, rest);
    this.change(token, {});
  }

  /** Ends a waiting request without a person. */
  end(token: string, is: "expired" | "withdrawn" | "cancelled"): void {
    this.change(token, { standing: { is, at: this.#clock.now() }, attached: 0 });
  }

  readonly card = (token: string): Card | undefined => {
    if (this.broken) throw new Error("planted fault hunter2-4711");
    return this.#cards.get(token);
  };

  readonly answer = async (token: string, answer: Answer): Promise<boolean> => {
    if (answer.verdict === "approve" && this.auditBroken) {
      throw new VaultError("audit_unavailable", "the audit log cannot be written", { hint: "free some disk" });
    }
    const card = this.#cards.get(token);
    if (card?.standing.is !== "waiting") return false;
    this.decided.push({ token, what: answer });
    this.change(token, { standing: standingOf(card, answer, this.#clock.now()) });
    return true;
  };

  readonly revoke = (token: string): boolean => {
    const { standing, upstream } = this.#cards.get(token) ?? {};
    if (standing?.is !== "approved" || (standing.ended !== undefined && !upstream)) return false;
    this.decided.push({ token, what: "revoke" });
    this.change(token, { standing: { ...standing, ended: "revoked" } });
    this.waitsFor(token, undefined);
    return true;
  };

  readonly changed = (token: string, version: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        if (!signal.aborted && this.#cards.get(token)?.version === version) return;
        signal.removeEventListener("abort", done);
        if (this.#watchers.delete(done)) this.waiting -= 1;
        resolve();
      };
      this.#watchers.add(done);
      this.waiting += 1;
      signal.addEventListener("abort", done);
      done();
    });
}

function standingOf(card: Card, answer: Answer, at: number): Standing {
  if (answer.verdict === "deny") return { is: "denied", at };
  if (answer.verdict === "again") return { is: "returned", at, note: answer.note };
  if (answer.choice === "window") return { is: "approved", at, until: at + card.offer.windowMs };
  // An attached call is served on the spot, and with it the one use is gone.
  return card.attached > 0 ? { is: "approved", at, ended: "over" } : { is: "approved", at };
}

function everyday(now: number): Omit<Card, "version"> {
  return {
    vault: "prod",
    provider: "1password",
    action: "read",
    items: [item("DATABASE_URL"), { ...item("STRIPE_KEY"), field: "password" }],
    reason: "Run migration 0042_add_roles",
    requester: {
      claims: { client: "Claude Code" },
      facts: { user: "maria", host: "devbox", folder: "~/shop", process: "claude" },
    },
    offer: { windowMs: 15 * 60_000, scope: "secret" },
    standing: { is: "waiting" },
    attached: 1,
    everyField: false,
    approvedBefore: 0,
    expiresAt: now + 252_000,
    pickupMs: 300_000,
    revision: 1,
  };
}

/** A secret that is there and has to be asked for. */
export function item(name: string): CardItem {
  return { name, checked: true };
}

/** Fields of one secret, asked for together. */
export function fieldsOf(secret: CardItem, ...fields: readonly string[]): readonly CardItem[] {
  return fields.map((field) => ({ ...secret, field }));
}

/** A reference as 1Password writes them, of 200 characters. */
export const LONG_REFERENCE =
  `op://Production servers of the shop/${"very-long-item-name-".repeat(12)}`.slice(0, 191) + "/password";

/** What a vault's own people may be called, of 300 characters. */
export const LONG_WAIT = `waiting for 12Port's approvers: ${"db-prod-eu-central-1.".repeat(20)}`.slice(0, 300);

/** What a vault may say when it does not work, of 300 characters. */
export const LONG_FAILURE = `12Port does not answer at ${"https://vault.example.test/api/".repeat(20)}`.slice(0, 300);

/** An asset of which only the id is known. */
export const UNKNOWN: CardItem = {
  name: "266dd4a9-4711-4b0e-9d5c-2f1f0a8e7c31",
  title: "asset 266dd4a9-4711-4b0e-9d5c-2f1f0a8e7c31, name unknown",
  field: "password",
  checked: false,
};

/** Cards at the limits of what can be asked: nothing in them may move a button or widen the page. */
export function hugeCard(): Seed {
  const long = "VERY_LONG_SECRET_NAME_".repeat(4).slice(0, 80);
  return {
    vault: "v".repeat(80),
    provider: "hashicorp-vault",
    items: [
      item(long),
      { ...item("مفتاح_قاعدة_البيانات"), checked: false },
      { ...item("name⟦U+202E⟧gnp.exe"), field: "f".repeat(60) },
      ...Array.from({ length: 97 }, (_, at) => item(`SERVICE_${at}_TOKEN`)),
    ],
    reason: "x".repeat(280),
    requester: {
      claims: { client: "C".repeat(80), roots: ["/srv/" + "r".repeat(120)] },
      facts: {
        user: "u".repeat(32),
        host: "h".repeat(63),
        folder: "/home/" + "d".repeat(200),
        process: "p".repeat(60),
      },
    },
  };
}
