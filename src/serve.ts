import { statSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { dirname, resolve } from "node:path";
import { offers } from "./config/offers.ts";
import { assuranceText } from "./core/assurance.ts";
import { asVaultError, VaultError } from "./core/errors.ts";
import { levelOf } from "./core/isolation.ts";
import type { Requester } from "./core/request.ts";
import { clip, glimpse, quoted, visible } from "./core/text.ts";
import { type Fault, type House, isolationFacts, openHouse, type Say, type Whose } from "./house.ts";
import { findUser } from "./isolation/users.ts";
import { serveMcp } from "./mcp/server.ts";
import { transportOver } from "./mcp/stream.ts";
import { findGroup, type Group } from "./remote/group.ts";
import { type Caller, listen, type Listening } from "./remote/listen.ts";
import { systemClock } from "./wall-clock.ts";

/** The version of the program, put in by the build. */
declare const __VERSION__: string;

export interface ServeOptions {
  /** Where clients connect. */
  readonly socket: string;
  /** The group that may connect, by name; absent: that of the socket's folder. */
  readonly group?: string;
  /** The user whose agents connect, by name. Then nobody else may be in the group. */
  readonly user?: string;
  readonly say: Say;
  readonly onFault: Fault;
}

export interface RunningBroker {
  /** What an approval is worth here and what is missing, in sentences without a full stop. */
  readonly worth: () => Promise<readonly string[]>;
  /** The socket as it really lies. */
  readonly path: string;
  /** Ends what waits, as cancelled, every session, the page, the tunnel and the log. */
  readonly close: (why: string) => Promise<void>;
}

/**
 * Runs one broker for the clients of another user, over a socket. Each connection is a session of its own: its requests
 * and its windows end with it. Throws `usage` where the socket, the group or the user is not as it has to be.
 */
export async function startBroker(options: ServeOptions): Promise<RunningBroker> {
  const { socket, say, onFault } = options;
  if (process.platform === "win32") throw new VaultError("usage", "agent-vault serve needs Linux or macOS");
  const path = resolve(socket);
  const which = options.group ?? String(gidOf(dirname(path)));
  const group = await findGroup(which);
  const { user } = options;
  if (user !== undefined) await only(user, group, { isChosen: options.group !== undefined });
  const { loadConfig } = await import("./config/load.ts");
  const whose = { isServed: true, ...(user !== undefined && { findAgent: () => findUser(user) }) } as const;
  const house = await openHouse(loadConfig(), say, onFault, whose);
  const facts = {
    // Known by who may open the socket, and by nothing that is said over it.
    user: clip(visible(user ?? `anybody in the group ${group.name}`), 64),
    host: clip(visible(hostname()), 64),
  };
  let listening: Listening;
  try {
    listening = await listen({
      path,
      gid: group.gid,
      version: __VERSION__,
      clock: systemClock,
      refusal: refusalOf(user, { which, group, say }),
      serve: (caller) =>
        serveOne(caller, house, facts, options).catch((error: unknown) => {
          onFault(error);
          return 0;
        }),
    });
  } catch (error) {
    await house.close("the socket could not be opened");
    throw error;
  }
  return {
    path: listening.path,
    worth: () => worth(house, user, whose),
    close: async (why) => {
      listening.shut();
      // What waits is answered first, as cancelled, and then there is nothing more to say.
      const closed = house.close(why);
      await Promise.resolve();
      listening.end();
      await closed;
    },
  };
}

/**
 * Who may connect can change while the broker runs, and what is said of the agent has to hold for whoever connects now.
 * Where it does not, nobody is let in.
 */
function refusalOf(
  user: string | undefined,
  { which, group, say }: { readonly which: string; readonly group: Group; readonly say: Say },
): () => Promise<string | undefined> {
  if (user === undefined) return () => Promise.resolve(undefined);
  let said: string | undefined;
  return async () => {
    try {
      const now = await findGroup(which);
      if (now.gid !== group.gid) throw new VaultError("usage", `the group ${group.name} is not the one it was`);
      await only(user, now);
      said = undefined;
      return undefined;
    } catch (error) {
      const { message } = asVaultError(error);
      // Once: whoever is refused can come again without end.
      if (said !== message) say(`nobody is let in: ${message}`);
      said = message;
      return message;
    }
  };
}

async function worth({ config }: House, user: string | undefined, whose: Whose): Promise<readonly string[]> {
  const { rollOf } = await import("./enrol.ts");
  try {
    const { approvers } = rollOf(config);
    const { isolation } = levelOf(await isolationFacts(config, whose));
    const proof = approvers.length > 0 ? "passkey" : "link";
    const why = isolation === "same-user" ? ` (agent-vault doctor --for ${visible(user ?? "USER")} says why)` : "";
    return [
      `level here: ${assuranceText({ proof, isolation })}${why}`,
      ...(approvers.length > 0
        ? []
        : ["nobody is enrolled, so whoever has the link can approve; agent-vault pair enrols a phone"]),
    ];
  } catch (error) {
    const { message, hint } = asVaultError(error);
    return [hint === undefined ? message : `${message}; ${hint}`];
  }
}

/** One session, from its first message to its end. Resolves to how long its seat stays taken, ms. */
async function serveOne(
  { stream, hello }: Caller,
  { broker, config }: House,
  facts: Requester["facts"],
  { say, onFault }: ServeOptions,
): Promise<number> {
  const { approval } = config;
  const { folder, process: starter } = hello;
  const { closed, session } = await serveMcp(
    {
      version: __VERSION__,
      clock: systemClock,
      folder: "/",
      afar: {
        facts,
        claims: {
          ...(folder !== undefined && { folder: glimpse(folder, 200) }),
          ...(starter !== undefined && { process: glimpse(starter, 64) }),
        },
      },
      running: () => Promise.resolve({ broker, waitMs: approval.waitMs, linkInResults: approval.linkInResults }),
      offers: (capability) => Promise.resolve(offers(config, capability)),
      say,
      onFault,
    },
    transportOver(stream),
  );
  broker.beginSession(session);
  return broker.endSession(session, await closed) > 0 ? approval.expireMs : 0;
}

function gidOf(folder: string): number {
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats) return stats.gid;
  const hint = "make it, writable only by the user that runs the broker";
  throw new VaultError("usage", `the socket cannot be opened: ${visible(folder)} is not there`, { hint });
}

/** Throws unless there is that user and the group lets in nobody else: only then is it known who is behind the socket. */
async function only(name: string, group: Group, { isChosen = true } = {}): Promise<void> {
  if ((await findUser(name)) === undefined) {
    throw new VaultError("usage", `there is no user ${quoted(name)}`, { hint: "name the user the agents run as" });
  }
  const own = userInfo().username;
  if (name !== own && !group.members.includes(name)) {
    throw new VaultError("usage", `${visible(name)} may not use the socket: it is for the group ${group.name}`, {
      hint: isChosen && !isPowerful(group) ? `usermod -aG ${group.name} ${visible(name)}` : groupFor(name),
    });
  }
  const others = group.members.filter((member) => member !== name && member !== own);
  if (others.length > 0) {
    throw new VaultError(
      "usage",
      `others than ${visible(name)} may use the socket: ${others.slice(0, 5).map(visible).join(", ")}`,
      { hint: `take them out of the group ${group.name}, give --group another one, or leave --for out` },
    );
  }
}

/** Whether being in a group means more than a socket: whoever is put there could do more than use this. */
function isPowerful({ name, gid }: Group): boolean {
  return gid === 0 || /^(?:root|wheel|sudo|admin|adm|staff|disk|shadow|docker|lxd|libvirt)$/.test(name);
}

function groupFor(name: string): string {
  const own = "agent-vault-clients";
  return `make a group for it (groupadd --system ${own}), put ${visible(name)} into it (usermod -aG ${own} ${visible(name)}), and serve with --group ${own}`;
}
