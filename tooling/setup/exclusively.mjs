// What one process after the other must do, whoever of them begins.
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Does something that no other process does at the same time under the same path; waits for one that does.
 *
 * @template T
 * @param {string} path of the file that says who does it
 * @param {() => T} work
 * @returns {T}
 */
export function exclusively(path, work) {
  mkdirSync(dirname(path), { recursive: true });
  while (!taken(path)) {
    if (isAbandoned(path)) rmSync(path, { force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
  try {
    return work();
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * Puts the file there, which never is without its owner in it.
 *
 * @param {string} path
 */
function taken(path) {
  const own = `${path}-${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Nothing takes as long: the number of a process that old may be another's by now. */
const forgotten = 3_600_000;

/**
 * Whether the process that a file names is not there any more.
 *
 * @param {string} path
 */
function isAbandoned(path) {
  try {
    if (Date.now() - statSync(path).mtimeMs > forgotten) return true;
    return !process.kill(Number(readFileSync(path, "utf8")), 0);
  } catch (error) {
    return codeOf(error) === "ESRCH";
  }
}

const codeOf = (/** @type {unknown} */ error) => /** @type {NodeJS.ErrnoException} */ (error).code;
