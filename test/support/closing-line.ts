import type { Reporter } from "vitest/node";

/** Ends the output with a line a machine can read: `tests: 12 passed, 0 failed, 1 skipped`. */
export function closingLine(): Reporter {
  return {
    onTestRunEnd: (modules, unhandled) => {
      const tests = modules.flatMap((module) => [...module.children.allTests()]);
      const count = (state: string): number => tests.filter((test) => test.result().state === state).length;
      // A file that does not even load has no test that could fail.
      const broken = modules.filter((module) => module.errors().length > 0).length + unhandled.length;
      console.log(
        `\ntests: ${count("passed")} passed, ${count("failed") + broken} failed, ${count("skipped")} skipped`,
      );
    },
  };
}
