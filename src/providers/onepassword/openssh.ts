import type { Item, ResolveReferenceError } from "@1password/sdk";
import { VaultError } from "../../core/errors.ts";
import type { Handle } from "../../core/request.ts";
import { Secret } from "../../core/secret.ts";
import { quoted } from "../../core/text.ts";
import type { Account } from "./account.ts";
import { gone, strange } from "./errors.ts";
import { type Address, formatAddress, spellAddress } from "./reference.ts";
import { isOnlyOneCalled } from "./shape.ts";

/** A private key as 1Password put it into another form, and where it says that it is from. */
export interface Key {
  readonly text: string;
  readonly itemId: string;
  readonly vaultId: string;
}

/** A handle with the item that it leads to. */
export interface Opened {
  readonly item: Item;
  readonly handle: Handle;
  readonly address: Address;
  readonly keys: ReadonlyMap<string, Key | VaultError>;
}

/**
 * The keys among these addresses that are wanted in OpenSSH form, by address; no call if there are none. The items do
 * not hold that form, only a reference gets it. What it got is not to be used before `inOpenSsh` has seen the item.
 */
export async function keysInOpenSsh(
  account: Account,
  addresses: readonly Address[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Key | VaultError>> {
  const spelled = new Map<string, string>();
  for (const address of addresses.filter(({ query }) => query === "ssh-format=openssh")) {
    const reference = spellAddress(address);
    if (reference !== undefined) spelled.set(formatAddress(address), reference);
  }
  if (spelled.size === 0) return new Map();
  const { individualResponses } = await account.call(signal, (client) =>
    client.secrets.resolveAll([...new Set(spelled.values())]),
  );
  const keys = new Map<string, Key | VaultError>();
  for (const [ref, reference] of spelled) {
    const { content, error } = individualResponses[reference] ?? {};
    if (content) keys.set(ref, { text: content.secret, itemId: content.itemId, vaultId: content.vaultId });
    else keys.set(ref, failed(error?.type));
  }
  return keys;
}

/**
 * What came for this key, if the opened item shows that it can only have been this key: nothing in it has changed since
 * the question, and nothing else in it answers to that reference.
 */
export function inOpenSsh({ item, handle, address, keys }: Opened): Secret | VaultError {
  const name = quoted(handle.name);
  if (String(item.version) !== handle.version) return gone(name, "the item was changed");
  const key = keys.get(formatAddress(address));
  if (key === undefined || !isOnlyOneCalled(item, address.fieldId)) {
    return new VaultError("unrepresentable", `1Password cannot be asked for ${name} alone in OpenSSH form`, {
      hint: "ask for it without ?ssh-format=openssh",
    });
  }
  if (key instanceof VaultError) return key.code === "unrepresentable" ? notThatForm(name) : key;
  const same = key.itemId === address.itemId && key.vaultId === address.vaultId;
  return same ? new Secret(key.text) : gone(name, "its reference now leads to another item");
}

/** What the SDK says of fields that it has no OpenSSH form of. */
const FORMLESS: ReadonlySet<ResolveReferenceError["type"]> = new Set([
  "sSHKeyMetadataNotFound",
  "incompatibleSshKeyQueryParameterField",
  "unableToParsePrivateKey",
  "unableToFormatPrivateKeyToOpenSsh",
] as const);

function failed(type: ResolveReferenceError["type"] | undefined): VaultError {
  if (type !== undefined && FORMLESS.has(type)) return notThatForm("the field");
  // If the item has gone or changed, opening it tells.
  return strange("a key is missing from it");
}

function notThatForm(what: string): VaultError {
  return new VaultError("unrepresentable", `${what} is not a private key that 1Password can give in OpenSSH form`, {
    hint: "ask for it without ?ssh-format=openssh",
  });
}
