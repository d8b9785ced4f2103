import type { Readable } from "node:stream";

/** As MCP has it on the other side: a message has no more bytes than this. */
const LONGEST = 10 * 1024 * 1024;

/** The lines of a stream, one at a time, which can then be left to somebody else with what has not been taken yet. */
export class Lines {
  readonly #from: Readable;
  readonly #take: (line: string) => void;
  readonly #over: () => void;
  #rest = Buffer.alloc(0);
  #left = false;

  /** `over` is called once: the stream has ended, or holds no lines. */
  constructor(from: Readable, take: (line: string) => void, over: () => void) {
    this.#from = from;
    this.#take = take;
    this.#over = over;
    from.on("data", this.#data).once("end", this.#ended).once("close", this.#ended).once("error", this.#ended);
  }

  /** Takes no more lines. The stream is paused, and begins with what was not taken. */
  leave(): void {
    if (this.#left) return;
    this.#stop();
    this.#from.pause();
    if (this.#rest.length > 0) this.#from.unshift(this.#rest);
  }

  #stop(): void {
    this.#left = true;
    this.#from.off("data", this.#data).off("end", this.#ended).off("close", this.#ended).off("error", this.#ended);
  }

  readonly #data = (chunk: Buffer): void => {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const end = this.#rest.indexOf("\n");
      if (end === -1) break;
      const line = this.#rest.toString("utf8", 0, end);
      this.#rest = this.#rest.subarray(end + 1);
      this.#take(line);
      if (this.#left) return;
    }
    if (this.#rest.length > LONGEST) this.#ended();
  };

  readonly #ended = (): void => {
    if (this.#left) return;
    this.#stop();
    this.#over();
  };
}
