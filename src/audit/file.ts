import type { Contents, StateFile } from "../state/file.ts";

/** The audit log, as errors speak of it wherever it lies. */
export const AUDIT_LOG: Contents = {
  name: "the audit log",
  code: "audit_unavailable",
  elsewhere: "set audit.database to another place",
  anew: "restart agent-vault to begin a new log",
};

export function auditFile(path: string): StateFile {
  return { ...AUDIT_LOG, path };
}
