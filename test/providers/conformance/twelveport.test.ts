import { conformance } from "./conformance.ts";
import { twelveportWorld } from "./worlds/twelveport.ts";

conformance(twelveportWorld, [
  "answers an unknown name with the close ones there are",
  "finds twenty names among those it knows",
]);
