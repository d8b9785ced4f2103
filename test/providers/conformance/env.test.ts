import { conformance } from "./conformance.ts";
import { envWorld } from "./worlds/env.ts";

conformance(envWorld, [
  "answers a name that several secrets have with which there are",
  "answers at once when the call is cancelled",
  "asks for the names once when twenty ask at the same time",
  "ends its request at the vault when the call is cancelled",
  "fetches no value to find what a name means",
  "fetches no value to list the names",
  "finds a name in any script",
  "finds twenty names among those it knows",
  "follows nobody to another host",
  "gives up on a vault that never answers",
  "keeps names for a minute, and looks again after it",
  "lets the process end though the vault still owes an answer",
  "never reads the secret that has taken the name of the one shown",
  "says how it stands without fetching a value",
  "says that credentials are not accepted",
  "says that credentials have run out",
  "says that nobody listens",
  "says that something is not permitted",
  "says when to come back after too many calls",
  "takes a web page for no answer",
  "takes no answer of two megabytes",
  "trusts no certificate that vouches for itself",
  "writes to no name that several secrets have",
  "writes to the secret that was planned, or not, once its name means two",
]);
