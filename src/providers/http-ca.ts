import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { VaultError } from "../core/errors.ts";
import { visible } from "../core/text.ts";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/**
 * The certificates a `ca` option means: PEM text, or the path of a file of it; `~/` is the home folder, anything
 * relative starts in `folder`. Whatever else stands there, a private key say, is left out. Throws `config_invalid`.
 */
export async function readCa(ca: string, folder: string): Promise<string> {
  const isText = ca.includes("-----BEGIN ");
  const file = /^~[/\\]/.test(ca) ? join(homedir(), ca.slice(2)) : resolve(folder, ca);
  const where = isText ? "the ca option" : `the ca file ${visible(file)}`;
  const text = isText ? ca : await read(file, where);
  const certificates = text.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) {
    throw new VaultError("config_invalid", `${where} holds no certificate`, {
      hint: "tell the user that it has to be PEM: -----BEGIN CERTIFICATE----- and so on",
    });
  }
  try {
    return certificates.map((each) => new X509Certificate(each).toString()).join("");
  } catch {
    throw new VaultError("config_invalid", `${where} holds a certificate that cannot be read`, {
      hint: "tell the user to export it once more, as PEM",
    });
  }
}

async function read(file: string, where: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    throw new VaultError("config_invalid", `${where} cannot be read${code}`, {
      hint: "tell the user to correct its path in the configuration",
    });
  }
}
