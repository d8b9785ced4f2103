import type { Capability } from "../../../src/providers/define.ts";
import { onStage, type Stage } from "./stage.ts";
import type { Backend, Fault, ProviderWorld } from "./world.ts";

/** One promise that every provider keeps. */
export interface Sentence {
  readonly title: string;
  /** What a vault must be able to do for the promise to mean something. */
  readonly needs: readonly Capability[];
  /** Rejects when the provider of this world breaks the promise. */
  readonly play: (world: ProviderWorld) => Promise<void>;
}

/** Writes a sentence. Values and tokens are searched for at the end of each, whatever it is about. */
export function sentence(title: string, needs: readonly Capability[], play: (stage: Stage) => Promise<void>): Sentence {
  return { title, needs, play: (world) => onStage(world, play) };
}

/** Breaks the backend; a world that cannot has to say so by exempting the sentence. */
export async function breakBackend(backend: Backend, fault: Fault): Promise<void> {
  if (!backend.break) throw new Error(`this world cannot play "${fault}" and does not exempt it`);
  await backend.break(fault);
}

/** A door of the backend that this sentence cannot do without. */
export function door<Name extends keyof Backend>(backend: Backend, name: Name): NonNullable<Backend[Name]> {
  const found = backend[name];
  if (found === undefined || found === null)
    throw new Error(`this world has no ${name} and does not exempt the sentence`);
  return found;
}
