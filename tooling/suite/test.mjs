// `npm test [-- --filter <package>]`: sets up, runs every stage, ends with `N passed, N failed`.
// It starts before anything is installed: what needs an installed package is imported after the set-up.
import { join } from "node:path";
import { matchingPackages, readRepository } from "../checks/repository.mjs";
import { quietEnvironment, root, setUp } from "../setup/setup.mjs";
import { summary, timed } from "./suite.mjs";

const usage = `npm test                      everything
npm test -- --filter <name>   one package (its name or folder), in seconds

With OFFPRINT_REQUIRE_ALL=1 whatever cannot run because a device or program is absent counts as failed.`;

/** @param {string[]} args */
function parse(args) {
  if (args.length === 0) return {};
  if (args.includes("--help")) return { help: true };
  const [first, second, ...rest] = args[0].startsWith("--filter=")
    ? ["--filter", args[0].slice(9), ...args.slice(1)]
    : args;
  if (first !== "--filter" || !second || rest.length > 0) return { error: `unknown arguments: ${args.join(" ")}` };
  return { filter: second };
}

async function stages() {
  return Promise.all(
    ["types", "lint", "build", "unit", "checks", "readme", "published", "unused", "size", "claims"].map(
      (file) => import(`./stages/${file}.mjs`),
    ),
  );
}

/** @param {string | undefined} filter */
async function main(filter) {
  const repository = readRepository(root);
  const packages = filter ? matchingPackages(repository, filter) : repository.packages;
  if (packages.length === 0) {
    const names = repository.packages.map(({ name }) => name).join(", ");
    console.error(`No package is named ${filter}. There are: ${names}`);
    return 2;
  }
  /** @type {import("./suite.mjs").Row[]} */
  const rows = [];
  const setup = await timed("install", () => {
    setUp();
    return { passed: 1, failed: 0 };
  });
  rows.push(setup);
  if (setup.failed === 0) {
    const cache = join(root, "node_modules", ".cache", "offprint");
    const context = { root, repository, packages, filtered: Boolean(filter), cache, environment: quietEnvironment };
    for (const { name, run } of await stages()) {
      rows.push(await timed(name, () => run(context)));
    }
  }
  const { text, failed } = summary(rows, process.env.OFFPRINT_REQUIRE_ALL === "1");
  console.log(text);
  return failed === 0 ? 0 : 1;
}

const { help, error, filter } = parse(process.argv.slice(2));
if (help || error) {
  console.log(error ? `${error}\n\n${usage}` : usage);
  process.exitCode = error ? 2 : 0;
} else {
  process.exitCode = await main(filter);
}
