// One job in a process of its own: `stage-process.mjs '{ "stage", "packages", "parts", "filtered", "folder" }'`.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readRepository } from "../checks/repository.mjs";
import { quietEnvironment, root, SetupError } from "../setup/setup.mjs";

const { stage, packages: names, parts, filtered, folder } = JSON.parse(process.argv[2]);
const repository = readRepository(root);
const packages = repository.packages.filter(({ name }) => names.includes(name));
/** @type {import("./suite.mjs").Context} */
const context = { root, repository, packages, parts, filtered, cache: folder, environment: quietEnvironment };
const { run, together } = await import(`./stages/${stage}.mjs`);
/** @type {import("./suite.mjs").Outcomes} */
let outcomes;
try {
  outcomes = { [together === undefined ? "all" : "each"]: await run(context) };
} catch (error) {
  console.log(error instanceof SetupError ? error.message : error);
  outcomes = { all: { passed: 0, failed: 1 } };
}
keepWaitedTime();
writeFileSync(join(folder, "outcome.json"), JSON.stringify(outcomes));

/** Microseconds of processor time of this process and of all that it waited for, browsers and compilers included. */
function keepWaitedTime() {
  try {
    const stat = readFileSync("/proc/self/stat", "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // In hundredths of a second: user and system time, and those of ended children.
    const ticks = fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0);
    writeFileSync(join(folder, "waited"), String(ticks * 10_000));
  } catch {
    // Only Linux tells; elsewhere Node's own processes are counted.
  }
}
