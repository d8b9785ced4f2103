import { VaultError } from "../../core/errors.ts";
import type { Provider } from "../../core/ports.ts";
import type { ProviderContext } from "../define.ts";
import { Access } from "./access.ts";
import { checkLines } from "./check.ts";
import { connect } from "./connect.ts";
import { fieldsOf, handleOf, refsOf } from "./handles.ts";
import { Locals } from "./local.ts";
import type { TwelvePortOptions } from "./options.ts";
import { makeReady } from "./prepare.ts";
import { readAssets } from "./read.ts";
import { Watches } from "./watches.ts";
import { Workflow } from "./workflow.ts";

const MINUTE_MS = 60_000;

/**
 * A tenant of a 12Port vault. Its assets are read by id, with one call for all fields of one; an asset that needs the
 * approval of the vault's own people is requested there, waited for, and read once they have agreed.
 */
export async function openTwelvePort(options: TwelvePortOptions, context: ProviderContext): Promise<Provider> {
  const { clock, warn } = context;
  const { onReject, complete, requestMinutes, pollSeconds, timeoutMinutes } = options;
  const connection = await connect(options, context);
  const { http, assets } = connection;
  const { label } = assets;
  const shared = { ...connection, locals: new Locals(), clock, requestMs: requestMinutes * MINUTE_MS };
  const workflow = new Workflow({
    ...shared,
    pollMs: pollSeconds * 1_000,
    timeoutMs: timeoutMinutes === undefined ? undefined : timeoutMinutes * MINUTE_MS,
    onReject,
  });
  const access = new Access({ ...shared, complete, label, warn });
  const watches = new Watches();

  return {
    list: assets.list,

    resolve: async (names, signal) => {
      const found = await assets.find(names, signal);
      return found.map((each, at) =>
        each instanceof VaultError
          ? each
          : (workflow.refusal(each.id, label(each.id)) ?? handleOf(names[at] ?? "", each)),
      );
    },

    fields: async (name, wanted, signal) => {
      const fields = fieldsOf(wanted);
      const [found] = await assets.find([name], signal);
      if (found === undefined || found instanceof VaultError) throw found ?? new RangeError("no outcome for a name");
      const refusal = workflow.refusal(found.id, label(found.id));
      if (refusal) throw refusal;
      return fields.map((field) => handleOf(name, found, field));
    },

    prepare: (handles, asked) => makeReady(handles, asked, { workflow, access, watches, label }),

    read: (handles, signal) => readAssets(handles, { ...connection, access }, signal),

    check: (signal) => checkLines({ ...connection, options, clock, warn }, signal),

    ended: (isOpen) => {
      try {
        access.ended((asset) => refsOf(asset).some(isOpen));
      } catch {
        warn("what was requested from 12Port could not be closed; it ends by itself");
      }
    },

    close: async () => {
      await access.close().catch(() => {});
      await http.close();
    },
  };
}
