import { Changes } from "../../src/core/changes.ts";
import type { Event } from "../../src/core/event.ts";
import type { Overview, WaitingLine, WindowLine } from "../../src/core/overview.ts";
import type { Approvers } from "../../src/core/proof.ts";
import type { Clock } from "../../src/core/clock.ts";
import { createWeb, type Web } from "../../src/web/server.ts";
import { type Authenticator, createAuthenticator, enrolled } from "./authenticator.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeFront } from "./fake-front.ts";
import { fakeNotes } from "./provider-context.ts";
import { browserHeaders, type Reply, sealIn, send } from "./web.ts";

/** A desk whose overview a test writes, line by line. */
export class InboxFront extends FakeFront {
  readonly ended: string[] = [];
  /** Looks taken at the overview. */
  looks = 0;
  readonly #news = new Changes();
  readonly #now: () => number;
  #waiting: readonly WaitingLine[] = [];
  #windows: readonly WindowLine[] = [];

  constructor(clock: Pick<Clock, "now">) {
    super(clock);
    this.#now = clock.now;
  }

  /** A request that waits; what is not given is an everyday read. */
  waits(line: Partial<WaitingLine> = {}): string {
    const n = this.#waiting.length + 1;
    const token = this.add();
    const now = this.#now();
    this.#waiting = [
      ...this.#waiting,
      {
        request: `request-${n}`,
        token,
        vault: "prod",
        action: "read",
        names: ["DATABASE_URL"],
        client: "Claude Code",
        folder: "~/shop",
        since: now,
        expiresAt: now + 600_000 + n * 1_000,
        isBehind: false,
        ...line,
      },
    ];
    this.#news.bump();
    return token;
  }

  opens(line: Partial<WindowLine> = {}): void {
    const now = this.#now();
    const own: WindowLine = {
      approval: `approval-${this.#windows.length + 1}`,
      vault: "prod",
      scope: "secret",
      names: ["STRIPE_KEY"],
      client: "Claude Code",
      folder: "~/shop",
      since: now,
      until: now + 900_000,
      ...line,
    };
    this.#windows = [...this.#windows, own];
    this.#news.bump();
  }

  override readonly overview = (): Promise<Overview> => {
    this.looks += 1;
    return Promise.resolve({ waiting: this.#waiting, windows: this.#windows, version: this.#news.version });
  };
  override readonly overviewChanged = (version: number, signal: AbortSignal): Promise<void> =>
    this.#news.after(version, signal);
  override readonly endApproval = (approval: string): Promise<boolean> => {
    const before = this.#windows.length;
    this.#windows = this.#windows.filter((line) => line.approval !== approval);
    if (this.#windows.length === before) return Promise.resolve(false);
    this.ended.push(approval);
    this.#news.bump();
    return Promise.resolve(true);
  };
}

interface InboxOptions {
  readonly create?: typeof createWeb;
  readonly clock?: FakeClock;
  /** Notes to share with another page: a process before and after a restart. */
  readonly notes?: ReturnType<typeof fakeNotes>;
  readonly formKey?: string;
  readonly events?: readonly Event[];
  readonly recent?: () => readonly Event[];
}

/** What the pages of one browser keep for themselves. */
export const PAGE_KEY = "k".repeat(43);
/** How its scripts send that along. */
export const WITH_KEY = { "agent-vault-page": PAGE_KEY };

/** A page with an inbox over a written overview, and a software passkey that is enrolled on its local address. */
export async function startInbox(options: InboxOptions = {}) {
  const { create = createWeb, clock = new FakeClock(), notes = fakeNotes(), events = [], formKey } = options;
  const front = new InboxFront(clock);
  const faults: unknown[] = [];
  const refused: string[] = [];
  let approvers: Approvers | undefined;
  const known: Approvers = {
    all: () => approvers?.all() ?? [],
    accept: (signed) => enrolledNow().accept(signed),
    recheck: (signed) => enrolledNow().recheck(signed),
  };
  const enrolledNow = (): Approvers => {
    if (!approvers) throw new TypeError("nobody is enrolled yet");
    return approvers;
  };
  const web: Web = await create({
    front,
    clock,
    port: 0,
    approvers: known,
    ...(formKey !== undefined && { formKey }),
    inbox: { notes: notes("inbox"), recent: options.recent ?? (() => events) },
    onRefused: (what) => void refused.push(what),
    onFault: (error) => void faults.push(error),
  });
  const origin = `http://localhost:${web.port}`;
  const phone = createAuthenticator({ origin });
  approvers = enrolled(phone, "Maria's phone", { notes: notes("approvers"), clock }).approvers;

  const get = (path: string, cookie?: string): Promise<Reply> =>
    send(web.port, { path, ...(cookie !== undefined && { headers: { ...WITH_KEY, Cookie: cookie } }) });
  const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}): Promise<Reply> =>
    send(web.port, {
      method: "POST",
      path,
      headers: { ...browserHeaders(web.port), ...headers },
      body: new URLSearchParams({ key: PAGE_KEY, ...form }).toString(),
    });
  /** What the page gives a stranger to sign, in the words of the form. */
  const challenge = async (): Promise<Challenge> => {
    const seal = sealIn((await get("/inbox")).text);
    const reply = await post("/inbox/challenge", { seal });
    return { seal, ...(JSON.parse(reply.text) as Omit<Challenge, "seal">) };
  };
  /** Signs in with this passkey; the answer as it is. */
  const trySignIn = async (passkey: Authenticator = phone): Promise<Reply> => {
    const { seal, decision, options: wanted } = await challenge();
    const response = passkey.sign({ challenge: wanted.challenge, rpId: "localhost" });
    return post("/inbox", { seal, do: "sign-in", signed: JSON.stringify({ decision, response }) });
  };
  const signIn = async (): Promise<string> => cookieOf(await trySignIn());
  /** A tap on a button of the inbox. */
  const tap = async (cookie: string, form: Record<string, string>): Promise<Reply> =>
    post("/inbox", { seal: sealIn((await get("/inbox", cookie)).text), ...form }, { Cookie: cookie });
  return { web, front, clock, faults, refused, notes, phone, origin, get, post, challenge, trySignIn, signIn, tap };
}

interface Challenge {
  readonly seal: string;
  readonly decision: { readonly v: 1; readonly decision: "sign-in"; readonly at: number; readonly hashes: string[] };
  readonly options: { readonly challenge: string; readonly allowCredentials: readonly unknown[] };
}

/** The cookie that an answer sets, as a browser would send it back. */
export function cookieOf({ headers }: Reply): string {
  const [line = ""] = [headers["set-cookie"] ?? []].flat();
  return line.split(";")[0] ?? "";
}
