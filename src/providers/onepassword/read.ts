import type { Item, ResolveReferenceError } from "@1password/sdk";
import { VaultError } from "../../core/errors.ts";
import type { Each } from "../../core/ports.ts";
import type { Handle } from "../../core/request.ts";
import { Secret } from "../../core/secret.ts";
import { quoted } from "../../core/text.ts";
import type { Account } from "./account.ts";
import { gone, type Sdk, strange } from "./errors.ts";
import { openItems } from "./items.ts";
import { type Address, parseAddress, spellAddress } from "./reference.ts";
import { isAt, NOTES_ID } from "./shape.ts";

export interface Reading {
  readonly account: Account;
  readonly isAllowed: (vaultId: string) => boolean;
  /** Whether only opening the item tells this field from another one of it. */
  readonly isShadowed: (ref: string) => boolean;
}

/**
 * The values of handles, by ids. One call for all of them; items are opened only for fields that a reference cannot
 * single out or spell, and for a field that was not found, since that may be one that is merely empty.
 */
export async function readAll(
  reading: Reading,
  handles: readonly Handle[],
  signal: AbortSignal,
): Promise<Each<Secret>> {
  const asked = handles.map((handle) => ({ handle, address: addressOf(reading, handle) }));
  const spelled = asked.flatMap(({ handle, address }) =>
    address instanceof VaultError || reading.isShadowed(handle.ref) ? [] : [spellAddress(address)],
  );
  const answers = await resolveAll(reading.account, [...new Set(spelled)], signal);
  const first = asked.map(({ handle, address }): Secret | VaultError | "open" => {
    if (address instanceof VaultError) return address;
    const answer = answers.get(spellAddress(address));
    return answer === undefined ? "open" : valueOf(handle, address, answer);
  });
  const open = asked.flatMap(({ handle, address }, at) =>
    first[at] === "open" && !(address instanceof VaultError) ? [{ handle, address }] : [],
  );
  const places = open.map(({ address }) => ({ id: address.itemId, vaultId: address.vaultId }));
  const opened = await openItems(reading.account, places, signal, (item) => {
    const wanted = open.filter(({ address }) => address.itemId === item.id);
    return new Map(wanted.map(({ handle, address }) => [handle, valueIn(item, handle, address)]));
  });
  return asked.map(({ handle, address }, at) => {
    const outcome = first[at];
    if (outcome !== undefined && outcome !== "open") return outcome;
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

type Answer =
  | { readonly secret: string; readonly itemId: string; readonly vaultId: string }
  | ResolveReferenceError["type"];

/** What the SDK says of each reference that it can spell. */
async function resolveAll(
  account: Account,
  references: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Answer>> {
  if (references.length === 0) return new Map();
  return account.call(signal, async (client, sdk) => {
    const valid = references.filter((reference) => isValid(sdk, reference));
    if (valid.length === 0) return new Map();
    const { individualResponses } = await client.secrets.resolveAll(valid);
    return new Map(
      valid.map((reference) => {
        const answer = individualResponses[reference];
        const said = answer?.content ?? answer?.error?.type;
        if (said === undefined) throw strange("a reference is missing from it");
        return [reference, said];
      }),
    );
  });
}

function isValid({ Secrets }: Sdk, reference: string): boolean {
  try {
    Secrets.validateSecretReference(reference);
    return true;
  } catch {
    // It throws what is wrong as a string; the item is opened instead.
    return false;
  }
}

function valueOf(handle: Handle, address: Address, answer: Answer): Secret | VaultError | "open" {
  const name = quoted(handle.name);
  if (typeof answer === "object") {
    const same = answer.itemId === address.itemId && answer.vaultId === address.vaultId;
    return same ? new Secret(answer.secret) : gone(name, "its reference now leads to another item");
  }
  switch (answer) {
    case "vaultNotFound":
      return gone(name, "its vault has gone or is no longer open to this service account");
    case "itemNotFound":
      return gone(name, "the item has gone");
    case "incompatibleTOTPQueryParameterField":
      return gone(name, "the field is no longer a one-time password");
    case "unableToGenerateTotpCode":
      return noCode(name);
    case "sSHKeyMetadataNotFound":
    case "incompatibleSshKeyQueryParameterField":
    case "unableToParsePrivateKey":
    case "unableToFormatPrivateKeyToOpenSsh":
      return new VaultError("unrepresentable", `${name} is not a private key that 1Password can give in OpenSSH form`, {
        hint: "ask for it without ?ssh-format=openssh",
      });
    case "parsing":
    case "fieldNotFound":
    case "noMatchingSections":
    case "tooManyMatchingFields":
    case "unsupportedFileFormat":
    case "tooManyVaults":
    case "tooManyItems":
    case "other":
      break;
  }
  // What the SDK could not single out or spell, and whatever it may yet come to say.
  return "open";
}

function valueIn(item: Item, handle: Handle, address: Address): Secret | VaultError {
  const name = quoted(handle.name);
  const field = item.fields.find((each) => isAt(each, address));
  if (!field) {
    const isNotes = address.fieldId === NOTES_ID && address.sectionId === undefined;
    return isNotes ? new Secret(item.notes) : gone(name, "the field has gone");
  }
  if (address.query === undefined) {
    // What was shown is a field with a value, not the seed of codes.
    const kind: `${typeof field.fieldType}` = field.fieldType;
    return kind === "Totp" ? gone(name, "the field has become a one-time password") : new Secret(field.value);
  }
  if (address.query === "ssh-format=openssh") {
    return new VaultError("unrepresentable", `${name} is not a private key that 1Password can give in OpenSSH form`, {
      hint: "ask for it without ?ssh-format=openssh",
    });
  }
  const code = field.details?.type === "Otp" ? field.details.content.code : undefined;
  return code === undefined || code === "" ? noCode(name) : new Secret(code);
}

function noCode(name: string): VaultError {
  return new VaultError("unrepresentable", `1Password cannot make a code of the one-time password ${name}`, {
    hint: "tell the user to set it up again in the 1Password app",
  });
}
