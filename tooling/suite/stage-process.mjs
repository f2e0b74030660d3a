// One job in a process of its own: `stage-process.mjs '{ "stage", "packages", "filtered", "folder" }'`.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readRepository } from "../checks/repository.mjs";
import { quietEnvironment, root, SetupError } from "../setup/setup.mjs";

const { stage, packages: names, filtered, folder } = JSON.parse(process.argv[2]);
const repository = readRepository(root);
const packages = repository.packages.filter(({ name }) => names.includes(name));
/** @type {import("./suite.mjs").Context} */
const context = { root, repository, packages, filtered, cache: folder, environment: quietEnvironment };
const { run, together } = await import(`./stages/${stage}.mjs`);
/** @type {import("./suite.mjs").Outcomes} */
let outcomes;
try {
  outcomes = { [together === undefined ? "all" : "each"]: await run(context) };
} catch (error) {
  console.log(error instanceof SetupError ? error.message : error);
  outcomes = { all: { passed: 0, failed: 1 } };
}
writeFileSync(join(folder, "outcome.json"), JSON.stringify(outcomes));
