// How stages are run, timed and summed up.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { quietEnvironment, SetupError } from "../setup/setup.mjs";

/**
 * @typedef {object} Absence
 * @property {string} what the thing the machine lacks, with the remedy
 * @property {number} count tests or checks that did not run for it
 *
 * @typedef {object} Outcome
 * @property {number} passed tests and checks
 * @property {number} failed
 * @property {Absence[]} [notRun]
 *
 * @typedef {object} Context
 * @property {string} root
 * @property {import("../checks/repository.mjs").Repository} repository
 * @property {import("../checks/repository.mjs").Package[]} packages those to test
 * @property {boolean} filtered whether `packages` is a selection
 * @property {string} cache folder for files between stages
 * @property {NodeJS.ProcessEnv} environment
 *
 * @typedef {(context: Context) => Outcome | Promise<Outcome>} Stage
 * @typedef {Outcome & { name: string, seconds: number }} Row
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
 * Runs the script of an installed development tool with its output shown, and leaves none of its processes behind:
 * a worker in an endless loop does not notice that its parent is gone.
 *
 * @param {string} root
 * @param {string} script path inside node_modules
 * @param {string[]} args
 * @param {Record<string, string>} env
 * @returns {Promise<number>} exit code
 */
export async function executeGroup(root, script, args, env) {
  const child = spawn(process.execPath, [join(root, "node_modules", script), ...args], {
    cwd: root,
    env: { ...quietEnvironment, ...env },
    stdio: ["ignore", "inherit", "inherit"],
    detached: process.platform !== "win32",
  });
  const endAll = () => {
    try {
      if (child.pid && process.platform !== "win32") process.kill(-child.pid, "SIGKILL");
    } catch {
      // All have ended already.
    }
  };
  const interrupted = () => {
    endAll();
    process.exit(130);
  };
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  const [code] = await once(child, "exit");
  endAll();
  process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
  return code ?? 1;
}

/**
 * Runs one stage; a stage that throws has failed once.
 *
 * @param {string} name
 * @param {() => Outcome | Promise<Outcome>} stage
 * @returns {Promise<Row>}
 */
export async function timed(name, stage) {
  const start = performance.now();
  console.log(`\n== ${name}`);
  /** @type {Outcome} */
  let outcome;
  try {
    outcome = await stage();
  } catch (error) {
    console.log(error instanceof SetupError ? error.message : error);
    outcome = { passed: 0, failed: 1 };
  }
  return { name, ...outcome, seconds: (performance.now() - start) / 1000 };
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
  const table = counted.map(({ name, passed, failed, notRun, seconds }) =>
    line([name, passed, failed, notRun, `${seconds.toFixed(1)} s`]),
  );
  const absences = counted.flatMap(({ name, absentees }) =>
    absentees.map(({ what, count }) => `${name}: ${what}, ${count} not run`),
  );
  const passed = counted.reduce((sum, row) => sum + row.passed, 0);
  const failed = counted.reduce((sum, row) => sum + row.failed, 0);
  const head = line(["stage", "passed", "failed", "not run", "time"]);
  const text = ["", head, ...table, "", ...absences, `${passed} passed, ${failed} failed`].join("\n");
  return { text, passed, failed };
}
