// The promise that the people of a 12Port vault are asked once, with a count that takes its time.
import { expect, it } from "vitest";
import { killSomewhere, PASSWORD, ward } from "../../providers/twelveport/children.ts";
import { share } from "../../support/share.ts";

it("asks once although it was killed at any moment, 150 times over", { timeout: 900_000 }, async () => {
  const wrong: unknown[] = [];
  for (let round = 0; round < share(150); round++) {
    const made = await ward();
    const { line, requests } = await killSomewhere(made, 150);
    if (line.value !== PASSWORD || requests !== 1) wrong.push({ line, requests });
    await made.fake.close();
  }
  expect(wrong).toEqual([]);
});
