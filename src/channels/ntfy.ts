import * as z from "zod";
import type { Channel } from "../core/ports.ts";
import { Secret } from "../core/secret.ts";
import { defineChannel, type ChannelContext } from "./define.ts";
import { type NtfyMessage, ntfyMessage, ntfyNews } from "./ntfy-message.ts";
import { postToNtfy } from "./ntfy-post.ts";

const TOPIC = /^(?:env:\w+|[-_A-Za-z0-9]{1,64})$/;

/** A push message to the phone, by way of ntfy.sh or a server of one's own. */
export const ntfy = defineChannel({
  type: "ntfy",
  title: "ntfy",
  summary: "Sends the link to the ntfy app on your phone: vault, action and count, never the names of secrets",
  options: z.strictObject({
    topic: z
      .string()
      .regex(TOPIC, "a topic is 1 to 64 letters, digits, - and _")
      .describe(
        "Topic your phone subscribes to. It is essentially a password: whoever knows it reads the link and can answer in your place, so choose a long random one",
      ),
    server: z
      .string()
      .refine(isServer, "the server is an https address (http only for this computer) without password, ? and #")
      .default("https://ntfy.sh")
      .describe("Address of the ntfy server"),
    token: z
      .string()
      .trim()
      .regex(/^[\x21-\x7e]+$/, "an access token has no spaces or line breaks in it")
      .optional()
      .describe('Access token, where the topic is protected (a good idea), best as "env:NTFY_TOKEN"'),
  }),
  open: (options, context) => ntfyChannel(options, context),
});

interface NtfyOptions {
  readonly topic: string;
  readonly server: string;
  readonly token?: string | undefined;
}

function ntfyChannel({ topic, server, token }: NtfyOptions, { clock }: ChannelContext): Channel {
  const secret = token === undefined ? undefined : new Secret(token);
  const to = new Secret(topic);
  // Messages are posted to the root, or to the folder a reverse proxy serves ntfy from.
  const url = server.endsWith("/") ? server : `${server}/`;
  const send = async (message: NtfyMessage, signal: AbortSignal): Promise<void> => {
    if (signal.aborted) return;
    const body = JSON.stringify({ topic: to.reveal(), ...message });
    const authorization = secret === undefined ? undefined : `Bearer ${secret.reveal()}`;
    await postToNtfy({ url, body, authorization }, clock, signal);
  };
  return {
    name: "ntfy",
    ring: (notice, signal) => send(ntfyMessage(notice, clock.now()), signal),
    tell: (news, signal) => send(ntfyNews(news), signal),
  };
}

function isServer(text: string): boolean {
  if (text.startsWith("env:")) return true;
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(text);
  const loopback = hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
  return (protocol === "https:" || (protocol === "http:" && loopback)) && !(username || password || search || hash);
}
