import { createServer, type Server, type Socket } from "node:net";
import type { Front } from "../core/card.ts";
import type { Clock } from "../core/clock.ts";
import type { HeldFile } from "../state/held-file.ts";
import { groupsOf } from "./groups.ts";
import { HELLO_MS, otherVersion } from "./guest.ts";
import { clearAddress, type Place, shutOthersOut } from "./place.ts";
import { PROTOCOL } from "./protocol.ts";
import { reporter } from "./report.ts";
import { routeFront } from "./route.ts";
import type { HostedDoor, Seat, SeatOptions } from "./seat.ts";
import type { Heritage } from "./seat.ts";
import { NOTHING, remoteFront, type Session } from "./session.ts";
import { Sessions } from "./sessions.ts";
import type { Page } from "./shapes.ts";
import { type Served, type Wire, wireOver } from "./wire.ts";

/** How many may be connected: sessions, and commands that look in. */
const MOST_GUESTS = 256;
/** For how long a request may be unknown because its session is still on the way to a new host, or back to this one, ms. */
const ARRIVAL_MS = 1_500;

/** Hosts the page: for all who come when the lock and its place are given, else for this process alone. */
export async function hostDesk(
  held: { readonly place: Place; readonly lock: HeldFile } | undefined,
  heritage: Heritage,
  options: SeatOptions,
): Promise<Seat> {
  const { own, clock, startDoor, onFault, onPage } = options;
  const over = new AbortController();
  const sessions = new Sessions(clock.now());
  const ends: Front["endApproval"] = async (approval) => {
    const ended = await own.endApproval(approval);
    // Before the answer: whoever looks next sees what has ended.
    await report.now();
    return ended;
  };
  const mine: Session = { front: { ...own, endApproval: ends }, overview: NOTHING };
  sessions.add(mine);
  const wires = new Set<Wire>();
  const arrivals = arrivalsWithin(clock, sessions, heritage.port !== undefined);
  const groups = groupsOf({ sessions, arrivalsUntil: arrivals.until, changedUntil: arrivals.changedUntil });
  const front = routeFront({ sessions, groups, clock });
  let shared: ReadonlySet<string> = new Set();
  const sharedOf = async (session: Session): Promise<string[]> => {
    const tokens = sessions.twinned(session);
    const areShared = await Promise.all(tokens.map(groups.isShared));
    return tokens.filter((_, at) => areShared[at]);
  };

  let told = "";
  const tellAll = (): void => {
    const page = pageOf(door);
    if (!page || JSON.stringify(page) === told) return;
    told = JSON.stringify(page);
    onPage(page);
    for (const wire of wires) wire.tell("page", page);
  };
  const door: HostedDoor = startDoor(front, {
    formKey: heritage.formKey,
    ...(heritage.port !== undefined && { port: heritage.port }),
    isNeeded: () => sessions.isNeeded(),
    moved: tellAll,
  });
  const openDoor = async (): Promise<void> => {
    await door.open();
    tellAll();
  };

  const report = reporter(own, clock, (overview) => sessions.hear(mine, overview), over.signal);
  report.keepOn().catch(onFault);

  const seated = (wire: Wire): Session => {
    const session: Session = { front: remoteFront(wire), overview: NOTHING, cut: wire.end };
    wires.add(wire);
    sessions.add(session);
    const leave = async (): Promise<void> => {
      await wire.ended;
      wires.delete(wire);
      arrivals.expect();
      sessions.remove(session);
    };
    void leave();
    return session;
  };

  const receive = (socket: Socket): void => {
    let session: Session | undefined;
    let isVisitor = false;
    const served: Served = {
      calls: {
        hello: async ({ hub, as }) => {
          if (hub !== PROTOCOL) throw otherVersion();
          if (as === "visitor") isVisitor = true;
          else session ??= seated(wire);
          const page = pageOf(door);
          // A command that looks in has no page to seal.
          const formKey = isVisitor ? "" : heritage.formKey;
          return { hub: PROTOCOL, formKey, ...(page && !isVisitor && { page }) };
        },
        ping: () => {
          if (session) session.hangs = false;
          return Promise.resolve({});
        },
        open: async () => {
          if (!session) throw otherVersion();
          await openDoor();
          const page = pageOf(door);
          if (!page) throw otherVersion();
          return { page, shared: await sharedOf(session) };
        },
        overview: async () => {
          await report.now();
          const { waiting, ...rest } = sessions.overview();
          return { ...rest, waiting: waiting.map((line) => ({ ...line, token: "" })) };
        },
        endApproval: ({ approval }) => front.endApproval(approval),
      },
      news: {
        overview: (overview) => {
          if (session) sessions.hear(session, overview);
          else wire.end();
        },
      },
    };
    const wire = wireOver(socket, served, clock);
    clock.after(HELLO_MS, () => {
      if (!session && !isVisitor) wire.end();
    });
  };

  const server = held && (await listen(held.place, receive));
  return {
    is: held ? "host" : "alone",
    open: async () => {
      await report.now();
      await openDoor();
      shared = new Set(await sharedOf(mine));
    },
    resume: async () => {
      await door.listen();
      tellAll();
    },
    settled: () => door.settled(),
    isShared: (token) => shared.has(token),
    lost: new Promise(() => {}),
    isLost: () => false,
    heritage: () => heritage,
    close: async () => {
      over.abort();
      const closing = door.close();
      // Its address goes before the lock does, or that of the next host would go with it.
      server?.close();
      held?.lock.leave();
      for (const wire of wires) wire.end();
      await closing;
    },
  };
}

function listen(place: Place, receive: (socket: Socket) => void): Promise<Server> {
  clearAddress(place);
  const server = createServer(receive);
  server.maxConnections = MOST_GUESTS;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path: place.socket }, () => {
      server.removeAllListeners("error");
      // A broken connection later on is that connection's end, not the server's.
      server.on("error", () => undefined);
      try {
        shutOthersOut(place);
        resolve(server);
      } catch (error) {
        server.close();
        reject(error);
      }
    });
  });
}

/** The links of a page, without a token; undefined while it is not open. */
function pageOf(door: HostedDoor): Page | undefined {
  try {
    return { ...door.link(""), isSettled: door.isSettled() };
  } catch {
    // It throws while there is no page, which is all there is to say of it.
    return undefined;
  }
}

/** For how long sessions may still be on their way here: after a host before this one has gone, or one was cut off. */
function arrivalsWithin(clock: Clock, sessions: Sessions, hasPredecessor: boolean) {
  let until = hasPredecessor ? clock.mono() + ARRIVAL_MS : Number.NEGATIVE_INFINITY;
  return {
    expect: () => (until = clock.mono() + ARRIVAL_MS),
    until: () => until,
    changedUntil: async (version: number, until: number) => {
      const left = until - clock.mono();
      if (left <= 0) return false;
      const enough = new AbortController();
      const cancel = clock.after(left, () => enough.abort());
      // Any change may be the one that was waited for.
      await sessions.changed(version, enough.signal);
      cancel();
      return true;
    },
  };
}
