/** What a vault is when it does not say: the seeds of most configurations are a file of secrets and nothing else. */
export const DEFAULT_VAULT_TYPE = "env";

/** Kinds of vault that are promised and not there yet: a vault of one is left out, a misspelt type is a mistake. */
export const COMING_TYPES: readonly string[] = ["hashicorp-vault", "delinea"];

/** The name of the file, as it is searched for in the working folder. */
export const CONFIG_FILE = "agent-vault.config.json";

/** The name of the file in the home folder. */
export const HOME_CONFIG_FILE = ".agent-vault.config.json";

/** The JSON Schema of the configuration, as it lies in the package. */
export const SCHEMA_FILE = "agent-vault.config.schema.json";

/** Where editors find the same schema. */
export const SCHEMA_URL = `https://unpkg.com/agent-vault/${SCHEMA_FILE}`;
