import { VaultError } from "../core/errors.ts";

/** The addresses this page answers to. Any other `Host` is somebody else's name for our port: DNS rebinding. */
export interface Origins {
  /** The origin a page reached under this `Host` has, or undefined for a host that is not ours. */
  readonly of: (host: string | undefined) => string | undefined;
  /** Every origin this page can be reached at now, the public one first. */
  readonly all: () => readonly string[];
  /** Sets, or with undefined removes, the address outside this machine. Throws for anything but a plain https origin. */
  readonly setPublic: (origin: string | undefined) => void;
}

const LOCAL = ["localhost", "127.0.0.1", "[::1]"];

export function createOrigins(port: number): Origins {
  const local = new Map(LOCAL.map((name) => entry(`http://${name}:${port}`)));
  let outside: readonly [host: string, origin: string] | undefined;
  return {
    of: (host) => {
      const name = host?.toLowerCase();
      if (name === undefined) return undefined;
      return local.get(name) ?? (name === outside?.[0] ? outside[1] : undefined);
    },
    all: () => [...(outside ? [outside[1]] : []), ...local.values()],
    setPublic: (origin) => {
      outside = origin === undefined ? undefined : publicEntry(origin);
    },
  };
}

function entry(address: string): readonly [string, string] {
  const url = new URL(address);
  return [url.host, url.origin];
}

// Browsers vouch for a request (Sec-Fetch-Site) only towards https and this machine, so plain http could never approve.
function publicEntry(origin: string): readonly [string, string] {
  if (URL.canParse(origin) && origin.startsWith("https://")) {
    const [host, normal] = entry(origin);
    if (normal === origin.toLowerCase().replace(/\/$/, "")) return [host, normal];
  }
  throw new VaultError("tunnel_unavailable", "the tunnel gave an address that is not a plain https origin", {
    hint: "set its domain to a host name without a path",
  });
}
