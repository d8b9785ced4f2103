import * as z from "zod";
import { type Approver, CREDENTIAL_ID } from "../core/proof.ts";

/** Everything that is kept of an approver: public things only. */
export interface Enrolled extends Approver {
  /** The host name that its passkey is bound to. */
  readonly rpId: string;
  /** As COSE, base64url. */
  readonly publicKey: string;
  /** How often the passkey says that it has signed; 0 where it does not count. */
  readonly counter: number;
  /** What the latest counted signature was made over: the same one may be shown to several processes. */
  readonly last?: string | undefined;
  /** How the browser said it can be reached: "internal", "hybrid", "usb". */
  readonly transports: readonly string[];
  /** Whether its owner's other devices have it too. */
  readonly backedUp: boolean;
}

const base64url = (most: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[\w-]+$/);

const RECORD = z.strictObject({
  v: z.literal(1),
  name: z.string().min(1).max(400),
  origin: z.string().min(1).max(300),
  rpId: z.string().min(1).max(255),
  publicKey: base64url(2_000),
  counter: z.int().min(0),
  last: base64url(100).optional(),
  transports: z.array(z.string().max(40)).max(20),
  addedAt: z.int(),
  backedUp: z.boolean(),
});

/** What was kept under an id; undefined when it is no record of ours, whatever else it is. */
export function parseRecord(id: string, record: unknown): Enrolled | undefined {
  const parsed = RECORD.safeParse(record);
  if (!parsed.success || !CREDENTIAL_ID.test(id)) return undefined;
  return { ...parsed.data, id };
}

/** The record of an approver, to be kept under its id. */
export function recordOf(approver: Enrolled): z.output<typeof RECORD> {
  const { name, origin, rpId, publicKey, counter, last, transports, addedAt, backedUp } = approver;
  return RECORD.parse({ v: 1, name, origin, rpId, publicKey, counter, last, transports, addedAt, backedUp });
}
