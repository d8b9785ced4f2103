import type { ItemField } from "@1password/sdk";
import { VaultError } from "../../core/errors.ts";
import type { Each } from "../../core/ports.ts";
import type { Handle } from "../../core/request.ts";
import { Secret } from "../../core/secret.ts";
import { quoted } from "../../core/text.ts";
import type { Account } from "./account.ts";
import { gone, strange } from "./errors.ts";
import { openItems } from "./items.ts";
import { inOpenSsh, keysInOpenSsh, type Opened } from "./openssh.ts";
import { type Address, parseAddress } from "./reference.ts";
import { placesIn, type There } from "./shape.ts";

export interface Reading {
  readonly account: Account;
  readonly isAllowed: (vaultId: string) => boolean;
}

/**
 * The values of handles: items are opened by their ids, and the field is the one with exactly the ids that were shown.
 * References would be shorter, but they mean titles as well as ids, and what they mean can change after the question.
 */
export async function readAll(
  reading: Reading,
  handles: readonly Handle[],
  signal: AbortSignal,
): Promise<Each<Secret>> {
  const asked = handles.map((handle) => ({ handle, address: addressOf(reading, handle) }));
  const wanted = asked.flatMap(({ handle, address }) => (address instanceof VaultError ? [] : [{ handle, address }]));
  // Before the items, which then say whether it is still the same field.
  const keys = await keysInOpenSsh(
    reading.account,
    wanted.map(({ address }) => address),
    signal,
  );
  const places = wanted.map(({ address }) => ({ id: address.itemId, vaultId: address.vaultId }));
  const opened = await openItems(reading.account, places, signal, (item) => {
    const here = wanted.filter(({ address }) => address.itemId === item.id && address.vaultId === item.vaultId);
    const at = placesIn(item);
    return new Map(here.map(({ handle, address }) => [handle, valueOf(at(address), { item, handle, address, keys })]));
  });
  return asked.map(({ handle, address }) => {
    if (address instanceof VaultError) return address;
    const values = opened.get(address.itemId) ?? strange("an item is missing from it");
    if (!(values instanceof VaultError)) return values.get(handle) ?? strange("a field is missing from it");
    return values.code === "secret_not_found" ? gone(quoted(handle.name), "the item has gone") : values;
  });
}

function addressOf({ isAllowed }: Reading, handle: Handle): Address | VaultError {
  const address = parseAddress(handle.ref);
  if (!address) throw new RangeError("a handle of another vault");
  if (isAllowed(address.vaultId)) return address;
  return new VaultError("provider_forbidden", `${quoted(handle.name)} lies in a vault that is not in vaultIds`);
}

function valueOf(there: There, { item, handle, address, keys }: Opened): Secret | VaultError {
  const name = quoted(handle.name);
  if (there === "none") return gone(name, "the field has gone");
  if (there === "many") return gone(name, "another field has come to have the same id");
  if (there === "notes") {
    return address.query === undefined ? new Secret(item.notes) : gone(name, "notes have no other form");
  }
  const kind: `${typeof there.fieldType}` = there.fieldType;
  if (address.query === "attribute=otp")
    return kind === "Totp" ? codeOf(there, name) : gone(name, "the field is no longer a one-time password");
  if (address.query === "ssh-format=openssh")
    return kind === "SshKey" ? inOpenSsh({ item, handle, address, keys }) : gone(name, "the field is no longer a key");
  // What was shown is a field with a value, not the seed of codes.
  if (kind === "Totp") return gone(name, "the field has become a one-time password");
  if (kind === "Unsupported") return gone(name, "the field has become one that cannot be read");
  return new Secret(there.value);
}

/** The code of this moment, which 1Password makes when the item is opened. */
function codeOf({ details }: ItemField, name: string): Secret | VaultError {
  const code = details?.type === "Otp" ? details.content.code : undefined;
  if (code !== undefined && code !== "") return new Secret(code);
  return new VaultError("unrepresentable", `1Password cannot make a code of the one-time password ${name}`, {
    hint: "tell the user to set it up again in the 1Password app",
  });
}
