// A log that many sessions have written, made with the program's own schema, statements and rows.
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { REASON } from "./house.mjs";

const SRC = fileURLToPath(new URL("../src/", import.meta.url));
const ROWS_PER_COMMIT = 20_000;
const YEAR_MS = 365 * 24 * 60 * 60_000;
const BUSY_MS = 1_000;

/** Writes `wanted` events of the past year into a new log. Resolves with the seconds it took. */
export async function fillLog(file, wanted) {
  const from = performance.now();
  const { openBook, loadDriver, AUDIT_LOG, toRow, idSource } = await auditParts();
  const now = Date.now();
  const driver = loadDriver(AUDIT_LOG, createRequire(import.meta.url));
  const book = openBook({ driver, file, instance: idSource()(), now: () => now, busyMs: BUSY_MS });
  const events = history(dirname(file), idSource, { from: now - YEAR_MS, step: YEAR_MS / wanted });
  let rows = [];
  for (let i = 0; i < wanted; i++) {
    rows.push(toRow(events.next().value));
    if (rows.length < ROWS_PER_COMMIT) continue;
    book.write(rows, BUSY_MS);
    rows = [];
  }
  book.end(rows, BUSY_MS);
  return (performance.now() - from) / 1000;
}

/** What writes the log, compiled for this process. */
async function auditParts() {
  const folder = mkdtempSync(join(tmpdir(), "agent-vault-bench-audit-"));
  const outfile = join(folder, "audit.mjs");
  try {
    await build({
      stdin: {
        contents: `
          export { openBook } from "./audit/book.ts";
          export { AUDIT_LOG } from "./audit/file.ts";
          export { loadDriver } from "./state/driver.ts";
          export { toRow } from "./audit/rows.ts";
          export { idSource } from "./core/ids.ts";`,
        resolveDir: SRC,
      },
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      external: ["better-sqlite3"],
      logLevel: "silent",
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What sessions do, one after the other: ask, be approved or denied, read inside the window until it ends. */
function* history(folder, idSource, { from, step }) {
  let at = from;
  const requester = {
    claims: { client: "claude-code 2.4.1", roots: ["file:///home/user/projects/shop"] },
    facts: { user: "user", host: "laptop", folder: "/home/user/projects/shop", process: "claude" },
  };
  for (let round = 0; ; round++) {
    const newId = idSource();
    const session = newId();
    const name = `SERVICE_${round % 400}_TOKEN`;
    const about = {
      session,
      request: newId(),
      vault: round % 3 === 0 ? "prod" : "dev",
      provider: "env",
      action: "read",
      names: [name],
      refs: [JSON.stringify([join(folder, "secrets.env"), name])],
      reason: REASON,
      requester,
    };
    const tick = () => Math.round((at += step));
    yield { kind: "started", at: tick(), detail: "agent-vault 0.1.0" };
    yield { kind: "listed", at: tick(), session };
    yield { ...about, kind: "requested", at: tick() };
    if (round % 10 === 0) {
      yield { ...about, kind: "denied", at: tick(), proof: "link" };
      continue;
    }
    const approval = about.request;
    const until = Math.round(at + 60 * 60_000);
    yield { ...about, kind: "approved", at: tick(), approval, proof: "link", scope: "secret", until };
    for (let use = 0; use < 1 + (round % 20); use++) {
      const one = { ...about, request: newId(), release: newId(), approval };
      const basis = use === 0 ? { basis: "asked" } : { basis: "window", until };
      yield { ...one, ...basis, kind: "releasing", at: tick() };
      yield { ...one, ...basis, kind: "released", at: tick() };
    }
    yield { ...about, kind: "window_ended", at: tick(), approval };
    yield { kind: "stopped", at: tick(), detail: "the client closed the connection" };
  }
}
