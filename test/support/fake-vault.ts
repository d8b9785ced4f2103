import { VaultError } from "../../src/core/errors.ts";
import type { Each, Provider, Saved } from "../../src/core/ports.ts";
import type { Handle, Plan } from "../../src/core/request.ts";
import { Secret } from "../../src/core/secret.ts";

/**
 * A vault in memory that behaves as the env file does: names are keys, handles are checked, reads are by handle. Keys
 * written `item#field` are the fields of an item, once `hasFields` was called; its default field is "password".
 */
export class FakeVault implements Provider {
  readonly secrets: Map<string, string>;
  fields?: NonNullable<Provider["fields"]>;
  prepare?: NonNullable<Provider["prepare"]>;
  /** What stands against reading a ref, before anything of it is read. See fake-people.ts. */
  blocks: (ref: string) => VaultError | undefined = () => undefined;
  reads = 0;
  resolves = 0;
  /** Awaited before each read: a test can hold a value back. */
  gate: Promise<void> = Promise.resolve();
  fails: VaultError | undefined;

  constructor(secrets: Record<string, string>) {
    this.secrets = new Map(Object.entries(secrets));
  }

  readonly list = (): Promise<readonly string[]> => Promise.resolve([...this.secrets.keys()]);

  readonly resolve = (names: readonly string[]): Promise<Each<Handle>> => {
    this.resolves += 1;
    return Promise.resolve(
      names.map((name) => {
        if (this.secrets.has(name)) return { name, ref: `id:${name}`, checked: true };
        return this.fields ? this.#field(name, "password") : missing(name);
      }),
    );
  };

  /** From now on its secrets are items with fields. */
  hasFields(): void {
    this.fields = (name, wanted) => {
      this.resolves += 1;
      const all = [...this.secrets.keys()].flatMap((key) => (key.startsWith(`${name}#`) ? [key.split("#")[1]] : []));
      const found = (wanted[0] === "*" ? all : wanted).map((field) => this.#field(name, field ?? ""));
      const fault = found.find((each) => each instanceof VaultError);
      if (fault instanceof VaultError) return Promise.reject(fault);
      return Promise.resolve(found.filter((each): each is Handle => !(each instanceof VaultError)));
    };
  }

  #field(name: string, field: string): Handle | VaultError {
    if (!this.secrets.has(`${name}#${field}`)) return missing(`${name}#${field}`);
    return { name, ref: `id:${name}#${field}`, checked: true, field };
  }

  readonly read = async (handles: readonly Handle[]): Promise<Each<Secret>> => {
    await this.gate;
    this.reads += 1;
    if (this.fails) throw this.fails;
    return handles.map((handle) => {
      const blocked = this.blocks(handle.ref);
      if (blocked) return blocked;
      const value = this.secrets.get(handle.ref.slice(3));
      return value === undefined ? new VaultError("conflict", `"${handle.name}" is gone`) : new Secret(value);
    });
  };

  readonly planWrite = (entries: readonly { name: string }[]): Promise<Each<Plan>> => {
    this.resolves += 1;
    return Promise.resolve(
      entries.map(({ name }) => ({
        name,
        ref: `id:${name}`,
        checked: true,
        effect: this.secrets.has(name) ? ("replace" as const) : ("create" as const),
      })),
    );
  };

  readonly write = async (entries: readonly { plan: Plan; value: Secret }[]): Promise<Each<Saved>> => {
    await this.gate;
    if (this.fails) throw this.fails;
    return entries.map(({ plan, value }) => {
      this.secrets.set(plan.name, value.reveal());
      return { saved: true as const };
    });
  };
}

function missing(name: string): VaultError {
  return new VaultError("secret_not_found", `there is no secret "${name}"`, { hint: "call list_secrets" });
}
