import { envWorld } from "./worlds/env.ts";
import { onepasswordWorld } from "./worlds/onepassword.ts";
import { twelveportWorld } from "./worlds/twelveport.ts";
import type { ProviderWorld } from "./world.ts";

/** A world for each kind of vault. A provider without one is not done. */
export const WORLDS: readonly ProviderWorld[] = [envWorld, onepasswordWorld, twelveportWorld];
