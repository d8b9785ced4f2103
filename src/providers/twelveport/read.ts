import { VaultError } from "../../core/errors.ts";
import type { Each } from "../../core/ports.ts";
import type { Handle } from "../../core/request.ts";
import { Secret } from "../../core/secret.ts";
import { quoted } from "../../core/text.ts";
import type { Access } from "./access.ts";
import type { Api } from "./api.ts";
import { type Assets, eachOf } from "./assets.ts";
import { assetsOf, placeOf } from "./handles.ts";
import type { Credentials, Field } from "./replies.ts";

/** What reading needs to know. */
export interface Reading {
  readonly api: Pick<Api, "credentials">;
  readonly access: Access;
  readonly assets: Assets;
}

/** Reads assets by their ids, with one call for all fields of one. */
export async function readAssets(
  handles: readonly Handle[],
  reading: Reading,
  signal: AbortSignal,
): Promise<Each<Secret>> {
  const ids = assetsOf(handles);
  const each = await eachOf(ids, (id) => readAsset(id, reading, signal));
  const found = new Map(ids.map((id, at) => [id, each[at]]));
  return handles.map((handle) => {
    const { id, field } = placeOf(handle.ref);
    const credentials = found.get(id);
    if (credentials === undefined) throw new RangeError("no outcome for an asset");
    if (credentials instanceof VaultError) return explained(credentials, handle, reading.assets.ownName(id));
    const value = credentials[field];
    return value === undefined ? lacking(reading.assets.label(id), field, credentials) : new Secret(value);
  });
}

async function readAsset(id: string, { api, access }: Reading, signal: AbortSignal): Promise<Credentials | VaultError> {
  const done = access.begin(id);
  try {
    const credentials = await api.credentials(id, signal);
    if (credentials === "restricted") return access.refused(id);
    access.given(id);
    return credentials;
  } catch (error) {
    if (error instanceof VaultError) return error;
    throw error;
  } finally {
    done();
  }
}

/** What 12Port has shown was there; an id that was only given may never have been. */
function explained(error: VaultError, { name, checked }: Handle, ownName: string | undefined): VaultError {
  if (error.code !== "secret_not_found") return error;
  if (checked) {
    return new VaultError("conflict", `${quoted(name)} was not read: the asset has gone since the request was made`, {
      hint: "make the same request again; a person will be asked about what is there now",
    });
  }
  if (ownName === undefined) return error;
  return new VaultError("secret_not_found", error.message, {
    hint: `the id of ${quoted(ownName)} in the vault's assets is wrong; tell the user to correct it`,
    cause: error,
  });
}

function lacking(label: string, field: Field, credentials: Credentials): VaultError {
  const has = Object.keys(credentials).join(", ");
  return new VaultError("secret_not_found", `asset ${quoted(label)} has no ${field}`, {
    hint: has === "" ? "there is nothing in it" : `it has ${has}: call again with one of them as field`,
  });
}
