import type { HttpAsk, HttpReply } from "../attacker.ts";
import { sealIn } from "../person.ts";
import type { Asked, World } from "../world.ts";

/** The link as the agent comes by it: from its client's log where it may read that, by hand where links may go anywhere. */
export async function linkInReach(world: World, { link }: Asked): Promise<string | undefined> {
  if (world.isEnrolled) return link;
  const log = await world.attacker.read(world.paths.clientLog);
  return log?.includes(link) === true ? link : undefined;
}

export function pathOf(link: string): string {
  return new URL(link).pathname;
}

export function portOf(link: string): number {
  return Number(new URL(link).port);
}

/** What a browser would send along with a form of the page itself: a program just says so. */
export function formHeaders(link: string, more: HttpAsk["headers"] = {}): NonNullable<HttpAsk["headers"]> {
  return {
    Origin: new URL(link).origin,
    "Sec-Fetch-Site": "same-origin",
    "Content-Type": "application/x-www-form-urlencoded",
    ...more,
  };
}

/** The page of a link, as the agent's own program gets it. */
export async function pageAsAgent(world: World, link: string): Promise<HttpReply> {
  const [page] = await world.attacker.http(portOf(link), [{ path: pathOf(link) }]);
  if (page === undefined) throw new Error("there was no answer");
  return page;
}

/** The seal of the form on a page, as the agent's own program finds it. */
export async function sealAsAgent(world: World, link: string): Promise<string> {
  return sealIn((await pageAsAgent(world, link)).body);
}

/** Sends the form of the page with made-up headers. */
export async function postAsAgent(world: World, link: string, form: Record<string, string>): Promise<HttpReply> {
  const seal = await sealAsAgent(world, link);
  const body = new URLSearchParams({ seal, ...form }).toString();
  const [reply] = await world.attacker.http(portOf(link), [
    { method: "POST", path: pathOf(link), headers: formHeaders(link), body },
  ]);
  if (reply === undefined) throw new Error("there was no answer");
  return reply;
}

/** The person says no to what still waits, so that every call comes to its end. */
export async function finish(world: World, { call, link }: Asked): Promise<void> {
  await world.person.deny(link);
  await call;
}

const SOON_MS = 3_000;

/** Whether something comes true within a few seconds; looked at every now and then. */
export async function eventually(isTrue: () => boolean | Promise<boolean>): Promise<boolean> {
  const until = performance.now() + SOON_MS;
  while (!(await isTrue())) {
    if (performance.now() > until) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}
