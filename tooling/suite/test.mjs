// `npm test`: sets up, runs every stage, ends with `N passed, N failed`.
// It starts before anything is installed: what needs an installed package is imported after the set-up.
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { matchingPackages, readRepository } from "../checks/repository.mjs";
import { quietEnvironment, root, SetupError, setUp } from "../setup/setup.mjs";

const usage = `npm test                      everything; what has passed before and has not changed is not run again
npm test -- --filter <name>   one package (its name or folder), in seconds; several: one --filter for each
npm test -- --changed         the packages that differ from main, and those that stand on them
npm test -- --fresh           runs also what has passed before

With OFFPRINT_REQUIRE_ALL=1 whatever cannot run because a device or program is absent counts as failed.`;

/** @param {string[]} args */
function parse(args) {
  /** @type {{ filter?: string[], changed?: boolean, fresh?: boolean, help?: boolean }} */
  const options = {};
  const words = args.flatMap((word) => (word.startsWith("--filter=") ? ["--filter", word.slice(9)] : [word]));
  for (let k = 0; k < words.length; k++) {
    if (words[k] === "--filter" && words[k + 1]) options.filter = [...(options.filter ?? []), words[++k]];
    else if (words[k] === "--changed") options.changed = true;
    else if (words[k] === "--fresh") options.fresh = true;
    else if (words[k] === "--help") options.help = true;
    else return { error: `unknown argument: ${words[k]}` };
  }
  if (options.filter && options.changed) return { error: "--filter and --changed: choose one" };
  return options;
}

/** @param {string[]} args */
function git(args) {
  const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new SetupError(`git ${args.join(" ")} failed: --changed needs a clone with a branch main`);
  return stdout.split("\n").filter(Boolean);
}

function changedFiles() {
  const [base] = git(["merge-base", "main", "HEAD"]);
  return [...git(["diff", "--name-only", base]), ...git(["ls-files", "--others", "--exclude-standard"])];
}

/**
 * @param {{ filter?: string[], changed?: boolean, fresh?: boolean }} options
 * @returns {Promise<number>} exit code
 */
async function main({ filter, changed, fresh = false }) {
  const begun = performance.now();
  setUp();
  const installed = (performance.now() - begun) / 1000;
  const { reachedBy } = await import("./fingerprint.mjs");
  const { loadStages, plan } = await import("./plan.mjs");
  const { runLanes } = await import("./lanes.mjs");
  const { rowsOf, summary } = await import("./suite.mjs");
  const { budgetTable, overBudget, usesOf } = await import("./budgets.mjs");
  const { Pace } = await import("./pace.mjs");

  const repository = readRepository(root);
  const unknown = filter?.find((name) => matchingPackages(repository, name).length === 0);
  if (unknown !== undefined) {
    const names = repository.packages.map(({ name }) => name).join(", ");
    console.error(`No package is named ${unknown}. There are: ${names}`);
    return 2;
  }
  const selected = filter
    ? [...new Set(filter.flatMap((name) => matchingPackages(repository, name)))]
    : changed
      ? reachedBy(repository.packages, changedFiles())
      : repository.packages;
  if (selected.length === 0) {
    console.error("No package differs from main.");
    return 0;
  }
  const stages = await loadStages();
  const filtered = filter !== undefined || changed === true;
  const jobs = plan(stages, repository, selected, { filtered, fresh });
  const cache = join(root, "node_modules", ".cache", "offprint");
  const lanes = Math.max(1, availableParallelism());
  const pace = new Pace();
  pace.start();
  // Tests that keep what they have seen look at all anew, too.
  const environment = fresh ? { ...quietEnvironment, OFFPRINT_FRESH: "1" } : quietEnvironment;
  const results = await runLanes(jobs, { lanes, cache, filtered, environment, pace, onResult: show });
  pace.stop();
  const rows = [
    { name: "install", passed: 1, failed: 0, seconds: installed },
    ...rowsOf(
      stages.map(({ name }) => name),
      results,
    ),
  ];
  const methods = new Set(repository.packages.filter(({ kind }) => kind === "method").map(({ slug }) => slug));
  const uses = usesOf(
    stages,
    results.map((result) => ({ ...result, method: methods.has(result.title) })),
  );
  console.log(`\n${budgetTable(uses)}`);
  const { text, failed } = summary(rows, process.env.OFFPRINT_REQUIRE_ALL === "1");
  const total = ((performance.now() - begun) / 1000).toFixed(0);
  const [last, ...before] = text.split("\n").reverse();
  // Told again at the end, which is what logs that are cut still show.
  const failures = results.flatMap(({ stage, title, failed, failures = [] }) =>
    failed === 0 ? [] : [`FAIL  ${stage} ${title}`, ...failures.map((line) => `      ${line}`)],
  );
  console.log([...before.reverse(), ...overBudget(uses), ...failures, `${total} s in ${lanes} lanes`, last].join("\n"));
  return failed === 0 ? 0 : 1;
}

/** What failed is shown whole, the rest as a line. */
function show(
  /** @type {import("./lanes.mjs").Result} */ { stage, title, passed, failed, cached, seconds, cpu, output },
) {
  const time = cached ? "as before" : `${seconds.toFixed(1)} s, ${cpu.toFixed(1)} s of CPU`;
  console.log(`${failed > 0 ? "FAIL" : "ok  "}  ${stage} ${title}: ${passed} passed, ${failed} failed (${time})`);
  if (failed > 0) console.log(output.replace(/^/gm, "      "));
}

const parsed = parse(process.argv.slice(2));
if ("error" in parsed || parsed.help) {
  console.log("error" in parsed ? `${parsed.error}\n\n${usage}` : usage);
  process.exitCode = "error" in parsed ? 2 : 0;
} else {
  try {
    process.exitCode = await main(parsed);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    console.log("0 passed, 1 failed");
    process.exitCode = 1;
  }
}
