/** A person with a browser, as far as a test needs one: reads the page, then sends its form as a browser would. */
export interface Decision {
  readonly verdict: "approve" | "deny" | "again" | "revoke";
  readonly choice?: "window" | "once";
  readonly note?: string;
}

/** The page behind a link, as it stands now. */
export async function readPage(link: string): Promise<string> {
  const response = await fetch(link);
  return response.text();
}

/** Sends a decision from the page itself. The status is 303 when it was taken in. */
export async function decide(link: string, decision: Decision): Promise<number> {
  const page = await readPage(link);
  const seal = /name="seal" value="([^"]+)"/.exec(page)?.[1] ?? "";
  const body = new URLSearchParams({ seal, ...preselected(page, decision), ...decision });
  if (decision.verdict === "approve") for (const at of ticked(page)) body.append("item", at);
  const response = await fetch(link, {
    method: "POST",
    redirect: "manual",
    headers: { origin: new URL(link).origin, "sec-fetch-site": "same-origin" },
    body,
  });
  return response.status;
}

/** What a tap on Approve sends along when nothing else was chosen. */
function preselected(page: string, { verdict }: Decision): { choice?: string } {
  const choice = /name="choice"[^>]*value="(\w+)"(?:\s+checked|\s*\/>)/.exec(page)?.[1];
  return verdict === "approve" && choice !== undefined ? { choice } : {};
}

/** What is ticked when the page is opened: everything that can be. */
function ticked(page: string): readonly string[] {
  return [...page.matchAll(/<input\b[^>]*\bname="item"\s+value="(\d+)"[^>]*\schecked\b/g)].flatMap(([, at]) => at ?? []);
}

/** Taps Approve, with what the page preselects unless told otherwise. */
export const approve = (link: string, choice?: "window" | "once"): Promise<number> =>
  decide(link, { verdict: "approve", ...(choice && { choice }) });

export const deny = (link: string): Promise<number> => decide(link, { verdict: "deny" });
