import { VaultError } from "../core/errors.ts";

interface Remedy {
  readonly message: string;
  readonly hint: string;
}

const TOKEN_PAGE = "dashboard.ngrok.com/get-started/your-authtoken";
const STILL_HERE = "the link on this computer keeps working";

/** What went wrong, in ngrok's own numbering: https://ngrok.com/docs/errors/reference */
const CODES: Readonly<Record<string, (domain: string) => Remedy>> = {
  105: () => ({
    message: "ngrok does not take the configured token for an authtoken",
    hint: `copy the whole authtoken from ${TOKEN_PAGE}; an API key is something else`,
  }),
  106: () => ({
    message: "the configured ngrok token is of an old kind that is no longer in use",
    hint: `copy the authtoken from ${TOKEN_PAGE}`,
  }),
  107: () => ({
    message: "ngrok refuses the configured token: it was revoked, replaced, or belongs to a closed account",
    hint: `copy the current authtoken from ${TOKEN_PAGE}`,
  }),
  108: () => ({
    message: "this ngrok account already runs as many sessions as its plan allows",
    hint: `end one of those listed at dashboard.ngrok.com/agents; ${STILL_HERE}`,
  }),
  120: outdated,
  121: outdated,
  319: (domain) => ({
    message: `this ngrok account has not reserved ${domain}`,
    hint: "take the domain that dashboard.ngrok.com/domains shows, or leave domain out of the configuration",
  }),
  320: (domain) => ({
    message: `${domain} is reserved by another ngrok account`,
    hint: "take the domain that dashboard.ngrok.com/domains shows, or the authtoken of the account that owns it",
  }),
  334: (domain) => ({
    message: `another session already uses ${domain === "the domain" ? "this ngrok domain" : `the ngrok domain ${domain}`}`,
    hint: `a free ngrok account has one domain, for one session at a time: end the other session; ${STILL_HERE}`,
  }),
  725: () => ({
    message: "this ngrok account has used up its bandwidth for the month",
    hint: `wait for the next month or choose a larger plan at dashboard.ngrok.com/billing; ${STILL_HERE}`,
  }),
  727: () => ({
    message: "this ngrok account has used up its requests for the month",
    hint: `wait for the next month or choose a larger plan at dashboard.ngrok.com/billing; ${STILL_HERE}`,
  }),
  734: () => ({
    message: "ngrok takes no more requests for this account just now",
    hint: `wait a minute; ${STILL_HERE}`,
  }),
  4018: () => ({
    message: "ngrok wants an account with a verified address, and its authtoken",
    hint: `sign up at dashboard.ngrok.com/signup, then put the authtoken from ${TOKEN_PAGE} into ngrokAuthToken`,
  }),
};

/** What went wrong before ngrok could say anything, by the words of the SDK (1.7). The first that fits counts. */
const WORDS: readonly (readonly [RegExp, Remedy])[] = [
  [
    /tls handshake|certificate/i,
    {
      message: "something between this computer and ngrok breaks the encrypted connection",
      hint: "a proxy or firewall that inspects traffic does this: let connect.ngrok-agent.com pass untouched",
    },
  ],
  [
    /tcp connection|proxy|lookup|dns|unreachable|timed? ?out|refused|reset/i,
    {
      message: "ngrok cannot be reached from this computer",
      hint: `check the network, and that a firewall lets connect.ngrok-agent.com:443 through; ${STILL_HERE}`,
    },
  ],
];

/**
 * One plain sentence and its remedy for whatever the SDK threw. Neither its text nor the error itself goes along:
 * ngrok repeats a token it does not like in its answer (ERR_NGROK_105).
 */
export function explain(error: unknown, domain: string | undefined): VaultError {
  const { text, number } = read(error);
  const known = number === undefined ? undefined : CODES[number];
  if (known) return trouble(known(domain ?? "the domain"));
  if (number !== undefined) {
    return trouble({
      message: `ngrok refused to open a tunnel with ERR_NGROK_${number}`,
      hint: `ngrok.com/docs/errors/err_ngrok_${number} says what to do; ${STILL_HERE}`,
    });
  }
  const said = WORDS.find(([words]) => words.test(text))?.[1];
  return trouble(
    said ?? { message: "ngrok could not open a tunnel, and gave no reason", hint: `try again; ${STILL_HERE}` },
  );
}

/** The same for what only we can see. */
export function noTunnel(
  what: "no_token" | "no_sdk" | "too_late" | "called_off" | "odd_address" | "lost" | "stopped",
): VaultError {
  return trouble(OURS[what]);
}

const OURS = {
  no_token: {
    message: "ngrok has no token, so the page cannot be reached from a phone",
    hint: `set NGROK_AUTHTOKEN or ngrokAuthToken to the authtoken from ${TOKEN_PAGE}`,
  },
  no_sdk: {
    message: `the part of ngrok for ${process.platform} on ${process.arch} is not installed`,
    hint: `install agent-vault again without leaving out optional packages; ${STILL_HERE}`,
  },
  too_late: {
    message: "ngrok did not answer within 10 seconds",
    hint: `check the network, and that a firewall lets connect.ngrok-agent.com:443 through; ${STILL_HERE}`,
  },
  called_off: {
    message: "the ngrok tunnel was given up before it stood",
    hint: "nothing needs to be done",
  },
  odd_address: {
    message: "ngrok opened a tunnel without a usable https address",
    hint: `leave domain out of the configuration and try again; ${STILL_HERE}`,
  },
  lost: {
    message: "the connection to ngrok was lost and did not come back",
    hint: `check the network; ${STILL_HERE}`,
  },
  stopped: {
    message: "the tunnel was stopped from the ngrok dashboard",
    hint: STILL_HERE,
  },
} as const satisfies Record<string, Remedy>;

function outdated(): Remedy {
  return {
    message: "ngrok no longer accepts the version of its software that agent-vault brings",
    hint: `update agent-vault; ${STILL_HERE}`,
  };
}

/** The SDK puts the number into `errorCode` on some paths and only into the text on others. */
function read(error: unknown): { text: string; number: string | undefined } {
  const text = error instanceof Error ? error.message : String(error);
  const noted = error instanceof Error && "errorCode" in error ? String(error.errorCode) : "";
  return { text, number: /.*ERR_NGROK_(\d{1,6})/s.exec(`${text} ${noted}`)?.[1] };
}

function trouble({ message, hint }: Remedy): VaultError {
  return new VaultError("tunnel_unavailable", message, { hint });
}
