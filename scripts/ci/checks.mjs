// The smallest of test runners: for checks that install packages and need the order they are written in.

/** Counts what was checked and prints each line as it ends. */
export function makeChecks(title) {
  const began = performance.now();
  let passed = 0;
  let failed = 0;
  return {
    /** Runs one check. Resolves to what it returns, to undefined when it failed. */
    check: async (name, run) => {
      const from = performance.now();
      try {
        const result = await run();
        passed += 1;
        console.log(`ok      ${seconds(from)}  ${name}`);
        return result;
      } catch (error) {
        failed += 1;
        console.log(`FAILED  ${seconds(from)}  ${name}\n${tell(error)}`);
        return undefined;
      }
    },
    /** Prints the closing line and sets the exit status. */
    close: () => {
      console.log(`\n${title}: ${((performance.now() - began) / 1_000).toFixed(0)} s`);
      console.log(`${title}: ${passed} passed, ${failed} failed`);
      if (failed > 0 || passed === 0) process.exitCode = 1;
    },
  };
}

function tell(error) {
  const [top, ...frames] = String(error instanceof Error ? error.stack : error).split("\n    at ");
  return [top, ...frames.slice(0, 3).map((frame) => `  at ${frame}`)].join("\n");
}

function seconds(from) {
  return `${((performance.now() - from) / 1_000).toFixed(1)} s`.padStart(8);
}
