import type { LoadResult } from "../config/config.ts";
import { placeText } from "../config/problem.ts";
import { visible } from "../core/text.ts";
import { finding, type Finding, toPerson } from "./finding.ts";

/** Where the configuration is and all that is wrong with it. */
export function checkConfiguration(loaded: LoadResult): Finding[] {
  if (loaded.ok) {
    const { source, warnings } = loaded.config;
    const where =
      source.is === "file" ? visible(source.path) : `no file, but variables: ${source.variables.join(", ")}`;
    return [finding("ok", "", where), ...warnings.map(({ message, hint }) => finding("warning", "", message, hint))];
  }
  if (loaded.problems.length === 0)
    return [finding("invalid", "", loaded.error.message, toPerson(loaded.error.hint ?? ""))];
  return [
    finding("note", "", loaded.path === undefined ? "no file, but variables" : visible(loaded.path)),
    ...loaded.problems.map((problem) => finding("invalid", placeText(problem), problem.message, problem.hint)),
  ];
}
