import type { ReadAsk, WriteAsk } from "./asks.ts";
import { VaultError } from "./errors.ts";
import type { Each, Provider, Vault } from "./ports.ts";
import type { Handle, Item } from "./request.ts";
import { cannotWrite } from "./policy.ts";
import { quoted } from "./text.ts";

const MOST_ITEMS = 100;

/** What a read is about: an item for each name, or for each wanted field of its one name. Throws, or says it of each. */
export async function itemsToRead(
  ask: ReadAsk,
  vault: Vault,
  provider: Provider,
  signal: AbortSignal,
): Promise<Each<Item>> {
  const handles = ask.fields
    ? await fieldsOf(ask.names, ask.fields, vault, provider, signal)
    : await provider.resolve(ask.names, signal);
  return handles.map((each) => (each instanceof VaultError ? each : { handle: each }));
}

/** What a write is about: an item for each entry, with the fingerprint of its value. Throws, or says it of each. */
export async function itemsToWrite(
  { entries }: WriteAsk,
  commitments: readonly string[],
  vault: Vault,
  provider: Provider,
  signal: AbortSignal,
): Promise<Each<Item>> {
  if (!provider.planWrite) throw cannotWrite(vault);
  const plans = await provider.planWrite(entries, signal);
  return plans.map((plan, at) => {
    if (plan instanceof VaultError) return plan;
    const entry = entries[at];
    const commitment = commitments[at];
    if (!entry || commitment === undefined) throw new RangeError("a plan without its entry");
    return { handle: plan, write: { plan, commitment, preview: entry.value.preview() } };
  });
}

async function fieldsOf(
  names: readonly string[],
  wanted: readonly string[],
  vault: Vault,
  provider: Provider,
  signal: AbortSignal,
): Promise<readonly Handle[]> {
  const [name, ...more] = names;
  if (name === undefined || more.length > 0) throw new RangeError("fields are those of one secret");
  if (wanted.length === 0) throw new RangeError("fields that nobody named");
  if (!provider.fields) {
    throw new VaultError("invalid_arguments", `the secrets of vault ${quoted(vault.name)} have no fields`, {
      hint: "call again without field and fields",
    });
  }
  const handles = await provider.fields(name, wanted, signal);
  if (handles.length === 0) throw new VaultError("secret_not_found", `${quoted(name)} has no fields`);
  if (handles.length <= MOST_ITEMS) return handles;
  throw new VaultError(
    "invalid_arguments",
    `${quoted(name)} has ${handles.length} fields; at most ${MOST_ITEMS} can be asked for at once`,
    { hint: "name the fields you need" },
  );
}
