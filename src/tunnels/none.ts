import * as z from "zod";
import { defineTunnel } from "./define.ts";

/** No tunnel: the page answers on this machine and nowhere else. */
export const none = defineTunnel({
  type: "none",
  title: "none",
  summary: "The approval page is reachable on this computer only",
  options: z.strictObject({}),
  open: () => undefined,
});
