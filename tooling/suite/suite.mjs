// What a stage is, and how what its jobs gave is summed up.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { quietEnvironment } from "../setup/setup.mjs";

/**
 * @typedef {object} Absence
 * @property {string} what the thing the machine lacks, with the remedy
 * @property {number} count tests or checks that did not run for it
 *
 * @typedef {object} Outcome
 * @property {number} passed tests and checks
 * @property {number} failed
 * @property {Absence[]} [notRun]
 * @property {string[]} [failures] what failed and why, a line each
 * @property {string[]} [reads] files that a part which is remembered by them has read
 * @property {number} [share] of the processor time of a process that looks at several packages; default as of the others
 *
 * @typedef {object} Outcomes what a process of a stage gives
 * @property {Outcome} [all]
 * @property {Record<string, Outcome>} [each] by the package's name or the part's, where a process does several
 *
 * @typedef {object} Context
 * @property {string} root
 * @property {import("../checks/repository.mjs").Repository} repository
 * @property {import("../checks/repository.mjs").Package[]} packages those to test
 * @property {boolean} filtered whether `packages` is a selection
 * @property {string[]} parts of the stage, where it has some
 * @property {string} cache folder for files of this job
 * @property {NodeJS.ProcessEnv} environment
 *
 * @typedef {(context: Context) => Outcome | Promise<Outcome>} Stage
 * @typedef {(context: Context) => Record<string, Outcome> | Promise<Record<string, Outcome>>} JointStage
 * @typedef {(pkg: import("../checks/repository.mjs").Package) => boolean} Chooses
 *
 * @typedef {object} Part what a stage looks at in a job of its own
 * @property {string} name
 * @property {(reads: string[]) => string} [digest] where it depends on files that another stage makes, and on which of
 * them only its run tells: their hash
 *
 * @typedef {object} StageModule a file of `stages/`
 * @property {string} name
 * @property {Stage | JointStage} run
 * @property {"package"} [scope] one job a package; without it one job for all
 * @property {Part[]} [parts] jobs that a package has of it; without them one
 * @property {number | ((pkg: import("../checks/repository.mjs").Package) => number)} [together] how many packages or
 * parts one process may look at, where starting it is much of the work, or infinity for all at once; `run` then gives an
 * outcome for each by its name
 * @property {Chooses} [chooses] the packages it is for
 * @property {string[] | ((pkg: import("../checks/repository.mjs").Package) => string[])} [needs] stages before it
 * @property {boolean | "tools"} [cached] of one job for all: whether it is left out where nothing has changed, or nothing
 * but methods and apps
 * @property {number} [budget] seconds of processor time that a method may take
 *
 * @typedef {Outcome & { name: string, seconds: number, cpu?: number, cached?: number }} Row
 */

/**
 * Runs the script of an installed development tool.
 *
 * @param {string} root
 * @param {string} script path inside node_modules
 * @param {string[]} args
 */
export function execute(root, script, args) {
  const result = spawnSync(process.execPath, [join(root, "node_modules", script), ...args], {
    cwd: root,
    env: quietEnvironment,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });
  return { status: result.status ?? 1, output: `${result.stdout ?? ""}${result.stderr ?? ""}` };
}

/**
 * Runs the script of an installed development tool with its output shown.
 *
 * @param {string} root
 * @param {string} script path inside node_modules
 * @param {string[]} args
 * @param {Record<string, string>} env
 * @returns {number} exit code
 */
export function executeShown(root, script, args, env) {
  const options = {
    cwd: root,
    env: { ...quietEnvironment, ...env },
    stdio: /** @type {import("node:child_process").StdioOptions} */ (["ignore", "inherit", "inherit"]),
  };
  return spawnSync(process.execPath, [join(root, "node_modules", script), ...args], options).status ?? 1;
}

/**
 * One outcome for all.
 *
 * @param {Outcome[]} outcomes
 * @returns {Outcome}
 */
export function addedUp(outcomes) {
  return {
    passed: outcomes.reduce((sum, { passed }) => sum + passed, 0),
    failed: outcomes.reduce((sum, { failed }) => sum + failed, 0),
    notRun: outcomes.flatMap(({ notRun = [] }) => notRun),
    failures: outcomes.flatMap(({ failures = [] }) => failures),
  };
}

/**
 * The rows of a summary: the results of a stage's jobs added up.
 *
 * @param {string[]} names of the stages, in order
 * @param {import("./lanes.mjs").Result[]} results
 * @returns {Row[]}
 */
export function rowsOf(names, results) {
  return names
    .map((name) => ({ name, jobs: results.filter(({ stage }) => stage === name) }))
    .filter(({ jobs }) => jobs.length > 0)
    .map(({ name, jobs }) => {
      const sum = (/** @type {"passed" | "failed" | "seconds" | "cpu"} */ key) =>
        jobs.reduce((total, job) => total + job[key], 0);
      const fresh = jobs.filter(({ cached }) => !cached);
      const cpu = fresh.reduce((total, job) => total + job.cpu, 0);
      const notRun = jobs.flatMap((job) => job.notRun ?? []);
      const cached = jobs.length - fresh.length;
      return { name, passed: sum("passed"), failed: sum("failed"), notRun, seconds: sum("seconds"), cpu, cached };
    });
}

/**
 * Absent devices and peers are named; where everything is required they are failures.
 *
 * @param {Row[]} rows
 * @param {boolean} requireAll
 * @returns {{ text: string, passed: number, failed: number }} `text` ends with the line `N passed, N failed`
 */
export function summary(rows, requireAll) {
  const counted = rows.map((row) => {
    const notRun = (row.notRun ?? []).reduce((sum, { count }) => sum + count, 0);
    return { ...row, absentees: row.notRun ?? [], notRun, failed: row.failed + (requireAll ? notRun : 0) };
  });
  const line = (/** @type {(string | number)[]} */ cells) =>
    String(cells[0]).padEnd(14) +
    cells
      .slice(1)
      .map((cell) => String(cell).padStart(9))
      .join("");
  const table = counted.map(({ name, passed, failed, notRun, seconds, cpu = seconds, cached = 0 }) =>
    line([name, passed, failed, notRun, `${seconds.toFixed(1)} s`, `${cpu.toFixed(1)} s`, cached || ""]),
  );
  const absences = counted.flatMap(({ name, absentees }) =>
    absentees.map(({ what, count }) => `${name}: ${what}, ${count} not run`),
  );
  const passed = counted.reduce((sum, row) => sum + row.passed, 0);
  const failed = counted.reduce((sum, row) => sum + row.failed, 0);
  const head = line(["stage", "passed", "failed", "not run", "time", "of CPU", "cached"]);
  const text = ["", head, ...table, "", ...absences, `${passed} passed, ${failed} failed`].join("\n");
  return { text, passed, failed };
}
