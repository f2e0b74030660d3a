// Runs README blocks one after the other in one process; reports each as a line of JSON on descriptor 3.
import { writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** What the playground gives its programs. */
Object.assign(globalThis, { display: () => {} });
const { log } = console;
/** @type {string[]} */
let strange = [];
console.log = (...values) => {
  log(...values);
  const texts = values.filter((value) => typeof value !== "object").map(String);
  strange.push(...texts.filter((text) => /\bNaN\b|\bundefined\b/.test(text)));
};

for (const path of process.argv.slice(2)) {
  strange = [];
  const start = performance.now();
  let error = "";
  try {
    await import(pathToFileURL(path).href);
    // An example that shows a user NaN is wrong, though nothing was thrown.
    if (strange.length > 0) error = `prints ${strange[0]}`;
  } catch (reason) {
    error = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
  }
  writeSync(3, `${JSON.stringify({ path, error, ms: Math.round(performance.now() - start) })}\n`);
}
process.exit();
