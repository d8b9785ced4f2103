import type { ChannelConfig, Config, TunnelConfig } from "../config/config.ts";
import { leftOutHint, leftOutText } from "../config/left-out.ts";
import { asVaultError } from "../core/errors.ts";
import type { Context } from "./command.ts";
import { withDeadline } from "./deadline.ts";
import { finding, type Finding } from "./finding.ts";

const TUNNEL_DEADLINE_MS = 20_000;

const NOTHING_RINGS = finding(
  "note",
  "bell",
  "nothing rings: the link stands only where your client shows the progress or the log of its MCP servers",
  'to ring your phone: "channels": [{ "type": "ntfy", "topic": "env:NTFY_TOPIC" }]',
);

/** How a person comes to see a request: the page, the browser, the tunnel, the channels, and what is not sent yet. */
export async function checkReach(config: Config, context: Context): Promise<Finding[]> {
  const { port, channels } = config;
  return [
    finding("ok", "page", `http://localhost:${port}, or the next free port`),
    ...(channels.some(({ type }) => type === "browser")
      ? []
      : [finding("note", "browser", "is not opened on this computer")]),
    ...channels.map(checkChannel),
    ...(channels.length > 0 ? [] : [NOTHING_RINGS]),
    await checkTunnel(config.tunnel, port, context),
  ];
}

function checkChannel({ type, title, use }: ChannelConfig): Finding {
  if (!use.ready) return finding("failed", title, `left out: ${leftOutText(use)}`, leftOutHint(use));
  if (type === "browser") return finding("note", title, "opens the page on this computer");
  return finding("note", title, "configured; doctor does not ring it");
}

async function checkTunnel({ type, title, use }: TunnelConfig, port: number, context: Context): Promise<Finding> {
  const about = "tunnel";
  if (!use.ready) {
    const text = `${title}, left out: ${leftOutText(use)}; the page works on this computer only`;
    return finding("failed", about, text, leftOutHint(use));
  }
  if (type === "none") {
    return finding(
      "note",
      about,
      "none: the page works on this computer only",
      'for your phone: "ngrokAuthToken": "env:NGROK_AUTHTOKEN"',
    );
  }
  if (context.options["online"] !== true) return finding("note", about, `${title}, configured; --online tries it`);
  try {
    const tunnel = use.open({ clock: context.services.clock });
    if (tunnel === undefined) return finding("note", about, "none: the page works on this computer only");
    await withDeadline(TUNNEL_DEADLINE_MS, async (signal) => {
      const open = await tunnel.open(port, () => undefined, signal);
      await open.close();
    });
    return finding("ok", about, `${title} connects`);
  } catch (error) {
    const { message, hint } = asVaultError(error);
    return finding("failed", about, message, hint);
  }
}
