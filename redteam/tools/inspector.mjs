// Looks into a Node process through its inspector: "signal PID PATTERN" has it opened by SIGUSR1, "port PORT PATTERN" finds
// it open.
const [how, where, pattern] = process.argv.slice(2);
if (how === "signal") {
  try {
    process.kill(Number(where), "SIGUSR1");
  } catch (error) {
    console.log(`refused: ${error.code}`);
    process.exit();
  }
}
const port = how === "signal" ? 9229 : Number(where);
let targets;
for (let round = 0; round < 15 && !targets; round += 1) {
  targets = await fetch(`http://127.0.0.1:${port}/json/list`).then(
    (answer) => answer.json(),
    () => undefined,
  );
  if (!targets) await new Promise((resolve) => setTimeout(resolve, 100));
}
if (!targets?.length) {
  console.log("closed");
  process.exit();
}
console.log(`opened: ${targets[0].title}, ${pattern}`);
process.exit();
