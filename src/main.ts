import { Console } from "node:console";
import type { ExitStatus } from "./core/errors.ts";

/** How long the end may take before the process goes anyway: law 9 gives two seconds in all. */
const END_MS = 1_500;
const PARENT_CHECK_MS = 1_000;
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

const say = (line: string): void => void process.stderr.write(`agent-vault: ${line}\n`);

// Clients that hide what we say may also close it: that is their business, and no reason to stop.
process.stderr.on("error", () => {});

// stdout belongs to the protocol, whatever a library thinks of it.
globalThis.console = new Console(process.stderr);

const args = process.argv.slice(2);
if (args.length > 0) void runCommandLine();
else void serve();

async function runCommandLine(): Promise<void> {
  const [{ runCommand }, { services }] = await Promise.all([import("./cli/run-command.ts"), import("./app.ts")]);
  const out = (text: string): void => void process.stdout.write(text);
  const err = (text: string): void => void process.stderr.write(text);
  let isHandingOver = false;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // Whoever hands something over tells by itself what became of it.
    if (isHandingOver) return;
    // A reader that stops reading (head, less) ends the command quietly.
    if (error.code === "EPIPE") process.exit(0);
    say(`standard output cannot be written (${error.code ?? "unknown"})`);
    process.exit(1);
  });
  const handOver = (text: string): Promise<boolean> => {
    isHandingOver = true;
    return new Promise((taken) => void process.stdout.write(text, (error) => taken(!error)));
  };
  // Whatever ends the process before the command is done, that is no success.
  process.exitCode = 1;
  try {
    const own = { program: process.argv[1] ?? "", say, onFault: report, ends, handOver, asked };
    const status = await runCommand(args, { out, err, isOnTerminal: process.stdout.isTTY }, await services(own));
    process.exitCode = status;
  } catch (error) {
    crash(error);
  }
}

async function serve(): Promise<void> {
  const { startServer } = await import("./app.ts");
  const server = await startServer({ say, onFault: report });
  if (process.stdin.isTTY) say("waiting for an MCP client on standard input; for people: agent-vault --help");
  let ending = false;
  const end = (why: string, status: number): void => {
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(status), END_MS).unref();
    // What was written goes out first, if the client takes it in time.
    const flushed = (): Promise<void> => new Promise((done) => void process.stdout.write("", () => done()));
    server
      .close(why)
      .then(flushed)
      .then(
        () => process.exit(status),
        () => process.exit(1),
      );
  };
  process.stdin.once("end", () => end("the client closed the connection", 0));
  process.stdin.once("close", () => end("the client closed the connection", 0));
  process.stdin.once("error", () => end("the connection to the client broke", 0));
  process.stdout.once("error", () => end("the client stopped reading", 0));
  void server.closed.then((why) => end(why, 0));
  for (const signal of SIGNALS) process.on(signal, () => end(`signal ${signal}`, 0));
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) end("the client is gone", 0);
  }, PARENT_CHECK_MS).unref();
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => {
      report(error);
      end("agent-vault failed", 1);
    });
  }
}

function ends(): { input: NodeJS.ReadStream; output: NodeJS.WriteStream } {
  return { input: process.stdin, output: process.stdout };
}

/** For a command that runs until it is told to end. */
function asked(after: ExitStatus): Promise<string> {
  return new Promise((resolve) => {
    const end = (why: string, status: number): void => {
      setTimeout(() => process.exit(status), END_MS).unref();
      resolve(why);
    };
    for (const signal of SIGNALS) process.on(signal, () => end(`signal ${signal}`, after));
    for (const event of ["uncaughtException", "unhandledRejection"] as const) {
      process.on(event, (error: unknown) => {
        report(error);
        end("agent-vault failed", 1);
      });
    }
  });
}

function crash(error: unknown): void {
  report(error);
  process.exitCode = 1;
}

/** Where it happened and what kind it was; never the message, which could hold anything. */
function report(error: unknown): void {
  const kind = error instanceof Error ? error.name : typeof error;
  say(`failed in a way it does not know (${/^\w{1,40}$/.test(kind) ? kind : "an error"}); please report this:`);
  for (const frame of framesOf(error)) process.stderr.write(`${frame}\n`);
}

/** The stack without the message before it, which may itself have lines that look like frames. */
function framesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const { stack = "", message } = error;
  const at = stack.indexOf(message);
  if (at === -1) return [];
  const lines = stack.slice(at + message.length).split("\n");
  return lines.filter((line) => /^\s+at [\x20-\x7e]+$/.test(line)).slice(0, 12);
}
