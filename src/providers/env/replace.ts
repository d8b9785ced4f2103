import { randomBytes } from "node:crypto";
import { open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Stats } from "node:fs";
import { VaultError } from "../../core/errors.ts";
import { visible } from "../../core/text.ts";
import { codeOf, unusable } from "./file.ts";

/** Who may read a file that did not exist before: its owner. */
const NEW_FILE_MODE = 0o600;

/**
 * Puts a new content in the place of a file in one step: whoever reads sees the old one or the new one, whole, also
 * after a crash. Mode and owner stay as they were. `still` is asked at the last moment; when it says no, nothing
 * changes and the answer is false. A full disk or a refusal leaves the old file and nothing else. Only for the holder of
 * the file's lock.
 */
export async function replaceFile(
  path: string,
  text: string,
  options: { readonly old: Stats | undefined; readonly still: () => boolean },
): Promise<boolean> {
  const folder = dirname(path);
  const prefix = `${basename(path)}.tmp-`;
  await sweep(folder, prefix);
  const draft = join(folder, `${prefix}${randomBytes(8).toString("hex")}`);
  try {
    await writeDraft(draft, path, text, options.old);
    if (!options.still()) return false;
    await moveOver(draft, path);
  } catch (error) {
    throw unusable(path, error);
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(folder, path);
  return true;
}

async function writeDraft(draft: string, path: string, text: string, old: Stats | undefined): Promise<void> {
  const file = await open(draft, "wx", NEW_FILE_MODE);
  try {
    await file.writeFile(text, "utf8");
    if (old) {
      const own = await file.stat();
      if (own.uid !== old.uid || own.gid !== old.gid) {
        await file.chown(old.uid, old.gid).catch((cause: unknown) => {
          throw new VaultError("provider_unavailable", `env file ${visible(path)} belongs to another user or group`, {
            hint: "saving would take it from them; make the file your own, or write to another one",
            cause,
          });
        });
      }
      // After the owner, since a change of owner can take bits away. The umask has no say in this one.
      await file.chmod(old.mode & 0o7777);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

async function moveOver(draft: string, path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await rename(draft, path);
    } catch (error) {
      // On Windows a file cannot be replaced in the very moment somebody reads it.
      if (process.platform !== "win32" || attempt === 10 || !/^E(PERM|BUSY|ACCES)$/.test(codeOf(error) ?? ""))
        throw error;
      await sleep(attempt * 20);
    }
  }
}

// Drafts of writers that were killed hold secrets. Whoever holds the lock knows that nobody is writing one now.
async function sweep(folder: string, prefix: string): Promise<void> {
  try {
    for (const file of await readdir(folder)) {
      if (file.startsWith(prefix) && /^[0-9a-f]{16}$/.test(file.slice(prefix.length)))
        await rm(join(folder, file), { force: true });
    }
  } catch (error) {
    throw unusable(folder, error);
  }
}

// The rename itself becomes durable with the folder. Windows knows no such thing.
async function syncFolder(folder: string, path: string): Promise<void> {
  if (process.platform === "win32") return;
  try {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new VaultError(
      "provider_unavailable",
      `env file ${visible(path)} was saved but may not outlast a power cut`,
      {
        hint: "check the disk; reading the secret back shows what was kept",
        cause,
      },
    );
  }
}
