import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { ReadStream, WriteStream } from "node:tty";

/** The person at the keyboard: not a pipe, and not what a program that started us reads or writes. */
export interface Terminal {
  readonly say: (text: string) => void;
  /** One line that was typed; undefined when the terminal is gone or the signal aborts. */
  readonly ask: (question: string, signal: AbortSignal) => Promise<string | undefined>;
  readonly close: () => void;
}

/** The terminal this process was started from: standard input where that is one, else /dev/tty. Undefined where there is none. */
export function openTerminal(): Terminal | undefined {
  if (process.stdin.isTTY && process.stderr.isTTY)
    return terminalOver(process.stdin, process.stderr, () => process.stdin.pause());
  if (process.platform === "win32") return undefined;
  let fd: number;
  try {
    fd = openSync("/dev/tty", "r+");
  } catch {
    return undefined;
  }
  try {
    const [input, output] = [new ReadStream(fd), new WriteStream(fd)];
    return terminalOver(input, output, () => {
      input.destroy();
      output.destroy();
    });
  } catch {
    closeSync(fd);
    return undefined;
  }
}

function terminalOver(input: NodeJS.ReadStream, output: NodeJS.WriteStream, close: () => void): Terminal {
  return {
    say: (text) => void output.write(text),
    ask: async (question, signal) => {
      // Lines as the terminal itself makes them: Ctrl-C ends the program, as everywhere.
      const lines = createInterface({ input, output, terminal: false });
      try {
        const ended = new AbortController();
        lines.once("close", () => ended.abort());
        return await lines.question(question, { signal: AbortSignal.any([signal, ended.signal]) });
      } catch (error) {
        if (error instanceof Error && error.name === "AbortError") return undefined;
        throw error;
      } finally {
        lines.close();
      }
    },
    close,
  };
}
