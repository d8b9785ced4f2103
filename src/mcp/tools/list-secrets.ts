import * as z from "zod";
import { VaultError } from "../../core/errors.ts";
import type { Listing } from "../../core/asks.ts";
import { clip, quoted, visible } from "../../core/text.ts";
import { lineOf, textReply } from "../reply.ts";
import { defineTool, vaultArg } from "./define.ts";

const PAGE = 200;
const Cursor = z.tuple([z.string(), z.int().nonnegative()]);

export const listSecrets = defineTool({
  name: "list_secrets",
  title: "List secrets",
  description:
    "Lists the names of the secrets you may ask for, by vault; never values, and nobody is asked for approval. " +
    `Shows ${PAGE} names at a time; pass "search" to narrow or "cursor" from the last line to go on.`,
  annotations: { readOnlyHint: true, openWorldHint: false },
  input: z.strictObject({
    vault: vaultArg.optional().describe("only this vault"),
    search: z.string().max(200).optional().describe("only names that contain this text, upper and lower case alike"),
    cursor: z.string().max(500).optional().describe("where the previous page ended"),
  }),
  run: async (args, context) => {
    const { broker, session, waiter } = context;
    const from = args.cursor === undefined ? undefined : decodeCursor(args.cursor);
    const listing = await broker.list(
      { session, ...(args.vault !== undefined && { vault: args.vault }) },
      waiter.signal,
    );
    if (from && !listing.some(({ vault }) => vault === from[0])) throw strangeCursor();
    return textReply(pageOf(listing, args.search ?? "", from));
  },
});

function pageOf(listing: Listing, search: string, from: readonly [string, number] | undefined): string {
  const wanted = search.toLowerCase();
  const lines: string[] = [];
  let room = PAGE;
  let skipping = from !== undefined;
  for (const { vault, names, writable } of listing) {
    const start = skipping && from?.[0] === vault ? from[1] : 0;
    if (skipping && from?.[0] !== vault) continue;
    skipping = false;
    if (names instanceof VaultError) {
      lines.push(`[${visible(vault)}] cannot be listed: ${lineOf(names)}`);
      continue;
    }
    if (names === undefined) {
      lines.push(
        `[${visible(vault)}] cannot tell which names there are: ask for one by its exact name or the vault's own reference`,
      );
      continue;
    }
    const matching = wanted === "" ? names : names.filter((name) => name.toLowerCase().includes(wanted));
    const count = matching.length === 0 ? (wanted === "" ? " (empty)" : " (no match)") : "";
    lines.push(`[${visible(vault)}]${writable ? " (writable)" : ""}${count}`);
    const shown = matching.slice(start, start + room);
    for (const name of shown) lines.push(`  - ${clip(visible(name), 256)}`);
    room -= shown.length;
    const rest = matching.length - start - shown.length;
    if (rest > 0) {
      lines.push(
        `${rest} more in ${quoted(vault)}: call list_secrets with cursor ${encodeCursor(vault, start + shown.length)}`,
      );
      return lines.join("\n");
    }
  }
  return lines.join("\n");
}

function encodeCursor(vault: string, offset: number): string {
  return Buffer.from(JSON.stringify([vault, offset])).toString("base64url");
}

function decodeCursor(text: string): readonly [string, number] {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(text, "base64url").toString("utf8")));
  } catch (cause) {
    throw strangeCursor(cause);
  }
}

function strangeCursor(cause?: unknown): VaultError {
  return new VaultError("invalid_arguments", "the cursor is not one that list_secrets gave", {
    hint: "call list_secrets without a cursor",
    cause,
  });
}
