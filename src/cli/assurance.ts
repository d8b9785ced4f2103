import type { Config } from "../config/config.ts";
import { finding, type Finding } from "./finding.ts";

/**
 * The honest level: who could approve besides the person, and what is not stopped. Today an approval proves that
 * somebody had the link, and the agent runs as the same user as this program.
 */
export function assurance(config: Config): Finding[] {
  const linkShown = config.approval.linkInResults;
  return [
    finding("note", "level", "link only, same user: an approval proves that somebody had the link, not who it was"),
    finding(
      "note",
      "it does",
      "hand out no value before somebody approved it on the page and the log has it; end every window on time; keep values out of the log",
    ),
    linkShown
      ? finding("warning", "it does not", "keep the link from the agent: approval.linkInResults is on")
      : finding("note", "it does", "keep the link from the agent: no tool result holds it"),
    finding(
      "note",
      "it does not",
      "stop a program that runs as you, an agent with a shell included: it could find the link and approve, or read a secrets file or the token of a vault, without asking",
    ),
    ...(config.tunnel.use.ready && config.tunnel.type !== "none"
      ? [
          finding(
            "note",
            "it does not",
            "stop anybody else who has the link while a request waits: the page can be reached from outside",
          ),
        ]
      : []),
    ...(config.source.is === "file"
      ? [
          finding(
            "note",
            "it does not",
            "guard the configuration: who can change the file sets the rules from the next start on",
          ),
        ]
      : []),
  ];
}
