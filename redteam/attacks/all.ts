import type { Attack } from "../attack.ts";
import { browserAttacks } from "./browser.ts";
import { commandAttacks } from "./commands.ts";
import { deskAttacks } from "./desk.ts";
import { fileAttacks } from "./files.ts";
import { inboxAttacks } from "./inbox.ts";
import { pageAttacks } from "./page.ts";
import { processAttacks } from "./process.ts";
import { signatureAttacks } from "./signature.ts";
import { toolAttacks } from "./tools.ts";

/** Every attack, in the order of the table. */
export const attacks: readonly Attack[] = [
  ...pageAttacks,
  ...browserAttacks,
  ...inboxAttacks,
  ...toolAttacks,
  ...signatureAttacks,
  ...fileAttacks,
  ...processAttacks,
  ...deskAttacks,
  ...commandAttacks,
];
