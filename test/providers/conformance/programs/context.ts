import { performance } from "node:perf_hooks";
import type { ProviderContext } from "../../../../src/providers/define.ts";
import { fakeNotes } from "../../../support/provider-context.ts";

/** A context with the time of this process; as in the product, waiting keeps nothing alive. */
export function contextHere(): ProviderContext {
  return {
    folder: "/",
    workFolder: "/nowhere",
    version: "0.0.0-test",
    clock: {
      now: () => Date.now(),
      mono: () => performance.now(),
      after: (ms, run) => {
        const timer = setTimeout(run, ms).unref();
        return () => clearTimeout(timer);
      },
    },
    warn: () => {},
    notes: fakeNotes(),
  };
}
