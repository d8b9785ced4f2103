import { appendFileSync } from "node:fs";
import { register } from "node:module";

// Started with --import: registers itself as the hooks that note each module somebody asks for.
if (!import.meta.url.endsWith("#hooks")) register(`${import.meta.url}#hooks`);

export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  appendFileSync(process.env.LOADED, `${found.url}\n`);
  return found;
}
