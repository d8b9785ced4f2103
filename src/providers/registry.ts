import type { ProviderDefinition } from "./define.ts";
import { env } from "./env/index.ts";
import { onepassword } from "./onepassword/index.ts";
import { twelveport } from "./twelveport/index.ts";

/** Every kind of secret store there is, in the order documentation lists them. The configuration schema is built from it. */
export const PROVIDERS = [env, onepassword, twelveport] as const satisfies readonly ProviderDefinition[];

/** The definition of a type, if there is one. */
export function providerOf(type: string): ProviderDefinition | undefined {
  return PROVIDERS.find((definition) => definition.type === type);
}
