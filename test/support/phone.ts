import { createHash, X509Certificate } from "node:crypto";
import { request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { CDPSession, Page } from "playwright-core";
import { selfSigned } from "../tunnels/self-signed.ts";
import type { Web } from "../../src/web/server.ts";

/** A host name on the network that leads to a page of ours, as a tunnel gives one. */
export interface NamedHost {
  readonly origin: string;
  /** What a Chromium has to be started with to find it, and to believe its certificate alone. */
  readonly flags: readonly string[];
  /** Leads to this page from now on, which answers to the name. */
  readonly leadTo: (web: Web) => void;
  readonly close: () => void;
}

/** Opens such a name. Nothing but the one Chromium finds it. */
export async function startNamedHost(name = "maria.example.test"): Promise<NamedHost> {
  const { key, cert } = selfSigned();
  let port = 0;
  const server = createServer({ key, cert }, (incoming, answer) => {
    const { method, url, headers } = incoming;
    const inner = request({ host: "127.0.0.1", port, method, path: url, headers, setHost: false }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    answer.on("close", () => inner.destroy());
    inner.on("error", () => answer.destroy());
    incoming.pipe(inner);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port: outside } = server.address() as AddressInfo;
  const spki = new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" });
  const origin = `https://${name}`;
  return {
    origin,
    flags: [
      `--host-resolver-rules=MAP ${name}:443 127.0.0.1:${outside}`,
      `--ignore-certificate-errors-spki-list=${createHash("sha256").update(spki).digest("base64")}`,
    ],
    leadTo: (web) => {
      ({ port } = web);
      web.setPublicOrigin(origin);
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The lock of a phone with its passkeys, in a page's browser. */
export interface Lock {
  /** Brings in a passkey that exists already. */
  readonly add: (passkey: {
    readonly credentialId: string;
    readonly privateKey: string;
    readonly origin: string;
  }) => Promise<void>;
  /** Whether its owner shows face or finger when asked; who does not closes the prompt. */
  readonly opens: (does: boolean) => Promise<void>;
  /** How many passkeys there are. */
  readonly count: () => Promise<number>;
}

/** A virtual authenticator. */
export async function giveLock(page: Page): Promise<Lock> {
  const session: CDPSession = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable", { enableUI: false });
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    add: async ({ credentialId, privateKey, origin }) => {
      await session.send("WebAuthn.addCredential", {
        authenticatorId,
        credential: {
          credentialId: Buffer.from(credentialId, "base64url").toString("base64"),
          isResidentCredential: true,
          rpId: new URL(origin).hostname,
          privateKey,
          userHandle: Buffer.from("maria").toString("base64"),
          signCount: 1,
        },
      });
    },
    opens: async (isUserVerified) => {
      await session.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified });
    },
    count: async () => (await session.send("WebAuthn.getCredentials", { authenticatorId })).credentials.length,
  };
}
