import type { Ask, Listing, ReadAsk, Reply, WriteAsk } from "./asks.ts";
import { endedUnused } from "./claim.ts";
import { Deliveries, type Perform } from "./deliveries.ts";
import type { Desk } from "./desk.ts";
import { asVaultError, VaultError } from "./errors.ts";
import type { Event } from "./event.ts";
import { exposedBy } from "./exposed.ts";
import type { Grants } from "./grants.ts";
import { idSource } from "./ids.ts";
import { listingOf } from "./listing.ts";
import { Lookups } from "./lookups.ts";
import { allOrError, refuse } from "./outcomes.ts";
import { cannotWrite, decide, type Offer } from "./policy.ts";
import { itemsToRead, itemsToWrite } from "./items.ts";
import type { Each, Journal, Provider, Saved, Vault, Waiter } from "./ports.ts";
import { type AccessRequest, type Action, askedBy, isEveryField, type Item, requestKey } from "./request.ts";
import { type CommitmentKey, newCommitmentKey, type Secret } from "./secret.ts";
import { type Called, Sessions } from "./sessions.ts";
import type { Tally } from "./tally.ts";
import { glimpse, quoted } from "./text.ts";
import { type Permitted, permittedRefs } from "./turned-down.ts";
import { Whereabouts, type WhereaboutsOptions } from "./whereabouts.ts";

export interface BrokerOptions extends WhereaboutsOptions {
  readonly journal: Journal;
  readonly tally: Tally;
  readonly desk: Desk;
  readonly grants: Grants;
  readonly vaults: ReadonlyMap<string, Vault>;
  /** How long one call is kept waiting for a vault's own people at most, ms. */
  readonly upstreamHoldMs: number;
  /** For how long a vault's people are not asked again for what they turned down, ms. */
  readonly upstreamCooldownMs: number;
  /** How many requests may wait for vaults' own people at a time. */
  readonly upstreamMost: number;
  /** How many calls of one session may be under way at a time. */
  readonly mostCalls: number;
}

/** Calls with the same key are for exactly the same. */
type Call = Omit<Called, "session">;

/** One request end to end: meet, resolve, rule, ask, record, fetch, return. Knows nothing of MCP or HTTP. */
export class Broker {
  readonly #o: BrokerOptions;
  readonly #key: CommitmentKey = newCommitmentKey();
  readonly #newId = idSource();
  readonly #lookups = new Lookups();
  readonly #sessions: Sessions;
  readonly #whereabouts: Whereabouts;
  readonly #deliveries: Deliveries;

  constructor(options: BrokerOptions) {
    this.#o = options;
    this.#sessions = new Sessions(options.mostCalls);
    this.#whereabouts = new Whereabouts(options);
    const { clock, journal, desk, approvers, upstreamHoldMs, upstreamCooldownMs, upstreamMost } = options;
    this.#deliveries = new Deliveries(
      {
        clock,
        journal,
        approvers,
        here: (rules) => this.#whereabouts.lately(rules),
        holdMs: upstreamHoldMs,
        most: upstreamMost,
        cooldownMs: upstreamCooldownMs,
        told: (waiting, upstream) => desk.opened.upstream(waiting, upstream),
        came: (approval, failure) => desk.opened.came(approval, failure),
        disproved: (approval, why) => desk.opened.disproved(approval, why),
      },
      this.#newId,
    );
  }

  /** Nobody waits for a vault's own people any more: the session is over. */
  close(): void {
    this.#deliveries.preparations.close();
  }

  /** A session begins, at its first call at the latest: what was denied to those that have ended is refused to it. */
  beginSession(session: string): void {
    this.#o.desk.beginSession(session);
  }

  /**
   * One session is over while others go on: what waits of it ends as cancelled, what it was permitted ends, and its calls
   * that are still under way ask nobody. How many requests it had put before people that were not answered.
   */
  endSession(session: string, why: string): number {
    this.#sessions.end(session);
    const ended = this.#o.desk.endSession(session, why);
    this.#o.grants.endSession(session);
    return ended;
  }

  /** Names by vault, never values. A vault that cannot be reached is reported beside the others. */
  async list(ask: { session: string; vault?: string }, signal: AbortSignal): Promise<Listing> {
    const chosen = ask.vault === undefined ? [...this.#o.vaults.values()] : [this.#vault(ask.session, ask.vault)];
    this.#o.tally.note({
      kind: "listed",
      at: this.#o.clock.now(),
      session: ask.session,
      ...(ask.vault !== undefined && { vault: ask.vault }),
    });
    return this.#sessions.during({ session: ask.session, action: "read", key: "list" }, async () =>
      Promise.all(chosen.map(async (vault) => listingOf(vault, signal))),
    );
  }

  /** Reads by handle what a person permitted. Throws `VaultError` when nothing at all can be handed out. */
  async read(asked: ReadAsk, waiter: Waiter): Promise<Reply<Secret>> {
    const ask = asked.fields ? { ...asked, fields: distinct(asked.fields) } : asked;
    const vault = this.#vault(ask.session, ask.vault);
    const key = requestKey({
      session: ask.session,
      vault: vault.name,
      action: "read",
      items: ask.names.map((name) => ({ name, ...(ask.fields && { fields: ask.fields }) })),
    });
    return this.#guard(ask, { action: "read", key }, ask.names, async () => {
      const request = await this.#meet(ask, vault, "read", key, ask.names, (provider) =>
        itemsToRead(ask, vault, provider, waiter.signal),
      );
      return this.#carry(ask, request, vault, waiter, (provider, items, signal) =>
        provider.read(
          items.map((item) => item.handle),
          signal,
        ),
      );
    });
  }

  /** Writes what a person permitted, as planned before they were asked. */
  async write(ask: WriteAsk, waiter: Waiter): Promise<Reply<Saved>> {
    const exposed = exposedBy(ask);
    if (exposed) {
      this.#refused({ session: ask.session, action: "write" }, exposed);
      throw exposed;
    }
    const vault = this.#vault(ask.session, ask.vault);
    const names = ask.entries.map((entry) => entry.name);
    const committed = ask.entries.map(({ name, value }) => ({ name, commitment: value.commitment(this.#key) }));
    const key = requestKey({ session: ask.session, vault: vault.name, action: "write", items: committed });
    return this.#guard(ask, { action: "write", key }, names, async () => {
      const commitments = committed.map(({ commitment }) => commitment);
      const request = await this.#meet(ask, vault, "write", key, names, (provider) =>
        itemsToWrite(ask, commitments, vault, provider, waiter.signal),
      );
      return this.#carry(ask, request, vault, waiter, (provider, items, signal) => {
        if (!provider.write) throw cannotWrite(vault);
        // The request may be an earlier, identical call's: same names and values, perhaps in another order.
        const values = new Map(ask.entries.map((entry) => [entry.name, entry.value]));
        const entries = items.flatMap(({ handle, write }) => {
          const value = values.get(handle.name);
          return write && value ? [{ plan: write.plan, value }] : [];
        });
        return provider.write(entries, signal);
      });
    });
  }

  /** Steps 1 to 3: the request this call is about, old or new, or the reason why nobody will be asked. */
  async #meet(
    ask: ReadAsk | WriteAsk,
    vault: Vault,
    action: Action,
    key: string,
    names: readonly string[],
    resolve: (provider: Provider) => Promise<Each<Item>>,
  ): Promise<AccessRequest> {
    const { desk, grants } = this.#o;
    const { preparations } = this.#deliveries;
    const fields = "fields" in ask ? ask.fields : undefined;
    const approved = (): Permitted | undefined => preparations.find(key) ?? grants.heldFor(key);
    const held = approved();
    // What was left out of an approval is refused when the rest is handed over, and not all of it because of that.
    desk.refuseDenied(ask.session, vault.name, action, held ? permittedRefs(held) : askedBy(names, fields));
    const ruling = decide(vault, action);
    if (ruling.kind === "deny") throw ruling.error;
    const here = grants.hasWindow(ask.session, vault.name) ? undefined : await this.#whereabouts.here(vault.rules);
    const circumstances = decide(vault, action, here);
    if (circumstances.kind === "deny") throw circumstances.error;
    const known = desk.find(key)?.request ?? approved()?.request;
    if (known) return known;
    // Looking names up costs the vault calls; what no window can cover could then not be put before a person.
    if (action === "write" || !grants.hasWindow(ask.session, vault.name)) {
      desk.refuseMore(ask.session, this.#lookups.besides(ask.session, key));
    }
    const found = await this.#lookups.during(ask.session, key, async () => resolve(await vault.open()));
    const items = allOrError(found, names);
    desk.refuseDenied(
      ask.session,
      vault.name,
      action,
      items.map((item) => item.handle.ref),
    );
    const { session, reason, requester } = ask;
    const request: AccessRequest = {
      id: this.#newId(),
      key,
      session,
      vault: vault.name,
      provider: vault.provider,
      action,
      items,
      ...(fields && { fields }),
      reason,
      requester,
    };
    // Nobody is asked for what the vault would not hand out anyway.
    preparations.refuse(request);
    return request;
  }

  /** Steps 4 to 8. */
  async #carry<T>(
    ask: Ask,
    request: AccessRequest,
    vault: Vault,
    waiter: Waiter,
    perform: Perform<T>,
  ): Promise<Reply<T>> {
    const { desk, grants } = this.#o;
    const open = this.#deliveries.preparations.claim(request) ?? grants.claim(request);
    // What was approved is done as it was shown, whatever an identical call has found since.
    if (open) return this.#deliveries.deliver(open.request ?? request, vault, open, waiter, perform);
    const ruling = decide(vault, request.action, await this.#whereabouts.here(vault.rules));
    if (ruling.kind === "deny") throw ruling.error;
    this.#sessions.refuseOver(ask.session);
    const offer: Offer = ask.onceOnly ? { ...ruling.offer, windowMs: 0, scope: "secret" } : ruling.offer;
    // It may be an approved request that another call has just come for: asking again is a request of its own.
    const { reason, requester } = ask;
    const ticket = desk.ask({ ...request, id: this.#newId(), reason, requester }, offer, vault.rules);
    const attended = await desk.attend(ticket, waiter);
    if (attended.is === "pending") return attended;
    try {
      refuse(attended);
    } catch (error) {
      // The desk has written it down.
      throw this.#deliveries.written(asVaultError(error));
    }
    // Two identical calls that met on the way share the ticket, and with it what was shown.
    const claim = grants.claimOwed(ticket.request) ?? grants.claim(ticket.request);
    if (!claim) throw endedUnused();
    return this.#deliveries.deliver(ticket.request, vault, claim, waiter, perform);
  }

  #vault(session: string, name: string): Vault {
    const vault = this.#o.vaults.get(name);
    if (vault) return vault;
    const known = [...this.#o.vaults.keys()].map(quoted).join(", ");
    const error = new VaultError("vault_not_found", `there is no vault ${quoted(name)}`, {
      hint: `the vaults are ${known}`,
    });
    this.#refused({ session, vault: glimpse(name, 80) }, error);
    throw error;
  }

  /** Writes every refusal to the log; what already has its own line there (a person's answer) is left alone. */
  async #guard<T>(ask: Ask, what: Call, names: readonly string[], run: () => Promise<T>): Promise<T> {
    this.beginSession(ask.session);
    try {
      return await this.#sessions.during({ session: ask.session, ...what }, run);
    } catch (error) {
      const known = asVaultError(error);
      // The log's own failure cannot be written to it.
      if (known.code !== "audit_unavailable" && !this.#deliveries.isWritten(known)) {
        this.#refused(
          {
            session: ask.session,
            vault: ask.vault,
            action: what.action,
            names: names.map((name) => glimpse(name, 80)),
            reason: ask.reason,
            requester: ask.requester,
          },
          known,
        );
      }
      throw known;
    }
  }

  #refused(about: Partial<Event>, error: VaultError): void {
    this.#o.tally.note({ ...about, kind: "refused", at: this.#o.clock.now(), code: error.code });
  }
}

/** The fields that are really asked for: each once, and every one is every one. */
function distinct(fields: readonly string[]): readonly string[] {
  return isEveryField(fields) ? ["*"] : [...new Set(fields)];
}
