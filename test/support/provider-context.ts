import type { Notes } from "../../src/core/ports.ts";
import type { ProviderContext } from "../../src/providers/define.ts";
import { FakeClock } from "./fake-clock.ts";

/** Notes in memory. Hand the same one to two providers and they are two processes of one user, or one before and after a restart. */
export function fakeNotes(): ProviderContext["notes"] {
  const scopes = new Map<string, Map<string, string>>();
  return (scope): Notes => {
    const records = scopes.get(scope) ?? new Map<string, string>();
    scopes.set(scope, records);
    const parsed = (text: string | undefined): unknown => (text === undefined ? undefined : JSON.parse(text));
    return {
      get: (key) => parsed(records.get(key)),
      all: () => new Map([...records].map(([key, text]) => [key, parsed(text)])),
      put: (key, record) => void records.set(key, JSON.stringify(record)),
      add: (key, record) => {
        if (records.has(key)) return false;
        records.set(key, JSON.stringify(record));
        return true;
      },
      swap: (key, from, to) => {
        if (records.get(key) !== JSON.stringify(from)) return false;
        if (to === undefined) records.delete(key);
        else records.set(key, JSON.stringify(to));
        return true;
      },
      delete: (key) => void records.delete(key),
      deleteIf: (key, mayGo) =>
        mayGo(new Map([...records].map(([each, text]) => [each, parsed(text)]))) && records.delete(key),
    };
  };
}

/** What a provider is opened with, in a world of its own. */
export function providerContext(own: Partial<ProviderContext> = {}): ProviderContext {
  return {
    folder: "/",
    workFolder: "/nowhere",
    version: "0.0.0-test",
    clock: new FakeClock(),
    warn: () => {},
    notes: fakeNotes(),
    ...own,
  };
}
