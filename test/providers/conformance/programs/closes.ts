import { once } from "node:events";
import { VaultError } from "../../../../src/core/errors.ts";
import type { Provider } from "../../../../src/core/ports.ts";
import type { Handle } from "../../../../src/core/request.ts";
import type { ProviderContext } from "../../../../src/providers/define.ts";
import { contextHere } from "./context.ts";

/**
 * Uses a vault, says "used", and, told to, begins a call that nobody answers; then closes. Whether the process ends after
 * that is up to the provider: nothing here keeps it.
 */
export async function closes(open: (options: unknown, context: ProviderContext) => Promise<Provider>): Promise<void> {
  const options: unknown = JSON.parse(process.env["OPTIONS"] ?? "{}");
  const { signal } = new AbortController();
  const provider = await open(options, contextHere());
  const outcomes = await provider.resolve(["DB_PASSWORD"], signal);
  const handles = outcomes.filter((outcome): outcome is Handle => !(outcome instanceof VaultError));
  const values = await provider.read(handles, signal);
  await provider.check?.(signal);
  process.stdout.write(values.some((value) => value instanceof Error) || values.length !== 1 ? "failed\n" : "used\n");
  if (process.env["BUSY"] === "1") {
    // The backend has gone silent when the first line comes, and has the call in hand when the second does.
    await once(process.stdin, "data");
    provider.read(handles, signal).catch(() => {});
    await once(process.stdin, "data");
  }
  process.stdin.destroy();
  await provider.close?.();
  process.stdout.write("closed\n");
}
