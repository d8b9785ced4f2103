import * as z from "zod";
import { answer, answerBy, approval, card, overview, page, pairingStep, pairingView } from "./shapes.ts";
import { statement, token } from "./shapes.ts";

/** Grows when what travels is no longer understood by those who know the one before. */
export const PROTOCOL = 1;

const count = z.number().int().nonnegative();
const nothing = z.strictObject({});
const key = z.string().max(256);

/** What one side may ask of the other, and what comes back. */
const CALLS = {
  // Of the host.
  hello: {
    // Whoever is of another version has to be understood this far, so that both can say so.
    ask: z.object({ hub: count, as: z.enum(["session", "visitor"]) }),
    reply: z.strictObject({ hub: count, formKey: z.string().max(100), page: page.exactOptional() }),
  },
  open: { ask: nothing, reply: z.strictObject({ page, shared: z.array(token).max(2_000).readonly() }) },
  overview: { ask: nothing, reply: overview },
  ping: { ask: nothing, reply: nothing },
  // Of a session.
  card: { ask: z.strictObject({ token }), reply: card.optional() },
  statement: { ask: z.strictObject({ token, approval }), reply: statement.optional() },
  answer: { ask: z.strictObject({ token, answer, by: answerBy }), reply: z.boolean() },
  revoke: { ask: z.strictObject({ token }), reply: z.boolean() },
  changed: { ask: z.strictObject({ token, version: count }), reply: nothing },
  pairing: { ask: z.strictObject({ token, step: pairingStep }), reply: pairingView.optional() },
  // Of both.
  endApproval: { ask: z.strictObject({ approval: key }), reply: z.boolean() },
} as const;

/** What one side says without being asked. */
const NEWS = {
  /** A session: what waits and what is open in it. */
  overview,
  /** The host: where its page is now. */
  page,
} as const;

export type CallName = keyof typeof CALLS;
export type NewsName = keyof typeof NEWS;
export type Ask<N extends CallName> = z.output<(typeof CALLS)[N]["ask"]>;
export type Reply<N extends CallName> = z.output<(typeof CALLS)[N]["reply"]>;
export type News<N extends NewsName> = z.output<(typeof NEWS)[N]>;

// The same tables, so that what comes out of a schema is known by the name it stands under.
const calls: { readonly [N in CallName]: { readonly ask: z.ZodType<Ask<N>>; readonly reply: z.ZodType<Reply<N>> } } =
  CALLS;
const news: { readonly [N in NewsName]: z.ZodType<News<N>> } = NEWS;

/** What is asked, as it may be; undefined when it is nothing of the kind. */
export function askIn<N extends CallName>(name: N, ask: unknown): Ask<N> | undefined {
  return calls[name].ask.safeParse(ask).data;
}

/** Calls `take` with the reply, as it may be; false when it is nothing of the kind. */
export function takeReply<N extends CallName>(name: N, reply: unknown, take: (reply: Reply<N>) => void): boolean {
  const parsed = calls[name].reply.safeParse(reply);
  if (parsed.success) take(parsed.data);
  return parsed.success;
}

/** What is news, as it may be; undefined when it is nothing of the kind. */
export function newsIn<N extends NewsName>(name: N, what: unknown): News<N> | undefined {
  return news[name].safeParse(what).data;
}

export function isCall(name: string): name is CallName {
  return Object.hasOwn(CALLS, name);
}

export function isNews(name: string): name is NewsName {
  return Object.hasOwn(NEWS, name);
}
