import { defineProvider } from "../define.ts";
import { options } from "./options.ts";
import { openTwelvePort } from "./provider.ts";

/** The assets of a 12Port vault, with the approvals of its own people. */
export const twelveport = defineProvider({
  type: "12port",
  title: "12Port",
  summary: "The assets of a 12Port PAM vault, read through its MCP integration, approvals of its own people included.",
  can: ["list", "fields", "prepare"],
  options,
  example: { server: "https://vault.example.com", tenant: "acme", token: "env:TWELVEPORT_TOKEN" },
  open: (chosen, context) => openTwelvePort(chosen, context),
  problems: ({ requestMinutes, timeoutMinutes }) =>
    timeoutMinutes !== undefined && timeoutMinutes > requestMinutes
      ? [
          {
            path: ["timeoutMinutes"],
            message: "is longer than the time that is requested",
            hint: `requestMinutes is ${requestMinutes}: make it longer, or leave timeoutMinutes out`,
          },
        ]
      : [],
});
