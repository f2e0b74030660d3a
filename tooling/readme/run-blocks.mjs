// Runs README blocks one after the other in one process; reports each as a line of JSON on descriptor 3.
import { writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

for (const path of process.argv.slice(2)) {
  const start = performance.now();
  let error = "";
  try {
    await import(pathToFileURL(path).href);
  } catch (reason) {
    error = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
  }
  writeSync(3, `${JSON.stringify({ path, error, ms: Math.round(performance.now() - start) })}\n`);
}
process.exit();
