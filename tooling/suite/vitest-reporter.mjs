// Counts what vitest ran, and why what it did not run was left out, for the summary of `npm test`.
//
// A test that needs something the machine may lack says so with a note, `context.skip("needs Vulkan: install ...")`,
// or in its own or its suite's name, `describe.skipIf(!vulkan)("... [needs Vulkan: install ...]")`.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A test that loops forever blocks its worker, where no time limit of vitest reaches it. */
const longestSilence = 900_000;

const need = /\[(needs [^\]]+)\]/;

export default class CountingReporter {
  #path;
  #heard = Date.now();
  /** Files by their path: vitest makes a new module object when it has loaded a file. */
  #running = new Set();
  /** @type {Set<import("vitest/node").TestModule>} */
  #ended = new Set();
  #folder;
  /** @type {Map<string, number>} what the job had taken when a file was begun, by the file's path */
  #before = new Map();
  /** @type {Map<string, number>} what it took while a file ran */
  #taken = new Map();

  /**
   * @param {unknown} [path] where the counts go; vitest itself gives none, and then OFFPRINT_TEST_RESULTS says it
   * @param {string} [folder] where the processes of the job keep their processor time (cpu.mjs)
   */
  constructor(path, folder = process.env.OFFPRINT_CPU_TIME) {
    this.#path = typeof path === "string" ? path : process.env.OFFPRINT_TEST_RESULTS;
    this.#folder = folder;
  }

  onTestRunStart() {
    setInterval(() => this.#stopIfStuck(), 5_000).unref();
  }

  /** @param {import("vitest/node").TestModule} module */
  onTestModuleQueued(module) {
    this.#heard = Date.now();
    this.#running.add(module.relativeModuleId);
    this.#before.set(module.relativeModuleId, processorTime(this.#folder));
  }

  onTestCaseResult() {
    this.#heard = Date.now();
  }

  /** @param {import("vitest/node").TestModule} module */
  onTestModuleEnd(module) {
    this.#heard = Date.now();
    const { relativeModuleId: path } = module;
    this.#running.delete(path);
    this.#ended.add(module);
    this.#taken.set(path, processorTime(this.#folder) - (this.#before.get(path) ?? 0));
  }

  #stopIfStuck() {
    if (Date.now() - this.#heard < longestSilence) return;
    const names = [...this.#running];
    console.error(`\nNothing heard for ${longestSilence / 1000} s from ${names.join(", ")}; the run is stopped.`);
    this.onTestRunEnd([...this.#ended], names);
    process.exit(1);
  }

  /**
   * @param {ReadonlyArray<import("vitest/node").TestModule>} modules
   * @param {ReadonlyArray<unknown>} unhandled
   */
  onTestRunEnd(modules, unhandled) {
    const files = modules.map((module) => countsOf(module, this.#taken.get(module.relativeModuleId) ?? 0));
    if (this.#path) writeFileSync(this.#path, JSON.stringify({ files, unhandled: unhandled.length }));
  }
}

/**
 * Seconds that all processes of the job have taken so far, those that have ended or were killed included.
 *
 * @param {string | undefined} folder
 */
function processorTime(folder) {
  if (!folder) return 0;
  const names = readdirSync(folder).filter((name) => name.startsWith("cpu-"));
  return names.reduce((sum, name) => sum + Number(readFileSync(join(folder, name), "utf8")), 0) / 1e6;
}

/**
 * @typedef {object} FileCounts what the tests of a file gave
 * @property {string} path from the root
 * @property {number} seconds of processor time that the job took while it was loaded and its tests ran
 * @property {number} passed
 * @property {number} failed
 * @property {number} errors outside of tests
 * @property {Record<string, number>} absent tests that did not run, by what they need
 * @property {string[]} unexplained tests that did not run and do not say why
 * @property {string[]} failures
 */

/**
 * @param {import("vitest/node").TestModule} module
 * @param {number} seconds
 * @returns {FileCounts}
 */
function countsOf(module, seconds) {
  /** @type {FileCounts} */
  const counts = {
    path: module.relativeModuleId,
    seconds,
    ...{ passed: 0, failed: 0, absent: {}, unexplained: [], failures: [] },
    // A file that could not be loaded has errors and no tests.
    errors: module.errors().length > 0 ? 1 : 0,
  };
  for (const suite of module.children.allSuites()) counts.errors += suite.errors().length;
  for (const test of module.children.allTests()) {
    const result = test.result();
    if (result.state === "passed" || result.state === "failed") {
      counts[result.state] += 1;
      if (result.state === "failed") {
        const [why = ""] = (result.errors?.[0]?.message ?? "").split("\n");
        counts.failures.push(`${module.relativeModuleId}: ${test.fullName}: ${why}`);
      }
      continue;
    }
    const note = "note" in result ? result.note : undefined;
    const reason = note ?? need.exec(test.fullName)?.[1];
    if (reason) counts.absent[reason] = (counts.absent[reason] ?? 0) + 1;
    else counts.unexplained.push(`${module.relativeModuleId}: ${test.fullName}`);
  }
  return counts;
}
