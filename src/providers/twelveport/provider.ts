import { VaultError } from "../../core/errors.ts";
import type { Each, PrepareContext, Provider } from "../../core/ports.ts";
import { Secret } from "../../core/secret.ts";
import { clip, quoted } from "../../core/text.ts";
import type { ProviderContext } from "../define.ts";
import { readCa } from "../http-ca.ts";
import { createHttp } from "../http.ts";
import { Access } from "./access.ts";
import { createApi } from "./api.ts";
import { createAssets, eachOf } from "./assets.ts";
import { checkLines } from "./check.ts";
import { createDiscovery } from "./discovery.ts";
import { fieldsOf, handleOf, placeOf, refsOf } from "./handles.ts";
import { createLedger } from "./ledger.ts";
import type { TwelvePortOptions } from "./options.ts";
import { refusalsOf } from "./refusals.ts";
import type { Credentials } from "./replies.ts";
import { tokenFacts } from "./token.ts";
import { Watches } from "./watches.ts";
import { Workflow } from "./workflow.ts";

const MINUTE_MS = 60_000;
const MOST_MESSAGE = 500;
/** What the vendor's guide names; the other values of the enumeration stand in the server's own document alone. */
const KNOWN_ACTIONS = ["AssetUnlock", "AssetAccess"];

/**
 * A tenant of a 12Port vault. Its assets are read by id, with one call for all fields of one; an asset that needs the
 * approval of the vault's own people is requested there, waited for, and read once they have agreed.
 */
export async function openTwelvePort(options: TwelvePortOptions, context: ProviderContext): Promise<Provider> {
  const { clock, warn } = context;
  const origin = new URL(options.server).origin;
  const token = tokenFacts(options.token);
  const ca = options.ca === undefined ? undefined : await readCa(options.ca, context.folder);
  const http = createHttp({
    who: "12Port",
    origin,
    token: new Secret(options.token),
    ...(ca !== undefined && { ca }),
    userAgent: `agent-vault/${context.version}`,
    clock,
  });
  const refuse = refusalsOf(token, clock);
  const discovery = createDiscovery({ origin, tenant: options.tenant, clock }, http, refuse);
  const api = createApi(options, http, discovery, refuse);
  const assets = createAssets(api, options.assets, clock);
  // A request belongs to the user the token stands for; a new token of the same user goes on with it.
  const whose = token.subject === undefined ? "" : ` as ${token.subject}`;
  const ledger = createLedger(context.notes(`12port ${origin} ${options.tenant}${whose}`), clock);
  const actions = async (signal: AbortSignal): Promise<readonly string[]> => {
    const { actions: listed } = await discovery.spec(signal);
    return options.requestActions ?? (listed.length > 0 ? listed : KNOWN_ACTIONS);
  };
  const requestMs = options.requestMinutes * MINUTE_MS;
  const workflow = new Workflow({
    api,
    ledger,
    clock,
    actions,
    requestMs,
    pollMs: options.pollSeconds * 1_000,
    timeoutMs: options.timeoutMinutes === undefined ? undefined : options.timeoutMinutes * MINUTE_MS,
    onReject: options.onReject,
  });
  const { label } = assets;
  const restrict = (asset: string): void => workflow.restrict(asset);
  const access = new Access({ api, ledger, clock, complete: options.complete, requestMs, restrict, label, warn });
  const watches = new Watches();

  async function read(asset: string, signal: AbortSignal): Promise<Credentials | VaultError> {
    const done = access.begin(asset);
    try {
      const credentials = await api.credentials(asset, signal);
      if (credentials === "restricted") return access.refused(asset);
      access.given(asset);
      return credentials;
    } catch (error) {
      if (error instanceof VaultError) return error;
      throw error;
    } finally {
      done();
    }
  }

  return {
    list: assets.list,

    resolve: async (names, signal) => {
      const found = await assets.find(names, signal);
      return found.map((each, at) => (each instanceof VaultError ? each : handleOf(names[at] ?? "", each)));
    },

    fields: async (name, wanted, signal) => {
      const fields = fieldsOf(wanted);
      const [found] = await assets.find([name], signal);
      if (found === undefined || found instanceof VaultError) throw found ?? new RangeError("no outcome for a name");
      return fields.map((field) => handleOf(name, found, field));
    },

    prepare: async (handles, asked) => {
      const pending = idsOf(handles).filter((id) => workflow.isPending(id));
      if (pending.length === 0) return;
      for (const id of pending) access.refuseStuck(id);
      for (const id of pending) access.join(id);
      const { signal, stop } = ownSignal(asked.signal);
      const message = messageOf(asked);
      const told = new Map<string, string>();
      try {
        await Promise.all(
          pending.map((id) => {
            const tell = (text: string): void => {
              told.set(id, text);
              asked.waiting([...told.values()].join("; "));
            };
            return watches
              .follow(id, { signal, tell }, workflow.prepare({ id, label: label(id), message }))
              .then(() => told.delete(id));
          }),
        );
      } finally {
        // One that was turned down ends the request: nobody waits for the others any more.
        stop();
      }
    },

    read: async (handles, signal): Promise<Each<Secret>> => {
      const ids = idsOf(handles);
      const each = await eachOf(ids, (id) => read(id, signal));
      const found = new Map(ids.map((id, at) => [id, each[at]]));
      return handles.map(({ name, ref, checked }) => {
        const { id, field } = placeOf(ref);
        const credentials = found.get(id);
        if (credentials === undefined) throw new RangeError("no outcome for an asset");
        // What 12Port has shown was there; an id that was only given may never have been.
        if (credentials instanceof VaultError)
          return checked && credentials.code === "secret_not_found" ? gone(name) : credentials;
        const value = credentials[field];
        return value === undefined ? lacking(label(id), field, credentials) : new Secret(value);
      });
    },

    check: (signal) => checkLines({ options, origin, token, discovery, api, actions, ledger, label, clock }, signal),

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

function idsOf(handles: readonly { readonly ref: string }[]): readonly string[] {
  return [...new Set(handles.map(({ ref }) => placeOf(ref).id))];
}

/** What the vault's people read: who says what, and that it is only said. */
function messageOf({ reason, requester }: PrepareContext): string {
  return clip(
    `An AI agent asks through agent-vault (its client says it is ${quoted(requester.claims.client)}): ${reason}`,
    MOST_MESSAGE,
  );
}

function gone(name: string): VaultError {
  return new VaultError("conflict", `${quoted(name)} was not read: the asset has gone since the request was made`, {
    hint: "make the same request again; a person will be asked about what is there now",
  });
}

function lacking(label: string, field: string, credentials: Credentials): VaultError {
  const has = Object.keys(credentials).join(", ");
  return new VaultError("secret_not_found", `asset ${quoted(label)} has no ${field}`, {
    hint: has === "" ? "there is nothing in it" : `it has ${has}: call again with one of them as field`,
  });
}

/** A signal that aborts with another one, or when it is stopped. */
function ownSignal(other: AbortSignal): { readonly signal: AbortSignal; readonly stop: () => void } {
  const own = new AbortController();
  const abort = (): void => own.abort();
  if (other.aborted) abort();
  other.addEventListener("abort", abort, { once: true });
  return {
    signal: own.signal,
    stop: () => {
      other.removeEventListener("abort", abort);
      abort();
    },
  };
}
