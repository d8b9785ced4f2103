import { createWeb } from "../../src/web/server.ts";
import type { PairingStep } from "../../src/core/pairing.ts";
import { createAuthenticator, enrolled } from "./authenticator.ts";
import { FakeClock } from "./fake-clock.ts";
import { browserHeaders, formBody, sealIn, send, startWeb } from "./web.ts";

/** The tunnel's address of the page under test. */
export const PUBLIC = "https://name.example";
const FORM = "application/x-www-form-urlencoded";

interface Case {
  readonly says: string;
  readonly headers: Record<string, string | string[]>;
  readonly seal: "right" | "of another request" | "of another process" | "absent" | "cut";
  readonly decides: boolean;
}

/** Every way to send an approval: hosts x origins x what the browser vouches for, then types and seals. */
function cases(port: number): Case[] {
  const origins: Record<string, string> = {
    [`localhost:${port}`]: `http://localhost:${port}`,
    [`LocalHost:${port}`]: `http://localhost:${port}`,
    [`127.0.0.1:${port}`]: `http://127.0.0.1:${port}`,
    [`[::1]:${port}`]: `http://[::1]:${port}`,
    "name.example": PUBLIC,
  };
  const hosts = [
    ...Object.keys(origins),
    "evil.test",
    `evil.test:${port}`,
    "localhost",
    `localhost:${port + 1}`,
    "0.0.0.0",
  ];
  const senders = [
    ...new Set(Object.values(origins)),
    "http://evil.test",
    "null",
    "",
    "https://name.example.evil.test",
  ];
  const vouched = ["same-origin", "same-site", "cross-site", "none", ""];
  const found: Case[] = [];
  for (const host of hosts) {
    for (const origin of senders) {
      for (const site of vouched) {
        const headers: Record<string, string> = { Host: host, "Content-Type": FORM };
        if (origin !== "") headers["Origin"] = origin;
        if (site !== "") headers["Sec-Fetch-Site"] = site;
        const decides = origins[host] === origin && site === "same-origin";
        found.push({
          says: `${host} from ${origin || "nowhere"}, ${site || "unvouched"}`,
          headers,
          seal: "right",
          decides,
        });
      }
    }
  }
  const good: Record<string, string> = { Host: `localhost:${port}`, ...browserHeaders(port) };
  for (const type of ["application/json", "text/plain", "multipart/form-data; boundary=x", `${FORM}, text/plain`, ""]) {
    found.push({
      says: `as ${type || "nothing"}`,
      headers: { ...good, "Content-Type": type },
      seal: "right",
      decides: false,
    });
  }
  found.push({
    says: "as a form in utf-8",
    headers: { ...good, "Content-Type": `${FORM}; charset=UTF-8` },
    seal: "right",
    decides: true,
  });
  for (const seal of ["of another request", "of another process", "absent", "cut"] as const) {
    found.push({ says: `with a seal ${seal}`, headers: good, seal, decides: false });
  }
  const twice = { ...good, Origin: [good["Origin"] ?? "", "http://evil.test"] };
  found.push({ says: "with two origins", headers: twice, seal: "right", decides: false });
  return found;
}

/** A page to play them against, with an approver; and what was done with the page of a pairing. */
export async function startForgeries(create: typeof createWeb = createWeb) {
  const clock = new FakeClock();
  const { approvers } = enrolled(createAuthenticator({ origin: "http://localhost" }), "Maria's phone", { clock });
  const started = await startWeb(create, { approvers, clock });
  const steps: PairingStep[] = [];
  const expiresAt = clock.now() + 300_000;
  started.front.pairing = (_token, step) => {
    steps.push(step);
    const view = { kind: "add", name: "Maria's phone", stage: "ready", expiresAt } as const;
    return Promise.resolve(step.do === "begin" ? { ...view, options: { challenge: "hunter2-4711" } } : view);
  };
  return { ...started, steps };
}

/** Something that only a form of our own page may do. */
export interface Way {
  /** The page it is done from, and where its form goes. */
  readonly page: (token: string) => string;
  readonly path: (token: string) => string;
  /** Its fields, as a page of this origin sends them. */
  readonly form: (origin: string) => Readonly<Record<string, string | readonly string[]>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** What it is answered when it was done, and whether it was. */
  readonly status: number;
  readonly isDone: (started: Awaited<ReturnType<typeof startForgeries>>, token: string) => boolean;
}

/** What a browser says of where something was signed. */
function said(origin: string): string {
  return Buffer.from(JSON.stringify({ type: "webauthn.create", origin })).toString("base64url");
}

/** The page that a browser believes to be on, by the host it was led to. */
function originOf(headers: Case["headers"]): string {
  const host = String(headers["Host"]).toLowerCase();
  return host === new URL(PUBLIC).host ? PUBLIC : `http://${host}`;
}

const DEVICE = "A".repeat(43);

export const WAYS = {
  approve: {
    page: (token) => `/approve/${token}`,
    path: (token) => `/approve/${token}`,
    form: () => ({ verdict: "deny" }),
    status: 303,
    isDone: ({ front }, token) => front.cardAt(token)?.standing.is !== "waiting",
  },
  sign: {
    page: (token) => `/approve/${token}`,
    path: (token) => `/approve/${token}/sign`,
    form: () => ({ verdict: "approve", choice: "once", item: ["0", "1"] }),
    status: 200,
    isDone: ({ front }, token) => front.prepared.includes(token),
  },
  "begin a pairing": {
    page: (token) => `/pair/${token}`,
    path: (token) => `/pair/${token}/begin`,
    form: () => ({}),
    status: 200,
    isDone: ({ steps }) => steps.some((step) => step.do === "begin"),
  },
  "finish a pairing": {
    page: (token) => `/pair/${token}`,
    path: (token) => `/pair/${token}`,
    form: (origin) => ({
      signed: JSON.stringify({ response: { id: "x", response: { clientDataJSON: said(origin) } } }),
    }),
    headers: { Cookie: `agent-vault-device=${DEVICE}` },
    status: 303,
    isDone: ({ steps }) => steps.some((step) => step.do === "finish"),
  },
} satisfies Readonly<Record<string, Way>>;

/** Plays all cases, each against a fresh request, and returns those in which the wrong thing happened. */
export async function wrongOnes(
  started: Awaited<ReturnType<typeof startForgeries>>,
  { page, path, form, headers: own, status: good, isDone }: Way,
  { enough = Infinity } = {},
): Promise<{ wrong: string[]; played: number }> {
  const { web, front, get, steps } = started;
  web.setPublicOrigin(PUBLIC);
  const offer = { windowMs: 900_000, scope: "secret", proof: "passkey" } as const;
  const stranger = await startForgeries();
  const foreign = sealIn((await stranger.get(page(stranger.front.add({ offer })))).text);
  await stranger.web.close();
  const other = sealIn((await get(page(front.add({ offer })))).text);
  const wrong: string[] = [];
  const all = cases(web.port);
  for (const { says, headers, seal, decides } of all) {
    const token = front.add({ offer });
    const right = sealIn((await get(page(token))).text);
    const seals = {
      right,
      "of another request": other,
      "of another process": foreign,
      absent: "",
      cut: right.slice(0, -1),
    };
    const body = formBody({ ...form(originOf(headers)), ...(seal === "absent" ? {} : { seal: seals[seal] }) });
    steps.length = 0;
    // Where a signature can be made it must be asked for at an address where one is paired.
    const isElsewhere =
      decides && good === 200 && path(token).endsWith("/sign") && !/localhost/i.test(String(headers["Host"]));
    const { status } = await send(web.port, {
      method: "POST",
      path: path(token),
      headers: { ...headers, ...own },
      body,
    });
    const done = isDone(started, token);
    const statusFits = isElsewhere ? status === 409 : decides ? status === good : status === 403 || status === 421;
    if (wrong.length >= enough) break;
    if (done !== (decides && !isElsewhere) || !statusFits)
      wrong.push(`${says}: ${status}, ${done ? "done" : "nothing changed"}`);
  }
  return { wrong, played: all.length };
}
