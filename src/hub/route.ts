import type { Answer, AnswerBy, Approval, Card, Front } from "../core/card.ts";
import type { Clock } from "../core/clock.ts";
import type { Decision } from "../core/proof.ts";
import { hashOf } from "../core/statement.ts";
import { isAsShown } from "./as-shown.ts";
import type { Groups, Page } from "./groups.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import { mergedCard, type Shown, versionsFrom } from "./twins.ts";

export interface RouteOptions {
  readonly sessions: Sessions;
  readonly groups: Groups;
  readonly clock: Clock;
}

/** The desk of all sessions as the page sees it: everything goes to the session that has shown that it is its own. */
export function routeFront({ sessions, groups, clock }: RouteOptions): Front {
  const { shown } = groups;
  const versionOf = versionsFrom(clock.now());

  /** What of the list to be signed stands for this request; undefined when it would not be what the card shows. */
  const hashFor = async ({ session, token, card }: Shown, approval: Approval): Promise<string | undefined> => {
    const mine = { ...approval, revision: card.revision };
    const statement = await session.front.statement(token, mine);
    return statement && isAsShown(statement, card, mine) ? hashOf(statement) : undefined;
  };

  const decision = async (asked: string, approval: Approval): Promise<Decision | undefined> => {
    const page = await groups.of(asked);
    const group = page && shown.meant(page.token, page.group, approval);
    if (!page || !group) return undefined;
    const hashes = await Promise.all(
      group.map(async (each) => {
        if (each.token === page.token) return hashFor(each, approval);
        const hash = await hashFor(each, approval).catch(() => undefined);
        if (hash === undefined) shown.setApart(each.token);
        return hash;
      }),
    );
    // Those for whom there is nothing to sign wait on; the request of this page is the one that it is for.
    if (hashes[group.findIndex(({ token }) => token === page.token)] === undefined) return undefined;
    return { v: 1, decision: "approve", at: clock.now(), hashes: hashes.filter((hash) => hash !== undefined) };
  };

  /** Those that an answer is for; undefined when it is for nothing that the page shows. */
  const answered = ({ token, group }: Page, answer: Answer, { signedIn }: AnswerBy): Page["group"] | undefined => {
    if (answer.verdict === "approve") return shown.meant(token, group, answer);
    if (answer.verdict === "deny" || signedIn) return group;
    // A note of whoever has this link, perhaps an agent, is none of a person's to the other sessions.
    const own = group.find((each) => each.token === token);
    return own && [own];
  };

  const answer = async (asked: string, answer: Answer, by: AnswerBy): Promise<boolean> => {
    const page = await groups.of(asked);
    const group = page && answered(page, answer, by);
    if (!page || !group) return false;
    const settled = await Promise.allSettled(
      group.map(({ session, token, card }) => {
        const mine = answer.verdict === "approve" ? { ...answer, revision: card.revision } : answer;
        return session.front.answer(token, mine, by);
      }),
    );
    const failed = group.flatMap(({ token }, at) => (settled[at]?.status === "rejected" ? token : []));
    for (const token of failed) if (token !== page.token) shown.setApart(token);
    const own = settled[group.findIndex(({ token }) => token === page.token)];
    if (own?.status === "rejected") throw own.reason;
    if (own?.value && failed.length > 0) shown.leadOn(page.token, failed);
    return own?.value ?? false;
  };

  /** Resolves when another request comes to share its card, or one no longer does. */
  const regrouped = async (token: string, signal: AbortSignal): Promise<void> => {
    const keyOf = (): string =>
      sessions
        .twinsOf(token)
        .map(({ line }) => line.token)
        .join();
    const before = keyOf();
    while (!signal.aborted && keyOf() === before) await sessions.changed(sessions.version, signal);
  };

  const changed = async (asked: string, version: number, signal: AbortSignal): Promise<void> => {
    const page = await groups.of(asked);
    if (!page || cardOf(page).version !== version) return;
    const enough = new AbortController();
    const until = AbortSignal.any([signal, enough.signal]);
    await Promise.race([
      regrouped(page.token, until),
      ...page.group.map(({ session, token, card }) => session.front.changed(token, card.version, until)),
    ]).finally(() => enough.abort());
  };

  const cardOf = ({ group, isLedTo }: Page): Card => {
    if (group.length > 1) return mergedCard(group, versionOf(group));
    const [{ card }] = group;
    // Not to be taken for one of the card that was there before.
    return isLedTo ? { ...card, version: versionOf(group) } : card;
  };

  return {
    card: async (token) => {
      const page = await groups.of(token);
      return page && cardOf(page);
    },
    decision,
    answer,
    revoke: async (token) => (await groups.look(token))?.session.front.revoke(token) ?? false,
    changed,
    overview: () => Promise.resolve(sessions.overview()),
    overviewChanged: (version, signal) => sessions.changed(version, signal),
    endApproval: async (approval) => {
      const has = ({ overview }: Session): boolean => overview.windows.some((line) => line.approval === approval);
      const known = sessions.all.find(has);
      if (known && (await known.front.endApproval(approval))) return true;
      const ended = sessions.all.map(async ({ front }) => {
        if (!(await front.endApproval(approval))) throw new RangeError("not there");
        return true;
      });
      // The first that has it; one that fails has nothing.
      return Promise.any(ended).catch(() => false);
    },
    pairing: async (token, step) => {
      const owner = await groups.arrived(() => Promise.resolve(sessions.ownerOf(token)));
      return owner?.front.pairing(token, step);
    },
  };
}
