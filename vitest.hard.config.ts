import { defineConfig } from "vitest/config";
import usual from "./vitest.config.ts";

/** The same promises as `npm test`, with the full counts. Minutes, not seconds. */
export default defineConfig({
  ...usual,
  test: {
    ...usual.test,
    include: ["test/hard/**/*.test.ts"],
    exclude: [],
    testTimeout: 1_800_000,
    hookTimeout: 300_000,
  },
});
