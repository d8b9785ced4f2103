import * as defining from "./sentences/defining.ts";
import * as fields from "./sentences/fields.ts";
import * as handles from "./sentences/handles.ts";
import * as listing from "./sentences/listing.ts";
import * as names from "./sentences/names.ts";
import * as preparing from "./sentences/preparing.ts";
import * as trouble from "./sentences/trouble.ts";
import * as values from "./sentences/values.ts";
import * as writing from "./sentences/writing.ts";
import type { Sentence } from "./sentence.ts";

/** Every promise of a provider, in the order they are best read. */
export const SENTENCES: readonly Sentence[] = [
  defining,
  listing,
  names,
  handles,
  values,
  fields,
  preparing,
  writing,
  trouble,
].flatMap((group) => Object.values<unknown>(group).filter(isSentence));

function isSentence(thing: unknown): thing is Sentence {
  return typeof thing === "object" && thing !== null && "play" in thing;
}

export function sentenceOf(title: string): Sentence {
  const found = SENTENCES.find((sentence) => sentence.title === title);
  if (!found) throw new RangeError(`there is no sentence "${title}"`);
  return found;
}
