// Runs one bench file in a process of its own: calls the `run` it exports and writes what `compare` recorded.
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { results } from "@offprint/bench";

const [file, output] = process.argv.slice(2);
const bench = await import(pathToFileURL(file).href);
await bench.run();
writeFileSync(output, JSON.stringify(results()));
process.exit();
