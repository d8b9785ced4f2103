import { describe, expect, it } from "vitest";
import type { serveMcp } from "../../src/mcp/server.ts";
import { statusOf, textOf } from "../support/agent.ts";
import { settle } from "../support/house.ts";
import { loadPatched } from "../support/patched.ts";
import { enrol, type SigningHouse, startSigningHouse } from "../support/signing.ts";
import { asked, connect } from "./connect.ts";

const HOLD = 50_000;
const ARGS = { vault: "dev", name: "DATABASE_URL", reason: "run migration 0042" };

/** What a client is told of one call that it can bear no longer: in the result, and on the way there. */
async function pending(
  house: SigningHouse,
  options: { linkInResults?: boolean; serve?: typeof serveMcp } = {},
): Promise<{ result: string; progress: string; dialogs: readonly string[] }> {
  const dialogs: string[] = [];
  const { linkInResults = false, serve } = options;
  const agent = await connect(house, {
    ...(serve && { serve }),
    running: () => Promise.resolve({ broker: house.broker, waitMs: undefined, linkInResults }),
    elicit: (url) => void dialogs.push(url),
  });
  let progress = "";
  const call = agent.call("get_secret", ARGS, { onprogress: ({ message }) => void (progress += `${message}\n`) });
  await asked(house, 1);
  await settle();
  house.clock.advance(HOLD);
  const result = await call;
  expect(statusOf(result)).toBe("pending");
  return { result: textOf(result), progress, dialogs };
}

/** Whether a result holds a link that can approve by itself. */
async function leaks(serve?: typeof serveMcp): Promise<boolean> {
  const house = startSigningHouse({ isEnrolled: false });
  const { result } = await pending(house, serve ? { serve } : {});
  return result.includes(house.tokens[0] ?? "no token");
}

describe("the link", () => {
  it("is handed to the agent, for the person, where only a passkey approves", async () => {
    const house = startSigningHouse();
    const link = (): string => `http://localhost:9999/approve/${house.tokens[0]}`;
    const { result, progress, dialogs } = await pending(house);
    expect(result).toContain(`Give the user this link: ${link()} (`);
    expect(result).toContain("passkey");
    expect(progress).toContain(link());
    expect(dialogs).toEqual([expect.stringContaining(link())]);
  });

  it("is worth nothing to the agent that was handed it", async () => {
    const house = startSigningHouse();
    await pending(house);
    expect(await house.send("link")).toBe("not_proven");
    expect(house.card().standing.is).toBe("waiting");
  });

  it("goes only where the client shows it to the person while it could approve by itself", async () => {
    const house = startSigningHouse({ isEnrolled: false });
    const { result, progress, dialogs } = await pending(house);
    expect(result).not.toContain("/approve/");
    expect(result).not.toContain(house.tokens[0]);
    expect(progress).toContain(house.tokens[0]);
    expect(dialogs).toEqual([expect.stringContaining(house.tokens[0] ?? "no token")]);
  });

  it("would be seen in a result if nobody asked whether it approves", async () => {
    const plants = [{ file: "src/mcp/tools/define.ts", from: "|| !settled.wait.linkApproves", to: "|| true" }];
    const twin = (await loadPatched("src/mcp/server.ts", plants)) as { serveMcp: typeof serveMcp };
    expect(await leaks(twin.serveMcp)).toBe(true);
    expect(await leaks()).toBe(false);
  });

  it("stands in the result all the same where the configuration says so, without a word of a passkey", async () => {
    const house = startSigningHouse({ isEnrolled: false });
    const { result } = await pending(house, { linkInResults: true });
    expect(result).toContain(`Give the user this link: http://localhost:9999/approve/${house.tokens[0]}`);
    expect(result).not.toContain("passkey");
  });

  it("is handed over as soon as somebody was enrolled, also to a call that was waiting before", async () => {
    const house = startSigningHouse({ isEnrolled: false });
    const agent = await connect(house, {});
    const call = agent.call("get_secret", ARGS);
    await asked(house, 1);
    enrol(house);
    expect(house.card().offer.proof).toBe("passkey");
    house.clock.advance(HOLD);
    expect(textOf(await call)).toContain("Give the user this link:");
  });
});

describe("a request that waits behind others", () => {
  it("says so, in the result and on the way, without a link, and comes to its turn", async () => {
    const house = startSigningHouse({ desk: { maxCards: 1 } });
    const agent = await connect(house, { name: "test-client" });
    const first = agent.call("get_secret", ARGS);
    await asked(house, 1);
    const told: string[] = [];
    const second = agent.call(
      "get_secret",
      { ...ARGS, name: "STRIPE_KEY" },
      { onprogress: ({ message = "" }) => void told.push(message) },
    );
    await settle();
    expect(told).toEqual([
      'Waiting for its turn: 1 of your requests waits for an answer before it (reading STRIPE_KEY from vault "dev"), 15:00 left.',
    ]);
    house.clock.advance(HOLD);
    const result = textOf(await second);
    expect(result).toContain("waits for its turn: 1 of your requests waits for an answer before it");
    expect(result).not.toContain("/approve/");
    expect(statusOf(await first)).toBe("pending");
    const again = agent.call("get_secret", { ...ARGS, name: "STRIPE_KEY" });
    await house.deny(0);
    await asked(house, 2);
    await settle();
    await house.sign({ choice: "once" });
    expect(textOf(await again)).toBe("sk_live_canary_0815");
  });
});
