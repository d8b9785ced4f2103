import type { Config } from "../config/config.ts";
import { asVaultError } from "../core/errors.ts";
import { quoted } from "../core/text.ts";
import type { Context } from "./command.ts";
import { failed, finding, type Finding } from "./finding.ts";

/** Whose passkeys count, and whether the log knows of each of them. */
export async function checkApprovers(
  config: Pick<Config, "database" | "surroundings">,
  { services }: Pick<Context, "services">,
): Promise<Finding[]> {
  try {
    const { approvers, oddities, unknown } = await services.roll(config);
    const nobody = finding("note", "", "nobody is enrolled: the link alone approves", "agent-vault pair");
    return [
      ...(approvers.length === 0 ? [nobody] : []),
      ...approvers.map(({ name, origin, addedAt }) =>
        finding("ok", quoted(name), `signs on ${origin}, enrolled on ${new Date(addedAt).toISOString().slice(0, 10)}`),
      ),
      ...oddities.map((text) =>
        finding("warning", "", text, "unless you know why: agent-vault approvers shows them, --remove takes one away"),
      ),
      ...(unknown === undefined ? [] : [finding("warning", "", `the log does not say who was enrolled: ${unknown}`)]),
    ];
  } catch (error) {
    return [failed("", asVaultError(error))];
  }
}
