import { closeSync, constants, openSync, writeSync } from "node:fs";
import { isatty } from "node:tty";

/** Where the person sits who started this, whatever became of its input and output. */
export interface ControllingTerminal {
  /** False when it is gone. */
  readonly say: (text: string) => boolean;
  readonly close: () => void;
}

/**
 * The terminal that controls this process, to write on; undefined where there is none. What stands in its place and is
 * no terminal is not written to.
 */
export function openControllingTerminal(): ControllingTerminal | undefined {
  if (process.platform === "win32") return undefined;
  let fd: number;
  try {
    fd = openSync("/dev/tty", constants.O_WRONLY | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
  if (!isatty(fd)) {
    closeSync(fd);
    return undefined;
  }
  return {
    say: (text) => {
      try {
        writeSync(fd, text);
        return true;
      } catch {
        return false;
      }
    },
    close: () => closeSync(fd),
  };
}
