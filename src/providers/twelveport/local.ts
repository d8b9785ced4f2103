/** What this process knows of one asset; what other processes have to know as well stands in the ledger. */
export interface Local {
  /** Its last read was refused for want of an approval: the next `prepare` asks for one. */
  restricted: boolean;
  /** The ledger has it that this process waits for it or uses it. */
  joined: boolean;
  /** It was read under an approval of the vault's people. */
  used: boolean;
  /** How many reads of it are under way. */
  reading: number;
}

/** What this process knows, by asset. All of it dies with the process. */
export class Locals {
  readonly #assets = new Map<string, Local>();

  of(asset: string): Local {
    const known = this.#assets.get(asset) ?? { restricted: false, joined: false, used: false, reading: 0 };
    this.#assets.set(asset, known);
    return known;
  }

  /** The assets that this process waits for or uses. */
  joined(): readonly string[] {
    return [...this.#assets].filter(([, { joined }]) => joined).map(([asset]) => asset);
  }
}
