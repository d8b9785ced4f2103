import type { Card } from "../../src/core/card.ts";
import { newKey, tokenOf } from "../../src/core/ids.ts";
import { hashOf, type Statement } from "../../src/core/statement.ts";
import { type Attack, NOTHING } from "../attack.ts";
import { post, sealIn, signedBy, signingOf } from "../person.ts";
import type { World } from "../world.ts";
import { eventually, finish } from "./steal.ts";

const needs = (): string | undefined => (process.platform === "win32" ? "this is about local sockets" : undefined);

/** The agent's own program at the desk of the person's sessions. */
function atDesk(world: World, role: string) {
  const { tools, state, program } = world.paths;
  return world.attacker.start([process.execPath, `${tools}/desk.mjs`, role, state, program], { withinMs: 20_000 });
}

/** A card that looks harmless, as a session that lies shows it. */
function harmless(offer: Card["offer"]): Card {
  const nobody = { claims: { client: "nice" }, facts: { user: "you", host: "here", folder: "/", process: "nice" } };
  return {
    vault: "dev",
    provider: "env",
    action: "read",
    items: [{ name: "HARMLESS", checked: true }],
    everyField: false,
    reason: "nothing of importance",
    requester: nobody,
    offer,
    configuration: "x",
    standing: { is: "waiting" },
    attached: 1,
    approvedBefore: 0,
    expiresAt: Date.now() + 600_000,
    pickupMs: 300_000,
    version: 1,
    revision: 1,
  };
}

/** What the liar wants signed: another secret than its card shows. */
function wanted({ vault, provider, action, reason, requester, configuration, expiresAt }: Card): Statement {
  return {
    v: 1,
    request: "r-1",
    nonce: "n-1",
    session: "s-1",
    vault,
    provider,
    action,
    secrets: [{ name: "API_KEY", ref: "API_KEY" }],
    open: [],
    scope: "secret",
    uses: 1,
    windowMs: 0,
    expiresAt,
    reason,
    requester,
    configuration,
  };
}

export const deskAttacks: readonly Attack[] = [
  {
    id: "desk-false-host",
    title: "takes the place of the host of the desk first, learns the links, and answers what comes",
    about: "desk",
    expected: { "link/same-user": "noticed", "passkey/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "the host learns cards and links, never values; the session that asked checks the signature itself",
    needs,
    isLight: true,
    world: { isQuiet: true },
    run: async (world) => {
      const host = atDesk(world, "host");
      // Under another account the folder is out of reach, and it ends at once.
      await Promise.race([eventually(() => host.said().out.includes("listening")), host.ended]);
      const session = await world.session();
      const call = session.get("API_KEY");
      if (world.isApart) await finish(world, { call, link: await world.link() });
      else {
        await eventually(() => host.said().out.includes("answered"));
        if (!host.said().out.includes("answered")) throw new Error(`the false host got nothing: ${host.said().err}`);
        await session.request("ping");
      }
      host.kill();
      return NOTHING;
    },
  },
  {
    id: "desk-visitor",
    title: "joins the desk as one more session and as a command, and asks for everything there is",
    about: "desk",
    expected: { "link/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "the host tells who waits, never a link, and answers only what is its to answer",
    needs,
    isLight: true,
    run: async (world) => {
      const asked = await world.ask();
      const { out } = await atDesk(world, "visitor").ended;
      await finish(world, asked);
      const token = asked.link.slice(asked.link.lastIndexOf("/") + 1);
      if (!world.isApart && !out.includes("API_KEY")) throw new Error(`the visitor was not even let in: ${out}`);
      return out.includes(token) ? { got: "the link of another session's request" } : NOTHING;
    },
  },
  {
    id: "desk-lying-host",
    title: "takes the place of the host, and shows a page of its own that lies: the person signs there",
    about: "desk",
    expected: { "passkey/same-user": "noticed", "passkey/other-user": "stopped" },
    why: "whoever hosts the page decides what it shows: any program of the same user can, and none of another",
    needs,
    world: { isQuiet: true },
    run: async (world) => {
      const { phone } = world.person;
      if (!phone) throw new Error("nobody is enrolled here");
      const host = atDesk(world, "host");
      await Promise.race([eventually(() => host.said().out.includes("listening")), host.ended]);
      const session = await world.session();
      const call = session.get("API_KEY");
      if (world.isApart) {
        await finish(world, { call, link: await world.link() });
        return NOTHING;
      }
      const found = (): string | undefined => /^statement (.+)$/m.exec(host.said().out)?.[1];
      await eventually(() => found() !== undefined);
      const statement = JSON.parse(found() ?? "{}") as Statement;
      const decision = { v: 1, decision: "approve", at: Date.now(), hashes: [hashOf(statement)] } as const;
      host.write(`${JSON.stringify(phone.signed(decision))}\n`);
      await eventually(() => /^signed /m.test(host.said().out));
      await session.request("ping");
      host.kill();
      return NOTHING;
    },
  },
  {
    id: "desk-lying-card",
    title: "joins the desk with a harmless card for what it wants, and has the person sign that on the genuine page",
    about: "desk",
    expected: { "passkey/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "the host has signed what the card shows, and nothing else",
    needs,
    control: [{ file: "src/hub/route.ts", from: "statement && isAsShown(statement, card, mine) ?", to: "statement ?" }],
    run: async (world) => {
      const { phone } = world.person;
      if (!phone) throw new Error("nobody is enrolled here");
      const asked = await world.ask();
      const key = newKey();
      const card = harmless({ windowMs: 0, scope: "secret", proof: "passkey" });
      const peer = atDesk(world, "peer");
      peer.write(`${JSON.stringify({ key, token: tokenOf(key), card, statement: wanted(card) })}\n`);
      const link = `${new URL(asked.link).origin}/approve/${tokenOf(key)}`;
      const isShown = await eventually(async () => (await world.person.page(link)).includes("HARMLESS"));
      if (!isShown && !world.isApart) throw new Error(`the lying card was not shown: ${JSON.stringify(peer.said())}`);
      // The person reads it, and sees no reason against it.
      const form = { seal: sealIn(await world.person.page(link)), verdict: "approve", choice: "once" };
      const signing = isShown ? await signingOf(link, form).catch(() => undefined) : undefined;
      if (signing) {
        const real = { seal: sealIn(await world.person.page(asked.link)), verdict: "approve", choice: "once" };
        await post(asked.link, { ...real, signed: signedBy(phone, signing) });
      }
      peer.kill();
      await finish(world, asked);
      const isTricked = signing?.decision.hashes.includes(hashOf(wanted(card))) === true;
      return isTricked ? { got: "a signature for something else than was shown" } : NOTHING;
    },
  },
  {
    id: "desk-garbage",
    title: "speaks nonsense to the desk's socket on 400 connections, megabytes and half messages",
    about: "desk",
    expected: { "link/same-user": "stopped", "passkey/other-user": "stopped" },
    why: "each line is checked, who sends what is none is cut off, and the page goes on",
    needs,
    run: async (world) => {
      const asked = await world.ask();
      await atDesk(world, "garbage").ended;
      await world.person.approve(asked.link);
      const { status } = await asked.call;
      return status === "ok" ? NOTHING : { got: `the person's own yes does not count any more: ${status}` };
    },
  },
  {
    id: "socket-squat",
    title: "puts a socket, a folder or a link of its own in the place of the broker's",
    about: "desk",
    expected: { "passkey/other-user": "stopped", "link/other-user": "stopped" },
    why: "the folder of the socket can be written to by the broker's account alone, and that is checked at the start",
    needs,
    run: async (world) => {
      const asked = await world.ask();
      const socket = (await world.socket()) ?? "";
      const { code } = await world.attacker.run([
        "sh",
        "-c",
        'rm -f "$1"; mv "$1" "$1.old"; ln -sf /nowhere "$1"; touch "$(dirname "$1")/mine"; mv "$(dirname "$1")" "$(dirname "$1").old"; test -e "$(dirname "$1")/mine" -o ! -S "$1"',
        "sh",
        socket,
      ]);
      await finish(world, asked);
      return code === 0 ? { got: "the socket of the broker is gone or another" } : NOTHING;
    },
  },
  {
    id: "socket-garbage",
    title: "floods the broker's socket with nonsense and false hellos",
    about: "desk",
    expected: { "passkey/other-user": "stopped", "link/other-user": "stopped" },
    why: "who does not say hello is sent away, seats are bounded, and sessions that are there go on",
    needs,
    run: async (world) => {
      const asked = await world.ask();
      await world.attacker.tool("socket.mjs", [(await world.socket()) ?? "", "200"], { withinMs: 15_000 });
      await world.person.approve(asked.link);
      const { status } = await asked.call;
      return status === "ok" ? NOTHING : { got: `the person's own yes does not count any more: ${status}` };
    },
  },
  {
    id: "socket-false-claims",
    title: "says over the broker's socket that it is another program in another folder",
    about: "desk",
    expected: { "passkey/other-user": "stopped" },
    why: "what comes over the socket is a claim and stands among the claims",
    needs,
    run: async (world) => {
      const socket = (await world.socket()) ?? "";
      const lies = world.attacker.start([process.execPath, `${world.paths.tools}/socket.mjs`, socket, "ask"], {
        withinMs: 20_000,
      });
      const page = await world.person.page(await world.link());
      lies.kill();
      const facts = page.slice(page.indexOf('class="facts"'));
      const isFact = /<dt>[^<]*(?:Folder|Started by|Program)[^<]*<\/dt>\s*<dd>[^<]*(?:<[^>]+>)*trusted-4711/i.test(
        facts,
      );
      if (!page.includes("trusted-4711")) throw new Error("the page does not show what was claimed");
      return isFact ? { got: "a claim stands among the facts" } : NOTHING;
    },
  },
];
