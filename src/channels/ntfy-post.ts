import * as z from "zod";
import type { Clock } from "../core/clock.ts";
import { VaultError } from "../core/errors.ts";

interface Post {
  readonly url: string;
  readonly body: string;
  readonly authorization: string | undefined;
}

interface Reply {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly said: z.output<typeof SAID>;
}

/** What ntfy answers: the message with its id, or an error with its number. Of anything else nothing is kept. */
const SAID = z
  .object({
    id: z.string().optional().catch(undefined),
    event: z.string().optional().catch(undefined),
    code: z.int().optional().catch(undefined),
  })
  .catch({});

const DEADLINE_MS = 10_000;
const REPLY_BYTES = 16_384;
const RETRY_MS = 1_000;

/**
 * Hands one message over, within ten seconds in all; a server that is busy is asked a second time when it says so in
 * time. Rejects with `channel_unavailable`, whose text names the server's host, never topic, token or link. A caller's
 * abort ends it without an error.
 */
export async function postToNtfy(message: Post, clock: Clock, signal: AbortSignal): Promise<void> {
  const host = new URL(message.url).host;
  const late = new AbortController();
  const cancel = clock.after(DEADLINE_MS, () => late.abort());
  const endsAt = clock.mono() + DEADLINE_MS;
  const ended = AbortSignal.any([signal, late.signal]);
  try {
    const first = await send(message, ended);
    const waitMs = isBusy(first) ? retryMs(first, clock) : undefined;
    const again = waitMs !== undefined && clock.mono() + waitMs < endsAt;
    if (again) await pause(clock, waitMs, ended);
    judge(again ? await send(message, ended) : first, host, message.authorization !== undefined);
  } catch (error) {
    if (signal.aborted) return;
    if (late.signal.aborted) throw failed(`ntfy at ${host} did not answer within 10 seconds`, "check the network");
    throw error instanceof VaultError ? error : unreachable(error, host);
  } finally {
    cancel();
  }
}

async function send({ url, body, authorization }: Post, signal: AbortSignal): Promise<Reply> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...(authorization === undefined ? {} : { authorization }) },
    body,
    // A token that follows a redirect ends up with whoever was redirected to.
    redirect: "error",
    signal,
  });
  const said = SAID.parse(asJson(await readStart(response)));
  return { status: response.status, retryAfter: response.headers.get("retry-after"), said };
}

/** As much of the body as an answer of ntfy can have; the rest is not fetched. */
async function readStart(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > REPLY_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, REPLY_BYTES).toString("utf8");
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whoever answered is not ntfy; the status still tells something.
    return undefined;
  }
}

function judge({ status, said }: Reply, host: string, withToken: boolean): void {
  // A hotel's login page also answers 200: only ntfy returns the message with its id.
  if (status === 200 && said.id !== undefined && said.event === "message") return;
  const code = said.code === undefined ? "" : ` (code ${said.code})`;
  if (status === 200)
    throw failed(`what answered at ${host} is not ntfy`, "check the ntfy server's address in the configuration");
  if (status === 401 || (status === 403 && withToken)) {
    throw failed(
      `ntfy at ${host} refuses ${withToken ? "the configured token" : "a message without a token"} for this topic`,
      "create an access token that may write to the topic, and put it into the channel's token",
    );
  }
  if (status === 403) {
    throw failed(
      `the topic is reserved by somebody else at ${host}`,
      "choose another topic, or set the token of the account that owns it",
    );
  }
  if (status === 429) {
    throw failed(
      `ntfy at ${host} takes no more messages from here for now${code}`,
      "wait, use an account, or run a server of your own",
    );
  }
  if (status >= 500) throw failed(`ntfy at ${host} is out of order (status ${status})`, "try again later");
  throw failed(
    `ntfy at ${host} did not take the message (status ${status})${code}`,
    "check the channel's server and topic",
  );
}

function isBusy({ status }: Reply): boolean {
  return status === 429 || status === 503;
}

/** How long the server wants us to wait: seconds or a date, as HTTP has it. */
function retryMs({ retryAfter }: Reply, clock: Clock): number {
  if (retryAfter === null) return RETRY_MS;
  const ms = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - clock.now();
  return Number.isNaN(ms) ? RETRY_MS : Math.max(0, ms);
}

function unreachable(error: unknown, host: string): VaultError {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && cause.message.includes("redirect")) {
    return failed(`ntfy at ${host} sends us elsewhere`, "put the address it redirects to into the channel's server");
  }
  // Only the code: the rest of the text may hold what was sent.
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const why = /^[A-Z_0-9]{1,60}$/.test(code) ? ` (${code})` : "";
  return failed(`ntfy at ${host} cannot be reached${why}`, "check the network and the channel's server");
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const cancel = clock.after(ms, resolve);
    signal.addEventListener(
      "abort",
      () => {
        cancel();
        reject(new Error("called off"));
      },
      { once: true },
    );
  });
}

function failed(message: string, hint: string): VaultError {
  return new VaultError("channel_unavailable", message, { hint });
}
