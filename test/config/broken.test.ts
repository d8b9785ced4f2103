import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { problemText } from "../../src/config/problem.ts";
import { loadPatched } from "../support/patched.ts";
import { loadText, makeFolder, problemsOf } from "./folder.ts";

/** A vault `dev` with this inside, on line 3 of the file. */
const dev = (inside: string): string => `{\n  "vaults": {\n    "dev": { ${inside} }\n  }\n}\n`;
/** A good vault and this beside it, on line 3 of the file. */
const top = (beside: string): string => `{\n  "vaults": { "dev": { "type": "env" } },\n  ${beside}\n}\n`;

/** A 1Password vault with this inside, on line 3 of the file. */
const op = (inside: string): string => dev(`"type": "1password"${inside === "" ? "" : ", "}${inside}`);
const TOKEN = '"serviceAccountToken": "env:UNSET_4711"';

/** What is written, and what is said of it: path, line, and words of the message or hint. */
type Row = readonly [text: string, ...problems: (readonly [path: string, line: number | undefined, words: string])[]];

const rows: Record<string, Row> = {
  "an empty file": ["", ["", undefined, "is empty"]],
  "only a comment": ["// nothing yet", ["", undefined, "is empty"]],
  null: ["null", ["", 1, "must be an object between { and }, not null"]],
  "a list": ["[]", ["", 1, "not a list"]],
  "a text": ['"env"', ["", 1, "not a text"]],
  "an unclosed brace": ['{\n "vaults": {\n', ["", 3, "never closed"]],
  "a missing comma": ['{\n "vaults": { "a": {} }\n "port": 1\n}', ["", 3, "lacks a comma"]],
  "keys without quotes": ["{\n vaults: {} }", ["", 2, "double quotes"]],
  "single quotes": ["{\n 'vaults': {} }", ["", 2, "double quotes"]],
  "a lone backslash in a path": [dev('"file": "C:\\secrets\\.env"'), ["", 3, "C:/secrets/.env"]],
  "two documents": ['{ "vaults": { "a": {} } }\n{}', ["", 2, "goes on after its end"]],
  "an unclosed text": ['{\n "vaults', ["", 2, "never closed"]],
  "an unclosed comment": ['{\n /* "vaults": {} }', ["", 2, "never closed"]],
  "a hundred thousand brackets": ["[".repeat(100_000), ["", undefined, "nested too deeply"]],
  "a key written twice": [dev('"writable": false, "writable": true'), ["vaults.dev.writable", 3, "written twice"]],
  "__proto__ as a vault": [
    '{ "vaults": { "a": {}, "__proto__": { "writable": true } } }',
    ["vaults.__proto__", 1, "not a key"],
  ],
  "no vaults at all": ["{}", ["vaults", 1, "is missing"]],
  "vaults without a vault": ['{ "vaults": {} }', ["vaults", 1, "has no vault"]],
  "vaults as a list": ['{ "vaults": [] }', ["vaults", 1, "not a list"]],
  "a vault that is null": ['{ "vaults": { "dev": null } }', ["vaults.dev", 1, "not null"]],
  "a vault that is a text": ['{ "vaults": { "dev": "env:hunter2_4711" } }', ["vaults.dev", 1, "not a text"]],
  "a negative ttl": [dev('"ttl": -5'), ["vaults.dev.ttl", 3, "at least 0"]],
  "a ttl in quotes": [dev('"ttl": "15"'), ["vaults.dev.ttl", 3, "write 15 without quotes"]],
  "a ttl in words": [dev('"ttl": "soon"'), ["vaults.dev.ttl", 3, "must be a number, not a text"]],
  "a ttl beyond a day": [dev('"ttl": 1e15'), ["vaults.dev.ttl", 3, "at most 1440"]],
  "a ttl that is infinite": [dev('"ttl": 1e999'), ["vaults.dev.ttl", 3, "must be a number"]],
  "a ttl from a variable": [dev('"ttl": "env:TTL"'), ["vaults.dev.ttl", 3, "cannot come from a variable"]],
  "a ttl that is null": [dev('"ttl": null'), ["vaults.dev.ttl", 3, "not null"]],
  "a scope with a typo": [dev('"ttlScope": "vualt"'), ["vaults.dev.ttlScope", 3, 'did you mean "vault"?']],
  "a scope in capitals": [dev('"ttlScope": "Vault"'), ["vaults.dev.ttlScope", 3, 'did you mean "vault"?']],
  "a scope from a variable": [dev('"ttlScope": "env:S"'), ["vaults.dev.ttlScope", 3, "cannot come from a variable"]],
  'writable: "false"': [dev('"writable": "false"'), ["vaults.dev.writable", 3, "write false without quotes"]],
  'writable: "true"': [dev('"writable": "true"'), ["vaults.dev.writable", 3, "write true without quotes"]],
  "writable: 1": [dev('"writable": 1'), ["vaults.dev.writable", 3, "write true or false"]],
  'writable: "env:W"': [dev('"writable": "env:W"'), ["vaults.dev.writable", 3, "cannot come from a variable"]],
  "an unknown key": [dev('"tll": 15'), ["vaults.dev.tll", 3, 'did you mean "ttl"?']],
  "an unknown key that refers to an unset variable": [
    dev('"fiel": "env:UNSET_4711"'),
    ["vaults.dev.fiel", 3, 'did you mean "file"?'],
  ],
  "an unknown key like no other": [
    dev('"colour": 1'),
    ["vaults.dev.colour", 3, "vaults.dev knows type, ttl, ttlScope, writable, require, minAssurance, file"],
  ],
  "an unknown type": [dev('"type": "bitwarden"'), ["vaults.dev.type", 3, 'known here: "env"']],
  "a type with a typo": [dev('"type": "evn"'), ["vaults.dev.type", 3, 'did you mean "env"?']],
  "a type that is nearly right": [dev('"type": "1passwrod"'), ["vaults.dev.type", 3, 'did you mean "1password"?']],
  "a type that is nearly one that comes later": [
    dev('"type": "delinaa"'),
    ["vaults.dev.type", 3, 'did you mean "delinea"? this version does not have it yet'],
  ],
  "rules of a vault whose type comes later": [
    dev('"type": "delinea", "server": "https://x.example", "ttl": "9", "ttlScope": "all", "writable": "perhaps"'),
    ["vaults.dev.ttl", 3, "write 9 without quotes"],
    ["vaults.dev.ttlScope", 3, "What an approval window covers"],
    ["vaults.dev.writable", 3, "write true or false"],
  ],
  "a reference to nothing in a vault whose type comes later": [
    dev('"type": "hashicorp-vault", "token": "env:"'),
    ["vaults.dev.token", 3, "refers to no variable"],
  ],
  "a vault that is null beside one that is right": [
    '{ "vaults": { "dev": {},\n"bad": null } }',
    ["vaults.bad", 2, "not null"],
  ],
  "a webhook that is null before one that is wrong": [
    top('"webhooks": [null, { "url": "hunter2-4711" }]'),
    ["webhooks[0]", 3, "not null"],
    ["webhooks[1].url", 3, "is not an address"],
  ],
  "a channel that is a number beside one that lacks a variable": [
    top('"channels": [{ "type": "ntfy", "topic": "env:UNSET_4711" }, 7]'),
    ["channels[1]", 3, "not a number"],
  ],
  "1Password without its token": [op(""), ["vaults.dev.serviceAccountToken", 3, "is missing"]],
  "1Password's token with another name": [
    op('"serviceAcountToken": "env:T"'),
    ["vaults.dev.serviceAccountToken", 3, "is missing"],
    ["vaults.dev.serviceAcountToken", 3, 'did you mean "serviceAccountToken"?'],
  ],
  "a key of another name in a vault that cannot be written to": [
    dev('"type": "12port", "server": "https://x.example", "tenant": "a", "token": "env:T", "colour": 1'),
    ["vaults.dev.colour", 3, "vaults.dev knows type, ttl, ttlScope, require, minAssurance, server"],
  ],
  "a category like no other": [
    op(`${TOKEN}, "write": { "category": "colour" }`),
    [
      "vaults.dev.write.category",
      3,
      'must be one of "login", "password", "apiCredentials", "secureNote", "database", "server": ',
    ],
  ],
  "ids that are one text": [op(`${TOKEN}, "vaultIds": "abc"`), ["vaults.dev.vaultIds", 3, "put it between [ and ]"]],
  "no ids at all": [op(`${TOKEN}, "vaultIds": []`), ["vaults.dev.vaultIds", 3, "is empty"]],
  "an id that is a number": [op(`${TOKEN}, "vaultIds": ["a", 7]`), ["vaults.dev.vaultIds[1]", 3, "in double quotes"]],
  "a place to write that is a text": [
    op(`${TOKEN}, "write": "abc"`),
    ["vaults.dev.write", 3, "it holds vaultId, category"],
  ],
  "a key inside another with a typo": [
    op(`${TOKEN}, "write": {\n"vaultID": "abc" }`),
    ["vaults.dev.write.vaultID", 4, 'did you mean "vaultId"?'],
  ],
  "a category with a typo": [
    op(`${TOKEN}, "write": { "category": "logn" }`),
    ["vaults.dev.write.category", 3, 'did you mean "login"?'],
  ],
  "writable without a place to write": [
    op(`${TOKEN}, "writable": true`),
    ["vaults.dev.write.vaultId", 3, "is missing, so there is nowhere"],
  ],
  "writable without a place in what is written below it": [
    op(`${TOKEN}, "writable": true,\n"write": {\n"category": "login" }`),
    ["vaults.dev.write.vaultId", 4, "is missing, so there is nowhere"],
  ],
  "a place to write outside of what may be used": [
    op(`${TOKEN}, "vaultIds": ["abc"],\n"write": { "vaultId": "abd" }`),
    ["vaults.dev.write.vaultId", 4, "is not one of vaultIds"],
  ],
  "what does not go together, beside what is wrong by itself": [
    op(`${TOKEN}, "writable": true, "tll": 3`),
    ["vaults.dev.tll", 3, 'did you mean "ttl"?'],
    ["vaults.dev.write.vaultId", 3, "is missing"],
  ],
  "writable where nothing can be written": [
    dev('"type": "12port", "server": "https://x.example", "tenant": "a", "token": "env:T", "writable": true'),
    ["vaults.dev.writable", 3, "cannot be written to"],
  ],
  "12Port's server without https": [
    dev('"type": "12port", "server": "x.example", "tenant": "a", "token": "env:T"'),
    ["vaults.dev.server", 3, "must be https://host or https://host:port, with nothing behind it: Address of"],
  ],
  "12Port's server, tenant and token without a word": [
    dev('"type": "12port", "server": "",\n"tenant": "",\n"token": ""'),
    ["vaults.dev.server", 3, "is empty: Address of"],
    ["vaults.dev.tenant", 4, "is empty: Name of"],
    ["vaults.dev.token", 5, "is empty: API token"],
  ],
  "a number from a variable": [
    dev('"type": "12port", "server": "https://x.example", "tenant": "a", "token": "env:T", "pollSeconds": "env:P"'),
    ["vaults.dev.pollSeconds", 3, "cannot come from a variable"],
  ],
  "a list from a variable": [op(`${TOKEN}, "vaultIds": "env:IDS"`), ["vaults.dev.vaultIds", 3, "between [ and ]"]],
  "an asset's id that is none": [
    dev('"type": "12port", "server": "https://x.example", "tenant": "a", "token": "env:T", "assets": { "db": "a/b" }'),
    ["vaults.dev.assets.db", 3, "must be the id that stands in the asset's address: Names for asset ids"],
  ],
  "an asset whose name is empty": [
    dev('"type": "12port", "server": "https://x.example", "tenant": "a", "token": "env:T", "assets": { "": "ab" }'),
    ['vaults.dev.assets[""]', 3, "has a name that is empty"],
  ],
  "an empty file option": [dev('"file": ""'), ["vaults.dev.file", 3, "is empty"]],
  "a file that is a number": [dev('"file": 7'), ["vaults.dev.file", 3, "put it in double quotes"]],
  "a reference to nothing": [dev('"file": "env:"'), ["vaults.dev.file", 3, "refers to no variable"]],
  "a reference with a dash": [dev('"file": "env:MY-VAR"'), ["vaults.dev.file", 3, "refers to no variable"]],
  "a vault name with a slash": ['{ "vaults": { "a/b": {} } }', ['vaults["a/b"]', 1, "not a name for a vault"]],
  "a vault name that is empty": ['{ "vaults": { "": {} } }', ['vaults[""]', 1, "not a name for a vault"]],
  "a vault name with an invisible letter": [
    '{ "vaults": { "de\u200bv": {} } }',
    ['vaults["de⟦U+200B⟧v"]', 1, "not a name for a vault"],
  ],
  "a vault name without end": [
    `{ "vaults": { "${"x".repeat(65)}": {} } }`,
    [`vaults["${"x".repeat(59)}…"]`, 1, "1 to 64"],
  ],
  "an unknown key at the top": [top('"prot": 1'), ["prot", 3, 'did you mean "port"?']],
  "policy, which does nothing yet": [top('"policy": []'), ["policy", 3, "not a known key"]],
  "port 0": [top('"port": 0'), ["port", 3, "at least 1"]],
  "port 70000": [top('"port": 70000'), ["port", 3, "at most 65535"]],
  "port with a fraction": [top('"port": 80.5'), ["port", 3, "must be a whole number"]],
  "port as a path": [top('"port": "/tmp/hunter2-4711.sock"'), ["port", 3, "must be a number, not a text"]],
  "webhooks that are one object": [
    top('"webhooks": { "url": "https://a.example" }'),
    ["webhooks", 3, "must be a list"],
  ],
  "a webhook without url": [top('"webhooks": [{}]'), ["webhooks[0].url", 3, "is missing"]],
  "a webhook that is an address": [
    top('"webhooks": ["https://hunter2-4711.example"]'),
    ["webhooks[0]", 3, "not a text"],
  ],
  "a webhook with a garbage url": [
    top('"webhooks": [{ "url": "hunter2-4711" }]'),
    ["webhooks[0].url", 3, "is not an address"],
  ],
  "a webhook without encryption": [
    top('"webhooks": [{ "url": "http://a.example/hunter2-4711" }]'),
    ["webhooks[0].url", 3, "https://"],
  ],
  "an event with a typo": [
    top('"webhooks": [{ "url": "https://a.example", "events": ["denied", "aproved"] }]'),
    ["webhooks[0].events[1]", 3, 'did you mean "approved"?'],
  ],
  "all in a list": [
    top('"webhooks": [{ "url": "https://a.example", "events": "ALL" }]'),
    ["webhooks[0].events", 3, 'did you mean "all"?'],
  ],
  "no events": [
    top('"webhooks": [{ "url": "https://a.example", "events": [] }]'),
    ["webhooks[0].events", 3, "is empty"],
  ],
  "events that are a number": [
    top('"webhooks": [{ "url": "https://a.example", "events": 4 }]'),
    ["webhooks[0].events", 3, "cannot be a number"],
  ],
  "an approval key with a typo": [
    top('"approval": { "expireMinuets": 5 }'),
    ["approval.expireMinuets", 3, 'did you mean "expireMinutes"?'],
  ],
  "expiry at once": [top('"approval": { "expireMinutes": 0 }'), ["approval.expireMinutes", 3, "at least 0.1"]],
  "nobody may wait": [top('"approval": { "maxWaiting": 0 }'), ["approval.maxWaiting", 3, "at least 1"]],
  "a pickup of a week": [top('"approval": { "pickupSeconds": 604800 }'), ["approval.pickupSeconds", 3, "at most 3600"]],
  'linkInResults: "true"': [
    top('"approval": { "linkInResults": "true" }'),
    ["approval.linkInResults", 3, "write true without quotes"],
  ],
  "browser: true": [top('"approval": { "browser": true }'), ["approval.browser", 3, 'write "always"']],
  "an unknown tunnel": [top('"tunnel": { "type": "ngork" }'), ["tunnel.type", 3, 'did you mean "ngrok"?']],
  "a tunnel without type": [top('"tunnel": {}'), ["tunnel.type", 3, 'known here: "ngrok", "none"']],
  "a tunnel that is a text": [top('"tunnel": "env:T"'), ["tunnel", 3, "not a text"]],
  "a domain with a scheme": [
    top('"tunnel": { "type": "ngrok", "domain": "https://x.example" }'),
    ["tunnel.domain", 3, "without https://"],
  ],
  "an unknown channel": [top('"channels": [{ "type": "nfty" }]'), ["channels[0].type", 3, 'did you mean "ntfy"?']],
  "a channel without its topic": [top('"channels": [{ "type": "ntfy" }]'), ["channels[0].topic", 3, "is missing"]],
  "a token that is empty": [top('"ngrokAuthToken": ""'), ["ngrokAuthToken", 3, "is empty"]],
  "a token that is a number": [top('"ngrokAuthToken": 24711'), ["ngrokAuthToken", 3, "put it in double quotes"]],
  "a database from a variable": [top('"audit": { "database": "env:DB" }'), ["audit.database", 3, "AGENT_VAULT_DB"]],
  "several things at once": [
    '{\n  "vaults": {\n    "dev": {\n      "tll": 3,\n      "ttl": "15"\n    },\n    "x": { "type": "evn" }\n  },\n  "prt": 1\n}',
    ["vaults.dev.tll", 4, "ttl"],
    ["vaults.dev.ttl", 5, "write 15"],
    ["vaults.x.type", 7, "env"],
    ["prt", 9, "port"],
  ],
};

describe("a configuration that is wrong", () => {
  it("is tried in at least forty ways", () => {
    expect(Object.keys(rows).length).toBeGreaterThan(40);
  });

  it.each(Object.entries(rows))("names the place and the remedy: %s", async (_, [text, ...wanted]) => {
    const result = await loadText(text);
    expect(result.ok).toBe(false);
    const found = problemsOf(result);
    const summary = found.map(({ path, line }) => [path, line]);
    expect(summary).toEqual(wanted.map(([path, line]) => [path, line]));
    for (const [i, [, , words]] of wanted.entries()) {
      expect(`${found[i]?.message}: ${found[i]?.hint}`).toContain(words);
      expect(found[i]?.hint.length, "there is a hint").toBeGreaterThan(0);
    }
  });

  it.each(Object.entries(rows))("says so in one line that an agent can pass on: %s", async (_, [text]) => {
    const result = await loadText(text);
    if (result.ok) throw new Error("this is right");
    expect(result.error.code).toBe("config_invalid");
    expect(result.error.message).toMatch(/agent-vault\.config\.json: /);
    expect(result.error.hint).toContain("agent-vault doctor");
    for (const line of [result.error.message, result.error.hint, ...result.problems.map(problemText)]) {
      expect(line).not.toMatch(/[\r\n\u0000-\u001f\u200b]/);
      expect(line).not.toMatch(/undefined|\[object|NaN|zod|Invalid input/);
    }
  });
});

describe("a value in the wrong place", () => {
  const canary = "hunter2-4711-canary";
  const places = [
    dev(`"ttl": "${canary}"`),
    dev(`"ttlScope": "${canary}"`),
    dev(`"writable": "${canary}"`),
    dev(`"type": "${canary}"`),
    dev(`"file": ["${canary}"]`),
    dev(`"file": "env:${canary}"`),
    dev(`"token": "${canary}"`),
    dev(`"ttl": 1, "ttl": "${canary}"`),
    `{ "vaults": "${canary}" }`,
    `{ "vaults": { "dev": "${canary}" } }`,
    `{ "vaults": { "dev": {} }, "ngrokAuthToken": ["${canary}"] }`,
    `{ "vaults": { "dev": {} } } "${canary}"`,
    `{ "vaults": { "dev": { "file": "${canary} } }`,
    `"${canary}"`,
    canary,
    top(`"ngrokAuthToken": "${canary}", "prot": 1`),
    top(`"token": "${canary}"`),
    top(`"port": "${canary}"`),
    top(`"approval": "${canary}"`),
    top(`"approval": { "browser": "${canary}" }`),
    top(`"audit": { "database": ["${canary}"] }`),
    top(`"tunnel": { "type": "ngrok", "domain": "${canary}/" }`),
    top(`"tunnel": { "type": "ngrok", "authToken": "${canary} ${canary}" }`),
    top(`"tunnel": { "type": "${canary}" }`),
    top(`"channels": [{ "type": "ntfy", "topic": "${canary}!", "token": 1 }]`),
    top(`"channels": [{ "type": "${canary}" }]`),
    top(`"webhooks": [{ "url": "${canary}" }]`),
    top(`"webhooks": [{ "url": "http://x.example/${canary}" }]`),
    top(`"webhooks": [{ "url": "https://x.example", "authorization": { "x": "${canary}" } }]`),
    top(`"webhooks": [{ "url": "https://x.example", "events": "${canary}" }]`),
    top(`"webhooks": [{ "url": "https://x.example", "events": ["${canary}"] }]`),
    op(`"serviceAccountToken": ["${canary}"]`),
    op(`"serviceAccountToken": "${canary}", "writable": true`),
    op(`"serviceAccountToken": "${canary}", "vaultIds": "${canary}"`),
    op(`"serviceAccountToken": "${canary}", "vaultIds": ["x"], "write": { "vaultId": "${canary}" }`),
    op(`"serviceAccountToken": "${canary}", "write": { "category": "${canary}" }`),
    op(`"serviceAccountToken": "${canary}", "write": "${canary}"`),
    op(`"serviceAccountToken": "${canary}", "ttl": "${canary}"`),
    dev(`"type": "12port", "server": "${canary}", "tenant": "a", "token": "${canary}"`),
    dev(`"type": "12port", "server": "https://x.example", "tenant": "a/${canary}", "token": "a ${canary}"`),
    dev(
      `"type": "12port", "server": "https://x.example", "tenant": "a", "token": "b", "assets": { "a": "/${canary}" }`,
    ),
    dev(`"type": "12port", "server": "https://x.example", "tenant": "a", "token": "${canary}", "writable": true`),
    dev(`"type": "delinea", "token": "${canary}", "ttlScope": "${canary}"`),
  ];

  /** Whether anything that is said of this text holds the canary. */
  async function repeats(load: typeof loadConfig, text: string): Promise<boolean> {
    const folder = makeFolder();
    folder.write("agent-vault.config.json", text);
    const result = await load({ cwd: folder.cwd, variables: { HOME: folder.home } });
    if (result.ok) throw new Error("this is right");
    return JSON.stringify([result.error.message, result.error.hint, result.problems]).includes(canary);
  }

  it.each(places)("is never repeated: %s", async (text) => {
    expect(await repeats(loadConfig, text)).toBe(false);
  });

  it("would be seen if it were repeated", async () => {
    const plant = { file: "src/config/explain.ts", from: "not ${kindOf(there)}`", to: "not ${JSON.stringify(there)}`" };
    const patched = (await loadPatched("src/config/load.ts", [plant])) as { loadConfig: typeof loadConfig };
    const found = await Promise.all(places.map((text) => repeats(patched.loadConfig, text)));
    expect(found.filter((repeated) => repeated).length).toBeGreaterThan(10);
  });

  it("cannot be a number where it came from a variable, whatever it is", async () => {
    const port = '"type": "12port", "server": "https://x.example", "tenant": "a", "token": "b", "pollSeconds": "env:P"';
    const found = problemsOf(await loadText(dev(port), { P: "20" }));
    expect(found).toMatchObject([{ path: "vaults.dev.pollSeconds", hint: expect.stringContaining("cannot come") }]);
  });

  it("is never repeated when it came from a variable", async () => {
    const text = top('"webhooks": [{ "url": "env:HOOK" }], "tunnel": { "type": "ngrok", "domain": "env:DOMAIN" }');
    const result = await loadText(text, { HOOK: canary, DOMAIN: `${canary}/` });
    const found = problemsOf(result);
    expect(found.map(({ path }) => path)).toEqual(["webhooks[0].url", "tunnel.domain"]);
    expect(found[0]?.message).toBe("is not an address like https://example.com/path (it comes from the variable HOOK)");
    expect(found[1]?.hint).toMatch(/^correct DOMAIN in .*: a domain is a host name such as /);
    expect(JSON.stringify(result)).not.toContain(canary);
  });

  it("is not blamed on a variable where the key is wrong", async () => {
    const written = '"type": "1password", "serviceAccountToken": "env:T", "serviceAcountToken": "env:T"';
    expect(problemsOf(await loadText(dev(written), { T: canary }))).toEqual([
      {
        path: "vaults.dev.serviceAcountToken",
        line: 3,
        message: "is not a known key",
        hint: 'did you mean "serviceAccountToken"?',
      },
    ]);
  });
});

describe("what does not go together", () => {
  const vault = (more: object): string =>
    JSON.stringify({ vaults: { a: { type: "1password", serviceAccountToken: "env:T_4711", ...more }, b: {} } });
  const placesOf = async (text: string, variables?: Record<string, string>): Promise<string[]> =>
    problemsOf(await loadText(text, variables)).map(({ path }) => path);

  it("is told while the token is not there as well as afterwards, and at the variable that holds it", async () => {
    const homeless = vault({ writable: true });
    expect(await placesOf(homeless)).toEqual(["vaults.a.write.vaultId"]);
    expect(await placesOf(homeless, { T_4711: "hunter2-4711" })).toEqual(["vaults.a.write.vaultId"]);
    const elsewhere = vault({ vaultIds: ["x"], write: { vaultId: "env:PLACE_4711" } });
    const found = problemsOf(await loadText(elsewhere, { T_4711: "hunter2-4711", PLACE_4711: "hunter2-4712" }));
    expect(found).toMatchObject([{ path: "vaults.a.write.vaultId", hint: expect.stringContaining("PLACE_4711") }]);
    expect(JSON.stringify(found)).not.toContain("hunter2");
  });

  it("is not guessed from what an unset variable would hold", async () => {
    const guessed = [
      { vaultIds: ["x"], write: { vaultId: "env:PLACE_4711" } },
      { vaultIds: ["env:PLACE_4711"], write: { vaultId: "x" } },
      { vaultIds: ["env:PLACE_4711"], writable: true },
      { write: { vaultId: "env:PLACE_4711" }, writable: true },
    ].map((more) => placesOf(vault(more)));
    expect(await Promise.all(guessed)).toEqual([[], [], [], []]);
  });

  it("would be guessed by one reading alone", async () => {
    const file = "src/config/judge.ts";
    const guesses = async (plants: Parameters<typeof loadPatched>[1]): Promise<number> => {
      const patched = (await loadPatched("src/config/load.ts", plants)) as { loadConfig: typeof loadConfig };
      const folder = makeFolder();
      folder.write(
        "agent-vault.config.json",
        vault({ vaultIds: ["env:PLACE_4711"], write: { vaultId: "x" }, writable: true }),
      );
      const result = await patched.loadConfig({ cwd: folder.cwd, variables: { HOME: folder.home } });
      return result.ok ? 0 : result.problems.length;
    };
    expect(await guesses([])).toBe(0);
    expect(await guesses([{ file, from: "read(without) ?? found", to: "found" }])).toBe(1);
  });
});
