import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Front } from "../../src/core/card.ts";
import type { Clock } from "../../src/core/clock.ts";
import { frontOf } from "../../src/core/front.ts";
import type { Tunnel } from "../../src/core/ports.ts";
import type { Approvers } from "../../src/core/proof.ts";
import { createHub, type Hub } from "../../src/hub/hub.ts";
import { systemClock } from "../../src/wall-clock.ts";
import { createDoor } from "../../src/web/door.ts";
import { untilFree } from "../../src/web/listen.ts";
import { createWeb } from "../../src/web/server.ts";
import { FakeClock } from "./fake-clock.ts";
import { type House, NOBODY, startHouse } from "./house.ts";

/** A state folder of its own. */
export function stateFolder(name = "state"): string {
  const root = mkdtempSync(join(tmpdir(), "agent-vault-hub-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return join(root, name);
}

/** One session with a desk, a hub and, when it hosts, a page, all real but for the vault and the time. */
export interface Sharing {
  readonly house: House;
  readonly hub: Hub;
  /** What it said to people. */
  readonly said: string[];
  readonly faults: unknown[];
  /** Fronts of the pages it has come to host. */
  readonly hosted: Front[];
  /** The link of its newest request; waits for it. */
  readonly link: () => Promise<string>;
}

/** All sessions of a test see the same time, as the processes of one computer do. */
export const now = new FakeClock(Date.now());

export function share(
  folder: string,
  options: Parameters<typeof startHouse>[0] & {
    readonly create?: typeof createHub;
    readonly tunnel?: Tunnel;
    readonly approvers?: Approvers;
    /** Of its hub. */
    readonly time?: Clock;
  } = {},
): Sharing {
  const { create = createHub, tunnel, approvers = NOBODY, time = systemClock } = options;
  const said: string[] = [];
  const faults: unknown[] = [];
  const hosted: Front[] = [];
  const onFault = (error: unknown): void => void faults.push(error);
  const hub = create({
    folder,
    // Waits are real; what time it is says the clock of the test.
    clock: { ...time, now: now.now },
    get own() {
      return frontOf(house.desk);
    },
    moved: () => house.desk.moved(),
    hasTunnel: tunnel !== undefined,
    startDoor: (front, { port, formKey, isNeeded, moved }) => {
      hosted.push(front);
      return createDoor({
        clock: systemClock,
        startWeb: async () => {
          if (port !== undefined) await untilFree(port, systemClock);
          return createWeb({ front, approvers, clock: now, port: port ?? 0, formKey, onFault });
        },
        ...(tunnel && { tunnel }),
        isHeir: port !== undefined,
        isNeeded,
        moved,
        onTunnelFailed: () => undefined,
      });
    },
    onFault,
    say: (line) => void said.push(line),
  });
  onTestFinished(() => hub.close());
  const house = startHouse({ clock: now, ...options, desk: { ...options.desk, door: hub } });
  return {
    house,
    hub,
    said,
    faults,
    hosted,
    link: async () => {
      await until(() => house.desk.overview().waiting.length > 0);
      await hub.open();
      return hub.link(house.desk.overview().waiting.at(-1)?.token ?? "").local;
    },
  };
}

/** Resolves when it is so; looks every few ms. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
}
