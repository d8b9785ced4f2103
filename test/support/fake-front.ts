import { randomBytes } from "node:crypto";
import { digestOf } from "../../src/core/canonical.ts";
import type { Answer, AnswerBy, Approval, Card, CardItem, Front, Standing } from "../../src/core/card.ts";
import { Changes } from "../../src/core/changes.ts";
import type { Clock } from "../../src/core/clock.ts";
import { VaultError } from "../../src/core/errors.ts";
import type { Overview, WaitingLine, WindowLine } from "../../src/core/overview.ts";
import { type Approvers, type Decision, isFresh, type Proof } from "../../src/core/proof.ts";
import { placeOf } from "../../src/core/request.ts";
import { notProven } from "../../src/core/vouch.ts";

type Seed = Partial<Omit<Card, "version">>;

/** A desk of cards in memory, honest about what the page relies on: one outcome each, versions that grow, `changed`. */
export class FakeFront implements Front {
  /** Everything that was really decided, in order; `by` is who signed it, `signedIn` that a device said so that is in. */
  readonly decided: { token: string; what: Answer | "revoke"; by?: string; signedIn?: true }[] = [];
  /** What the page of a change of approvers is told; replaced by tests of that page. */
  pairing: Front["pairing"] = () => Promise.resolve(undefined);
  /** Whose signatures count, where a card needs one. */
  approvers: Approvers | undefined;
  /** The requests of which something was to be signed. */
  readonly prepared: string[] = [];
  /** Rejects approvals as a log that cannot be written would. */
  auditBroken = false;
  /** Makes `card` fail, as a bug would. */
  broken = false;
  waiting = 0;
  readonly #clock: Pick<Clock, "now">;
  readonly #cards = new Map<string, Card>();
  readonly #watchers = new Set<() => void>();
  readonly #changes = new Changes();

  constructor(clock: Pick<Clock, "now"> = { now: Date.now }) {
    this.#clock = clock;
  }

  /** Puts a card on the desk and returns its token. What is not given is an everyday read of two secrets. */
  add(seed: Seed = {}): string {
    const token = randomBytes(16).toString("base64url");
    this.#cards.set(token, { ...everyday(this.#clock.now()), ...seed, version: 1 });
    this.#changes.bump();
    return token;
  }

  /** Changes a card as the desk would: agents come and go, requests expire. Quietly: without a new version. */
  change(token: string, { quietly = false, ...seed }: Seed & { quietly?: boolean }): void {
    const card = this.#cards.get(token);
    if (card === undefined) throw new TypeError("no such card");
    this.#cards.set(token, { ...card, ...seed, version: card.version + (quietly ? 0 : 1) });
    for (const wake of this.#watchers) wake();
    this.#changes.bump();
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

  /** The card as it stands, for looking at in a test. */
  cardAt(token: string): Card | undefined {
    return this.#cards.get(token);
  }

  readonly card = (token: string): Promise<Card | undefined> => {
    if (this.broken) return Promise.reject(new Error("planted fault hunter2-4711"));
    return Promise.resolve(this.#cards.get(token));
  };

  readonly decision = (token: string, approval: Approval): Promise<Decision | undefined> => {
    const card = this.#cards.get(token);
    if (card?.standing.is !== "waiting" || approval.revision !== card.revision) return Promise.resolve(undefined);
    this.prepared.push(token);
    const hashes = [statementHash(token, approval)];
    return Promise.resolve({ v: 1, decision: "approve", at: this.#clock.now(), hashes });
  };

  readonly answer = async (token: string, answer: Answer, { proof, signedIn }: AnswerBy): Promise<boolean> => {
    if (answer.verdict === "approve" && this.auditBroken) {
      throw new VaultError("audit_unavailable", "the audit log cannot be written", { hint: "free some disk" });
    }
    const card = this.#cards.get(token);
    if (card?.standing.is !== "waiting") return false;
    const by = answer.verdict === "approve" ? await this.#proven(token, card, answer, proof) : undefined;
    this.decided.push({ token, what: answer, ...(by !== undefined && { by }), ...(signedIn && { signedIn }) });
    const standing = standingOf(card, answer, this.#clock.now());
    this.change(token, { standing: standing.is === "approved" && by !== undefined ? { ...standing, by } : standing });
    return true;
  };

  readonly revoke = (token: string): Promise<boolean> => {
    const { standing, upstream } = this.#cards.get(token) ?? {};
    if (standing?.is !== "approved" || (standing.ended !== undefined && !upstream)) return Promise.resolve(false);
    this.decided.push({ token, what: "revoke" });
    this.change(token, { standing: { ...standing, ended: "revoked" } });
    this.waitsFor(token, undefined);
    return Promise.resolve(true);
  };

  readonly endApproval = (approval: string): Promise<boolean> => this.revoke(approval.replace(/^approval-/, ""));

  readonly overview = (): Promise<Overview> => {
    const all = [...this.#cards];
    return Promise.resolve({
      waiting: all.flatMap(([token, card]) => waitingLine(token, card)),
      windows: all.flatMap(([token, card]) => windowLine(token, card)),
      version: this.#changes.version,
    });
  };

  readonly overviewChanged = (version: number, signal: AbortSignal): Promise<void> =>
    this.#changes.after(version, signal);

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

  async #proven(token: string, { offer }: Card, answer: Approval, proof: Proof): Promise<string | undefined> {
    if (proof === "link") {
      if (offer.proof === undefined) return undefined;
      throw notProven("it has to be signed by the passkey of an approver");
    }
    if (!isFresh(proof.decision, "approve", statementHash(token, answer), this.#clock.now())) {
      throw notProven("something else was signed");
    }
    if (!this.approvers) throw new TypeError("nobody was enrolled for this test");
    return (await this.approvers.accept(proof)).name;
  }
}

/** Stands for the hash of the statement: different for each card and each choice. */
function statementHash(token: string, { choice, revision, items, windowMs }: Approval): string {
  return digestOf("statement", [token, choice, revision, items ?? null, windowMs ?? null]);
}

function waitingLine(token: string, card: Card): readonly WaitingLine[] {
  if (card.standing.is !== "waiting") return [];
  const { vault, action, items, requester, expiresAt } = card;
  return [
    {
      request: `request-${token}`,
      token,
      vault,
      action,
      names: items.map(({ name }) => name),
      client: requester.claims.client,
      folder: placeOf(requester),
      since: expiresAt - 900_000,
      expiresAt,
      isBehind: false,
    },
  ];
}

function windowLine(token: string, card: Card): readonly WindowLine[] {
  const { standing, vault, items, offer, requester } = card;
  if (standing.is !== "approved" || standing.until === undefined || standing.ended !== undefined) return [];
  return [
    {
      approval: `approval-${token}`,
      vault,
      scope: offer.scope,
      names: items.map(({ name }) => name),
      client: requester.claims.client,
      folder: placeOf(requester),
      since: standing.at,
      until: standing.until,
      ...(standing.by !== undefined && { by: standing.by }),
    },
  ];
}

function standingOf(card: Card, answer: Answer, at: number): Standing {
  if (answer.verdict === "deny") return { is: "denied", at };
  if (answer.verdict === "again") return { is: "returned", at, note: answer.note };
  const asked = card.items.flatMap(({ openUntil }, place) => (openUntil === undefined ? [place] : []));
  const left = asked.filter((place) => answer.items?.includes(place) === false);
  const yes = { is: "approved", at, ...(left.length > 0 && { leftOut: left }) } as const;
  if (answer.choice === "window") return { ...yes, until: at + (answer.windowMs ?? card.offer.windowMs) };
  // An attached call is served on the spot, and with it the one use is gone.
  return card.attached > 0 ? { ...yes, ended: "over" } : yes;
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
    configuration: "cOnFiG-4711",
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
