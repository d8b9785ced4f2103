/** The requests whose names are just being looked up, each once however many calls make it. */
export class Lookups {
  readonly #underWay = new Map<string, Map<string, number>>();

  /** How many requests of a session besides this one are being looked up. */
  besides(session: string, key: string): number {
    const keys = this.#underWay.get(session);
    return keys ? keys.size - (keys.has(key) ? 1 : 0) : 0;
  }

  /** Counts the request while the work lasts. */
  async during<T>(session: string, key: string, work: () => Promise<T>): Promise<T> {
    const keys = this.#underWay.get(session) ?? new Map<string, number>();
    this.#underWay.set(session, keys);
    keys.set(key, (keys.get(key) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (keys.get(key) ?? 1) - 1;
      if (left > 0) keys.set(key, left);
      else keys.delete(key);
      if (keys.size === 0) this.#underWay.delete(session);
    }
  }
}
