// Calls every function that the given modules export with nothing, with null and with two undefined, and prints as JSON
// which of them threw an error that is none of Offprint's: `node -C @offprint/source --import ../typescript/register.mjs
// call-with-nothing.mjs '[[subject, path], ...]'`.
import { pathToFileURL } from "node:url";

/** What marks the errors of every copy of tensor-core. */
const deliberate = Symbol.for("@offprint/error");
const calls = [[], [null], [undefined, undefined]];

/** How long a call may work before it counts as one that takes what it was given, in milliseconds. */
const patience = 3000;

/** @param {Function} f */
const isClass = (f) => /^class\b/.test(Function.prototype.toString.call(f));

/** @param {unknown} error */
const isDeliberate = (error) => typeof error === "object" && error !== null && deliberate in error;

/**
 * The functions of a module and of the objects that it exports.
 *
 * @param {Record<string, unknown>} module
 * @returns {Array<[name: string, f: Function]>}
 */
function functionsOf(module) {
  return Object.entries(module).flatMap(([name, value]) => {
    if (typeof value === "function") return [[name, value]];
    if (typeof value !== "object" || value === null) return [];
    const own = Object.entries(value).filter(([, f]) => typeof f === "function");
    return own.map(([member, f]) => /** @type {[string, Function]} */ ([`${name}.${member}`, f]));
  });
}

/**
 * The first error of a function that does not say what is missing.
 *
 * @param {Function} f
 */
async function rawError(f) {
  for (const values of calls) {
    try {
      const answer = isClass(f) ? Reflect.construct(f, values) : f(...values);
      if (!(answer instanceof Promise)) continue;
      await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, patience))]);
    } catch (error) {
      if (!isDeliberate(error)) return `(${values.map(String)}) throws ${error}`;
    }
  }
  return undefined;
}

const end = process.exit.bind(process);
// Functions that end the process must not end this one, nor what they left running and nobody waits for.
process.exit = /** @type {any} */ (() => undefined);
process.on("unhandledRejection", () => {});

/** @type {Array<[subject: string, path: string]>} */
const modules = JSON.parse(process.argv[2]);
const violations = [];
let subjects = 0;
for (const [subject, path] of modules) {
  for (const [name, f] of functionsOf(await import(pathToFileURL(path).href))) {
    subjects += 1;
    const found = await rawError(f);
    if (found !== undefined) violations.push({ subject, name, found });
  }
}
process.stdout.write(JSON.stringify({ subjects, violations }), () => end(0));
