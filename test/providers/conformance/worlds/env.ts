import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "dotenv";
import { env } from "../../../../src/providers/env/index.ts";
import { type Backend, type Content, line, type ProviderWorld, type Stock } from "../world.ts";

const NO_CREDENTIALS = "a file has no credentials: whoever may open it, may";
const NO_NETWORK = "a file on this machine answers or does not; there is no network in between";
const ONE_PER_NAME = "a file of lines has one value per name: of two the last one counts, as dotenv has it";
const WHOLE_FILE = "names and values are in one file, so to read the names is to read the values; nothing leaves it";

/** Env files on this disk: the real thing. */
export const envWorld: ProviderWorld = {
  definition: env,
  loads: ["dotenv"],
  source: { is: "definition", file: "src/providers/env/index.ts", name: "env" },
  namesKeptMs: 0,
  exempt: {
    "fetches no value to list the names": WHOLE_FILE,
    "fetches no value to find what a name means": WHOLE_FILE,
    "says how it stands without fetching a value": WHOLE_FILE,
    "keeps names for a minute, and looks again after it": "the file is read afresh each time, which takes no time",
    "finds twenty names among those it knows": "the file is read afresh each time, which takes no time",
    "asks for the names once when twenty ask at the same time":
      "the file is read afresh each time, which takes no time",
    "answers a name that several secrets have with which there are": ONE_PER_NAME,
    "writes to no name that several secrets have": ONE_PER_NAME,
    "writes to the secret that was planned, or not, once its name means two": ONE_PER_NAME,
    "finds a name in any script": "dotenv knows names of letters a to z, digits and . _ - only",
    "never reads the secret that has taken the name of the one shown":
      "in a file the name is the secret: who gives an old name a new value has changed that secret, not made another",
    "says that credentials are not accepted": NO_CREDENTIALS,
    "says that credentials have run out": NO_CREDENTIALS,
    "says that something is not permitted": NO_CREDENTIALS,
    "says when to come back after too many calls": NO_NETWORK,
    "says that nobody listens": NO_NETWORK,
    "gives up on a vault that never answers": NO_NETWORK,
    "takes a web page for no answer": NO_NETWORK,
    "takes no answer of two megabytes": NO_NETWORK,
    "trusts no certificate that vouches for itself": NO_NETWORK,
    "follows nobody to another host": NO_NETWORK,
    "answers at once when the call is cancelled": NO_NETWORK,
    "ends its request at the vault when the call is cancelled": NO_NETWORK,
    "lets the process end though the vault still owes an answer": NO_NETWORK,
  },
  start,
};

async function start(stock: Stock): Promise<Backend> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "conformance-env-")));
  const path = join(folder, ".env.secrets");
  const secrets = new Map(stock.map(([name, content]) => [name, plain(content)]));
  const save = (): void => {
    writeFileSync(path, [...secrets].map(([name, value]) => `${name}=${spelled(value)}\n`).join(""), { mode: 0o600 });
  };
  /** Somebody else's changes go on top of what the provider has written. */
  const change = (make: () => void): void => {
    secrets.clear();
    for (const [name, value] of Object.entries(parse(readFileSync(path)))) secrets.set(name, value);
    make();
    save();
  };
  save();
  return {
    options: { file: path },
    tokens: [],
    put: (name, content) => change(() => secrets.set(name, plain(content))),
    rename: (from, to) =>
      change(() => {
        secrets.set(to, secrets.get(from) ?? "");
        secrets.delete(from);
      }),
    remove: (name) => change(() => secrets.delete(name)),
    everything: () => Object.entries(parse(readFileSync(path))).map(([name, value]) => line(name, undefined, value)),
    // A folder where the file was is in nobody's way and can be neither read nor written.
    break: (fault) => {
      if (fault !== "outage") throw new Error(`a file cannot be broken like this: ${fault}`);
      rmSync(path);
      mkdirSync(path);
    },
    mend: () => {
      rmdirSync(path);
      save();
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function plain(content: Content): string {
  if (typeof content !== "string") throw new TypeError("a line of a file has no fields");
  return content;
}

/** In a quote that the value does not hold, where nothing is replaced. */
function spelled(value: string): string {
  const quote = ["`", "'"].find((mark) => !value.includes(mark));
  if (quote === undefined) throw new TypeError("this value needs a spelling of its own");
  return quote + value + quote;
}
