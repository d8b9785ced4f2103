import { resolve } from "node:path";
import type { Command } from "./command.ts";
import { CLIENTS } from "./snippets.ts";

/** Every command there is, in the order the help lists them. */
export const commands: readonly Command[] = [
  {
    name: "init",
    summary: "set up this folder: a configuration, a file for secrets, and the lines for your client",
    options: {
      vault: { value: "NAME", summary: 'name of the first vault (default "local")' },
      client: { value: "CLIENT", summary: `show the lines for one client only: ${Object.keys(CLIENTS).join(", ")}` },
    },
    more: ["It overwrites nothing: what is there already stays as it is, and it says so."],
    run: async (context) => (await import("./init.ts")).init(context),
  },
  {
    name: "doctor",
    summary: "show what is configured, what works, and what protects you here",
    options: {
      json: { summary: "print one JSON object" },
      online: { summary: "also connect the tunnel for a moment" },
      for: { value: "USER", summary: "what protects you where this serves the agents of that user" },
    },
    more: ["It reads no secret. Exit status 1: something that is configured does not work."],
    run: async (context) => (await import("./doctor.ts")).doctor(context),
  },
  {
    name: "providers",
    summary: "show what can keep your secrets, and what to write for it",
    options: {
      type: { value: "TYPE", summary: "one kind of vault, with its options and an example" },
      json: { summary: "print JSON: a list, or with --type one object" },
    },
    run: async (context) => (await import("./providers.ts")).providers(context),
  },
  {
    name: "demo",
    summary: "try it: a throw-away vault, an agent that asks, and you decide",
    options: {},
    more: ["Nothing of yours is touched, no account is needed, and nothing is left behind."],
    run: async (context) => (await import("./demo.ts")).demo(context),
  },
  {
    name: "serve",
    summary: "run agent-vault as a user of its own, for the clients of another user",
    options: {
      socket: { value: "PATH", summary: "where clients connect: a path in a folder that only this user can write to" },
      group: { value: "GROUP", summary: "the group that may connect (default: that of the folder)" },
      for: { value: "USER", summary: "the user whose agents connect; nobody else may be in the group" },
    },
    more: [
      "It runs until it is ended by a signal. Each connection is a session of its own.",
      "How to set it up, and what it protects from: docs/other-user.md",
    ],
    run: async (context) => (await import("./serve.ts")).serve(context),
  },
  {
    name: "connect",
    summary: "connect an MCP client on standard input and output with agent-vault serve",
    words: [{ value: "SOCKET", summary: "the path that agent-vault serve listens at" }],
    options: {},
    more: ["It reads no configuration and holds no secret: your client starts it in the place of agent-vault."],
    run: async ({ words: [path = ""], cwd, services }) => services.connect(resolve(cwd, path), cwd),
  },
  {
    name: "pair",
    summary: "enrol a phone, whose passkey then signs every approval",
    options: {
      name: {
        value: "NAME",
        summary: 'what to call it (default "USER\'s phone", or "USER\'s computer" without a tunnel)',
      },
    },
    more: [
      "It opens a page for five minutes, shows its link here, and asks here for the code that the phone shows.",
      "It needs a terminal. Where somebody is enrolled already, one of them has to sign.",
    ],
    run: async (context) => (await import("./pair.ts")).pair(context),
  },
  {
    name: "approvers",
    summary: "show whose passkeys may approve, or remove one",
    options: {
      remove: { value: "NAME", summary: "remove this one; one who stays has to sign" },
      json: { summary: "print one JSON object" },
    },
    more: ["The last one signs for its own removal; after that the link alone approves again."],
    run: async (context) => (await import("./approvers.ts")).approvers(context),
  },
  {
    name: "get",
    summary: "get one secret, after a person approved it",
    words: [
      { value: "VAULT", summary: "the vault" },
      { value: "NAME", summary: "the secret: its name, or the vault's own reference to it" },
    ],
    options: {
      reason: { value: "TEXT", summary: "why it is needed: the person reads it before deciding (required)" },
      field: { value: "FIELD", summary: "only this field of it" },
    },
    more: [
      "Nothing but the value goes to standard output, without a line break after it unless that is a terminal.",
      "It is good for this once. Where the link alone approves, the link is shown on the terminal this was started",
      "from, in the browser or through a channel, and nowhere else; with a phone that is paired, also on standard error.",
    ],
    run: async (context) => (await import("./get.ts")).get(context),
  },
  {
    name: "status",
    summary: "show what waits for a person and what is open, in all your sessions",
    options: { json: { summary: "print one JSON object" } },
    more: ["It shows no link: those go to people. A broker that runs as another user is asked as that user."],
    run: async (context) => (await import("./status.ts")).status(context),
  },
  {
    name: "revoke",
    summary: "end what an approval opened, at once",
    words: [{ value: "ID", summary: "the approval, as agent-vault status lists it", optional: true }],
    options: { all: { summary: "everything that is open, in all your sessions" } },
    more: ["It needs no proof. What was already handed over stays handed over."],
    run: async (context) => (await import("./revoke.ts")).revoke(context),
  },
  {
    name: "audit",
    summary: "show who asked for what, and what came of it",
    options: {
      since: { value: "TIME", summary: "from this time on: 2026-11-20, 2026-11-20T14:30, or 30m, 12h, 7d ago" },
      until: { value: "TIME", summary: "up to this time" },
      vault: { value: "NAME", summary: "of this vault" },
      name: { value: "NAME", summary: "about this secret" },
      kind: { value: "KIND", summary: "of this kind: approved, denied, released, ..." },
      limit: { value: "COUNT", summary: "at most this many, the newest (default 100)" },
      json: { summary: "print one JSON object per line" },
      path: { summary: "print only where the database lies" },
    },
    more: [
      "The newest line comes last. The database can be read with sqlite3:",
      '  sqlite3 "$(agent-vault audit --path)" "SELECT * FROM audit ORDER BY timestamp DESC LIMIT 20"',
    ],
    run: async (context) => (await import("./audit.ts")).audit(context),
  },
];
