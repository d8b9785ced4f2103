import type { Provider } from "../../../../src/core/ports.ts";
import type { ProviderContext } from "../../../../src/providers/define.ts";
import { fakeOnePassword } from "../../../support/fake-onepassword.ts";

/** Opens it on an account in this process, which goes silent when the first line comes and then says who has called. */
export function open(_: unknown, context: ProviderContext): Promise<Provider> {
  const fake = fakeOnePassword({ vaults: [{ title: "Work", items: { DB_PASSWORD: "hunter2-4711" } }] });
  if (process.env["BUSY"] === "1") {
    process.stdin.once("data", () => {
      fake.before = () => void process.stdout.write("called\n");
      fake.fail("silent");
    });
  }
  return fake.open(context);
}
