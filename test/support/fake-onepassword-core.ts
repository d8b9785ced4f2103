import type * as OnePassword from "@1password/sdk";

type Sdk = typeof OnePassword;

/** An item as it crosses between the SDK and its core: dates are text there. */
export interface FakeItem {
  id: string;
  vaultId: string;
  title: string;
  category: `${OnePassword.ItemCategory}`;
  fields: FakeField[];
  sections: { id: string; title: string }[];
  notes: string;
  tags: string[];
  websites: unknown[];
  version: number;
  files: { attributes: { name: string; id: string; size: number }; sectionId: string; fieldId: string }[];
  createdAt: string;
  updatedAt: string;
  /** Not part of what `ItemsGet` answers. */
  state: "active" | "archived";
}

export interface FakeField {
  id: string;
  title: string;
  sectionId?: string;
  fieldType: `${OnePassword.ItemFieldType}`;
  value: string;
  details?: { type: "Otp"; content: { code?: string; errorMessage?: string } };
}

export interface FakeVault {
  id: string;
  title: string;
  items: FakeItem[];
  readOnly: boolean;
}

/** An account: JSON, so that it can be handed to another process. */
export interface FakeState {
  vaults: FakeVault[];
  next: number;
}

type Parameters = Readonly<Record<string, unknown>>;

export function newItem(
  own: Pick<FakeItem, "id" | "vaultId" | "title" | "category" | "notes" | "fields" | "sections"> & { at: string },
): FakeItem {
  const { at, ...item } = own;
  return { ...item, tags: [], websites: [], version: 1, files: [], createdAt: at, updatedAt: at, state: "active" };
}

/** Twenty-six letters, as 1Password's are. */
export function newId(n: number): string {
  return n.toString(2).padStart(26, "0").replaceAll("0", "a").replaceAll("1", "7");
}

/** What the core answers to one call. Throws what the SDK throws then. */
export function answer(sdk: Sdk, state: FakeState, name: string, asked: Parameters): unknown {
  const refuse = (message: string): never => sdk.throwError(JSON.stringify({ name: "Other", message }));
  const vaultOf = (id: unknown): FakeVault =>
    state.vaults.find((vault) => vault.id === id) ?? refuse("vault couldn't be found");
  const itemOf = (vaultId: unknown, id: unknown): FakeItem => {
    const item = vaultOf(vaultId).items.find((each) => each.id === id) ?? refuse("item couldn't be found");
    return item.state === "active" ? item : refuse("item is not in an active state");
  };
  const writable = (vault: FakeVault): FakeVault =>
    vault.readOnly ? refuse("you do not have the right permissions to perform this action: update items") : vault;

  switch (name) {
    case "VaultsList":
      return state.vaults.map((vault) => {
        const { decryptDetails = false } = (asked["params"] ?? {}) as { decryptDetails?: boolean };
        return vaultOverview(vault, decryptDetails ? vault.title : "");
      });
    case "ItemsList": {
      const [filter] = asked["filters"] as { content: { active: boolean; archived: boolean } }[];
      const wanted = { active: filter?.content.active ?? true, archived: filter?.content.archived ?? false };
      return vaultOf(asked["vault_id"])
        .items.filter((item) => wanted[item.state])
        .map(itemOverview);
    }
    case "ItemsGet":
      return whole(itemOf(asked["vault_id"], asked["item_id"]));
    case "ItemsGetAll": {
      const ids = asked["item_ids"] as string[];
      if (ids.length > 50) refuse("you can only retrieve up to 50 items at once");
      const { items } = vaultOf(asked["vault_id"]);
      const individualResponses = ids.map((id) => {
        const item = items.find((each) => each.id === id && each.state === "active");
        return item ? { content: whole(item) } : { error: { type: "itemNotFound" } };
      });
      return { individualResponses };
    }
    case "ItemsPut":
      return put(state, asked["item"] as FakeItem, { refuse, itemOf, writable: (id) => writable(vaultOf(id)) });
    case "ItemsCreate": {
      const params = asked["params"] as Partial<FakeItem>;
      return create(state, params, { refuse, vault: writable(vaultOf(params.vaultId)) });
    }
    case "ItemsArchive":
      itemOf(asked["vault_id"], asked["item_id"]).state = "archived";
      return null;
    case "ItemsDelete": {
      const vault = writable(vaultOf(asked["vault_id"]));
      vault.items = vault.items.filter(({ id }) => id !== asked["item_id"]);
      return null;
    }
    case "SecretsResolveAll": {
      const references = asked["secret_references"] as string[];
      const individualResponses = Object.fromEntries(
        references.map((reference) => [reference, resolveReference(sdk, state, reference)]),
      );
      return { individualResponses };
    }
    default:
      throw new Error(`the fake core does not know ${name}`);
  }
}

const BUILT_IN = ["username", "password", "credential"];

function put(
  state: FakeState,
  sent: FakeItem,
  {
    refuse,
    itemOf,
    writable,
  }: {
    refuse: (message: string) => never;
    itemOf: (vaultId: unknown, id: unknown) => FakeItem;
    writable: (vaultId: unknown) => unknown;
  },
): unknown {
  const item = itemOf(sent.vaultId, sent.id);
  writable(sent.vaultId);
  if (sent.fields.some(({ fieldType }) => fieldType === "Unsupported"))
    refuse(`cannot update item ${sent.id}. Editing is not supported for unsupported fields, `);
  if (sent.version !== item.version)
    refuse("The submitted item is not up to date. Refetch the item and retry the request.");
  const { title, fields, sections, notes, tags } = structuredClone(sent);
  Object.assign(item, { title, fields, sections, notes, tags, version: item.version + 1, updatedAt: stamp(state) });
  return whole(item);
}

function create(
  state: FakeState,
  params: Partial<FakeItem>,
  { refuse, vault }: { refuse: (message: string) => never; vault: FakeVault },
): unknown {
  const { category = "Unsupported", title = "", notes = "", fields = [] } = params;
  if (category === "Unsupported" || category === "Document") refuse("An unsupported item category was specified");
  if (title === "") refuse("invalid user input: encountered the following errors: title is missing");
  const at = stamp(state);
  const item = newItem({
    id: newId(state.next++),
    vaultId: vault.id,
    title,
    category,
    notes,
    at,
    // What has no section and is not built in goes into the one without a name.
    fields: fields.map((field) => (BUILT_IN.includes(field.id) ? field : { ...field, sectionId: "add more" })),
    sections: [],
  });
  vault.items.push(item);
  return whole(item);
}

/** As the core matches them: ids and names, capitals alike; without a section the field of none goes before the others. */
function resolveReference(sdk: Sdk, state: FakeState, reference: string): unknown {
  const error = (type: string): unknown => ({ error: { type } });
  try {
    sdk.Secrets.validateSecretReference(reference);
  } catch {
    return { error: { type: "parsing", message: "the secret reference could not be parsed" } };
  }
  const [path = "", query] = reference.slice("op://".length).split("?");
  const [vaultName = "", itemName = "", ...rest] = path.split("/");
  const fieldName = rest.at(-1) ?? "";
  const sectionName = rest.length > 1 ? rest[0] : undefined;
  const vaults = state.vaults.filter((vault) => isCalled(vault, vaultName));
  const [vault] = vaults;
  if (!vault) return error("vaultNotFound");
  if (vaults.length > 1) return error("tooManyVaults");
  const items = vault.items.filter((item) => item.state === "active" && isCalled(item, itemName));
  const [item] = items;
  if (!item) return error("itemNotFound");
  if (items.length > 1) return error("tooManyItems");
  const sections = item.sections.filter((section) => sectionName !== undefined && isCalled(section, sectionName));
  if (sectionName !== undefined && sections.length === 0) return error("noMatchingSections");
  const called = item.fields.filter((field) => isCalled(field, fieldName));
  const plain = called.filter(({ sectionId = "" }) => sectionId === "" || sectionId === "add more");
  const inSection = called.filter(({ sectionId }) => sections.some(({ id }) => id === sectionId));
  const fields = sectionName !== undefined ? inSection : plain.length > 0 ? plain : called;
  const [field] = fields;
  const said = (secret: string): unknown => ({ content: { secret, itemId: item.id, vaultId: vault.id } });
  if (!field) return ["notes", "notesPlain"].includes(fieldName) ? said(item.notes) : error("fieldNotFound");
  if (fields.length > 1) return error("tooManyMatchingFields");
  if (query === undefined) return said(field.value);
  if (query === "attribute=otp") {
    if (field.fieldType !== "Totp") return error("incompatibleTOTPQueryParameterField");
    const code = field.details?.content.code;
    return code === undefined ? { error: { type: "unableToGenerateTotpCode", message: field.value } } : said(code);
  }
  return field.fieldType === "SshKey"
    ? said(`-----BEGIN OPENSSH PRIVATE KEY----- ${field.value}`)
    : error("incompatibleSshKeyQueryParameterField");
}

function isCalled({ id, title }: { id: string; title: string }, name: string): boolean {
  return id === name || title.toLowerCase() === name.toLowerCase();
}

function whole(item: FakeItem): unknown {
  const { state: _state, ...told } = structuredClone(item);
  return told;
}

function itemOverview(item: FakeItem): unknown {
  const { id, title, category, vaultId, websites, tags, createdAt, updatedAt, state } = item;
  return { id, title, category, vaultId, websites, tags, createdAt, updatedAt, state };
}

function vaultOverview({ id, items }: FakeVault, title: string): unknown {
  const activeItemCount = items.filter(({ state }) => state === "active").length;
  const at = "2026-01-01T00:00:00Z";
  const versions = { contentVersion: 1, attributeVersion: 1, createdAt: at, updatedAt: at };
  return { id, title, description: "", vaultType: "userCreated", activeItemCount, ...versions };
}

function stamp(state: FakeState): string {
  return new Date(Date.UTC(2026, 9, 1) + state.next++ * 60_000).toISOString();
}
