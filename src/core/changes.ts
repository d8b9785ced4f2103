/** Something that can be waited for: it has a version, which grows with every change. */
export class Changes {
  #version = 1;
  readonly #watchers = new Set<() => void>();

  get version(): number {
    return this.#version;
  }

  bump(): void {
    this.#version += 1;
    for (const watcher of this.#watchers) watcher();
  }

  /** Resolves when the version is past this one, or the signal aborts. */
  after(version: number, signal: AbortSignal): Promise<void> {
    if (this.#version > version || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#watchers.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#watchers.add(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }
}
