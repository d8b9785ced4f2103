import { Secret } from "../../core/secret.ts";
import type { ProviderContext } from "../define.ts";
import { readCa } from "../http-ca.ts";
import { createHttp, type Http } from "../http.ts";
import { type Api, createApi } from "./api.ts";
import { type Assets, createAssets } from "./assets.ts";
import { createDiscovery, type Discovery } from "./discovery.ts";
import { createLedger, type Ledger, scopeOf } from "./ledger.ts";
import { OPTION_NAMES, type TwelvePortOptions, WHO } from "./options.ts";
import { refusalsOf } from "./refusals.ts";
import { type TokenFacts, tokenFacts, tokenOf } from "./token.ts";

/** A tenant as it is talked to, and what is noted of it. */
export interface Connection {
  readonly origin: string;
  readonly token: TokenFacts;
  readonly http: Http;
  readonly discovery: Discovery;
  readonly api: Api;
  readonly assets: Assets;
  readonly ledger: Ledger;
  /** The values of RequestAction, asked for when they are needed. */
  readonly actions: (signal: AbortSignal) => Promise<readonly string[]>;
}

/** What the vendor's guide names; the other values of the enumeration stand in the server's own document alone. */
const KNOWN_ACTIONS = ["AssetUnlock", "AssetAccess"];

/** Makes ready to talk to a tenant. Throws `provider_auth` where the token cannot be one; sends nothing. */
export async function connect(options: TwelvePortOptions, context: ProviderContext): Promise<Connection> {
  const { clock } = context;
  const { tenant } = options;
  const origin = new URL(options.server).origin;
  const text = tokenOf(options.token);
  const token = tokenFacts(text);
  const ca = options.ca === undefined ? undefined : await readCa(options.ca, context.folder);
  const http = createHttp({
    who: WHO,
    origin,
    options: OPTION_NAMES,
    token: new Secret(text),
    ...(ca !== undefined && { ca }),
    userAgent: `agent-vault/${context.version}`,
    clock,
  });
  const refuse = refusalsOf(token, clock);
  const discovery = createDiscovery({ origin, tenant, clock }, http, refuse);
  const api = createApi(options, http, discovery, refuse);
  return {
    origin,
    token,
    http,
    discovery,
    api,
    assets: createAssets(api, options.assets, clock),
    // A request belongs to the user the token stands for; a new token of the same user goes on with it.
    ledger: createLedger(context.notes(scopeOf(origin, tenant, token.subject)), clock),
    actions: async (signal) => {
      const { actions: listed } = await discovery.spec(signal);
      return options.requestActions ?? (listed.length > 0 ? listed : KNOWN_ACTIONS);
    },
  };
}
