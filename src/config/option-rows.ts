import { configJsonSchema, type Schema } from "./fields.ts";
import { ruleNames } from "./schema.ts";

/** One option as documentation and help show it. */
export interface OptionRow {
  /** Its path below what it belongs to: `write.vaultId`, `webhooks[].url`. */
  readonly name: string;
  /** What can stand there. */
  readonly value: string;
  /** Set where something has to stand there: always ("required"), or together with something else. */
  readonly required?: string;
  /** What counts where nothing stands, as JSON. */
  readonly initial?: string;
  readonly meaning: string;
}

/** How a word that is typed as it stands is set apart from the text around it. */
export type Mark = (word: string) => string;

/** The options of a kind of vault that are its own. Throws `RangeError` for a type that is in no registry. */
export function vaultOptionRows(type: string, mark?: Mark): OptionRow[] {
  const vaults = configJsonSchema().properties?.["vaults"]?.additionalProperties;
  const kinds = vaults ? (vaults.oneOf ?? vaults.anyOf ?? [vaults]) : [];
  const kind = kinds.find(({ properties }) => properties?.["type"]?.const === type);
  if (kind === undefined) throw new RangeError(`there is no kind of vault ${type}`);
  return optionRows(kind, ["type", ...ruleNames], mark);
}

/** The options of an object, those of objects inside it among them. */
export function optionRows(schema: Schema, without: readonly string[] = [], mark: Mark = (word) => word): OptionRow[] {
  return rowsBelow(schema, { prefix: "", required: "required", mark }).filter(
    ({ name }) => !without.includes(name.split(/[.[]/, 1)[0] ?? ""),
  );
}

interface Place {
  readonly prefix: string;
  /** What a required option there is called. */
  readonly required: string;
  readonly mark: Mark;
}

function rowsBelow({ properties = {}, required = [] }: Schema, place: Place): OptionRow[] {
  return Object.entries(properties).flatMap(([key, field]) => {
    const { mark } = place;
    const name = `${place.prefix}${key}`;
    const isRequired = required.includes(key) && field.default === undefined;
    const own: OptionRow = {
      name,
      value: valueText(field, mark),
      ...(isRequired ? { required: place.required } : {}),
      ...(field.default === undefined ? {} : { initial: JSON.stringify(field.default) }),
      meaning: field.description ?? "",
    };
    if (field.items?.properties && !field.items.oneOf)
      return rowsBelow(field.items, { ...place, prefix: `${name}[].`, required: "required" });
    if (!field.properties || !isDescribed(field)) return [own];
    // Whether it is there at all says something of its own, unless it always is.
    const optional = !isRequired && field.default === undefined;
    const inner = { mark, prefix: `${name}.`, required: optional ? `required with ${mark(name)}` : place.required };
    return [...(optional ? [own] : []), ...rowsBelow(field, inner)];
  });
}

/** Whether the parts of an object say something of their own; where they do not, it is shown as one. */
function isDescribed({ properties = {} }: Schema): boolean {
  return Object.values(properties).some(({ description }) => description !== undefined);
}

function valueText(field: Schema, mark: Mark): string {
  const alternatives = field.oneOf ?? field.anyOf;
  const kinds = (alternatives ?? [])
    .map(({ properties }) => properties?.["type"]?.const)
    .filter((kind) => typeof kind === "string");
  if (kinds.length > 0) return `object by ${mark("type")}: ${kinds.map(mark).join(", ")}`;
  if (field.enum) return field.enum.map((word) => mark(JSON.stringify(word))).join(", ");
  if (field.const !== undefined) return mark(JSON.stringify(field.const));
  if (alternatives) return alternatives.map((one) => valueText(one, mark)).join(" or ");
  if (field.items) return `list of ${valueText(field.items, mark)}`;
  if (field.properties && !isDescribed(field))
    return `object with any of ${Object.keys(field.properties).map(mark).join(", ")}`;
  if (field.additionalProperties) return `object: name to ${valueText(field.additionalProperties, mark)}`;
  const bounds = [
    field.minimum === undefined ? "" : `from ${field.minimum}`,
    field.maximum === undefined ? "" : `up to ${field.maximum}`,
  ].filter((bound) => bound !== "");
  return [field.type ?? "anything", ...bounds].join(" ");
}
