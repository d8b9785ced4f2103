import { VaultError } from "../../../../src/core/errors.ts";
import { codes, found, get, must, read, refusal, resolve, verify } from "../outcomes.ts";
import { door, sentence } from "../sentence.ts";

export const unknownNames = sentence("answers an unknown name with the close ones there are", [], async (stage) => {
  const backend = await stage.start([
    ["DB_PASSWORD", stage.secret("one")],
    ["STRIPE_KEY", stage.secret("two")],
  ]);
  const provider = await stage.open(backend);
  const error = await refusal(provider.resolve(["DB_PASWORD"], stage.signal));
  verify(error.code).toBe("secret_not_found");
  verify(error.message).toContain("DB_PASWORD");
  verify(error.hint).toContain("DB_PASSWORD");
  verify(error.hint).not.toContain("STRIPE_KEY");
  const nothingLikeIt = await refusal(provider.resolve(["QQQQQQQQQQ"], stage.signal));
  verify(nothingLikeIt.code).toBe("secret_not_found");
  verify(nothingLikeIt.hint).toBeTruthy();
});

export const partsOfNames = sentence("takes no part of a name for the name", [], async (stage) => {
  const backend = await stage.start([["PROD_DB_PASSWORD", stage.secret("one")]]);
  const provider = await stage.open(backend);
  const asked = ["DB_PASSWORD", "PROD_DB", "PROD", "PASSWORD", "PROD_DB_PASSWORD_2", "*", "PROD_DB_PASSWOR?", "%"];
  const outcomes = await provider.resolve(asked, stage.signal);
  verify(outcomes).toHaveLength(asked.length);
  for (const code of codes(outcomes)) verify(["secret_not_found", "invalid_name"]).toContain(code);
});

export const strangeNames = sentence("takes what is no name for an unknown one", [], async (stage) => {
  const backend = await stage.start([["DB_PASSWORD", stage.secret("one")]]);
  const provider = await stage.open(backend);
  const asked = ["", " ", "__proto__", "toString", "a\nb", "\0", "../DB_PASSWORD", "\u{1F511}", "x".repeat(10_000)];
  const outcomes = await provider.resolve(asked, stage.signal);
  verify(outcomes).toHaveLength(asked.length);
  for (const outcome of outcomes) {
    verify(outcome).toBeInstanceOf(VaultError);
    const { code, message } = outcome as VaultError;
    verify(["secret_not_found", "invalid_name"]).toContain(code);
    verify(message.length, "a message stays short").toBeLessThan(1_000);
    verify(message, "a message is one line").not.toMatch(/[\n\0]/);
  }
});

export const sameNames = sentence(
  "answers a name that several secrets have with which there are",
  [],
  async (stage) => {
    const backend = await stage.start([["DB_PASSWORD", stage.secret("one")]]);
    await door(backend, "add")("DB_PASSWORD", stage.secret("two"));
    const provider = await stage.open(backend);
    const error = await refusal(provider.resolve(["DB_PASSWORD"], stage.signal));
    verify(error.code).toBe("ambiguous");
    // What is offered has to work, or it is no way out.
    const offered = found(await provider.resolve(offersIn(error), stage.signal));
    verify(new Set(offered.map(({ ref }) => ref)).size, `${error.message}; ${error.hint}`).toBe(2);
  },
);

/** What a message offers: whatever stands in quotes, and single words. */
function offersIn({ message, hint = "" }: VaultError): string[] {
  const text = `${message} ${hint}`;
  return [
    ...new Set([...text.matchAll(/"([^"]+)"/g)].map((match) => must(match[1])).concat(text.split(/[\s,;()":]+/))),
  ];
}

export const batchesKeepOrder = sentence("keeps the order of a batch and tells of each name", [], async (stage) => {
  const [one, two] = [stage.secret("one"), stage.secret("two")];
  const backend = await stage.start([
    ["DB_PASSWORD", one],
    ["STRIPE_KEY", two],
  ]);
  const provider = await stage.open(backend);
  const asked = ["STRIPE_KEY", "NO_SUCH_NAME", "DB_PASSWORD", "STRIPE_KEY"];
  const outcomes = await provider.resolve(asked, stage.signal);
  verify(codes(outcomes)).toEqual(["ok", "secret_not_found", "ok", "ok"]);
  for (const [index, outcome] of outcomes.entries())
    if (!(outcome instanceof VaultError)) verify(outcome.name).toBe(asked[index]);
  const handles = found(outcomes);
  verify(must(handles[0]).ref, "the same secret has the same address").toBe(must(handles[2]).ref);
  verify(must(handles[0]).ref).not.toBe(must(handles[1]).ref);
  const values = await provider.read(handles, stage.signal);
  verify(values.map((value) => (value instanceof VaultError ? value.code : value.reveal()))).toEqual([two, one, two]);
  verify(await provider.resolve([], stage.signal)).toEqual([]);
  verify(await provider.read([], stage.signal)).toEqual([]);
});

export const hundredNames = sentence("takes a hundred names in one batch, and is quiet about it", [], async (stage) => {
  const stock = Array.from({ length: 100 }, (_, at) => [`KEY_${at}`, `hunter2-4711-${at}`] as const);
  const provider = await stage.open(await stage.start(stock));
  const complaints: unknown[] = [];
  const complain = (warning: Error): void => void complaints.push(warning.message);
  process.on("warning", complain);
  try {
    const asked = stock.toReversed();
    const handles = await resolve(stage, provider, ...asked.map(([name]) => name));
    verify(handles.map(({ name }) => name)).toEqual(asked.map(([name]) => name));
    verify(await read(stage, provider, handles)).toEqual(asked.map(([, value]) => value));
  } finally {
    process.off("warning", complain);
  }
  verify(complaints, "what Node has to say about it").toEqual([]);
});

export const namesOfAllScripts = sentence("finds a name in any script", ["list"], async (stage) => {
  const value = stage.secret("one");
  const name = "clé de l’été – ключ 鍵 \u{1F511}";
  const provider = await stage.open(await stage.start([[name, value]]));
  verify(await must(provider.list)(stage.signal)).toEqual([name]);
  verify(await get(stage, provider, name)).toBe(value);
});
