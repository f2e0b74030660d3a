// Tunes the models of all comparisons by one grid, at the scale quick, and writes claims/tunings.ts. From the package's folder:
// node --conditions=@offprint/source --import ../../../tooling/typescript/register.mjs claims/tune.mjs [claim] [draws]
import { writeFile } from "node:fs/promises";
import { evaluationComparison, valueComparison } from "./decisions.ts";
import { method } from "./method.ts";
import { poreComparison } from "./pore-networks.ts";
import { tune } from "./tuning.ts";
import { tunings } from "./tunings.ts";

const [only, draws = 4] = process.argv.slice(2);
const context = { scale: "quick", signal: new AbortController().signal, onProgress: async () => undefined };
const rows = only === undefined ? [] : tunings.filter(({ claim }) => claim !== only);
for (const comparison of [poreComparison, evaluationComparison, valueComparison]) {
  if (only !== undefined && comparison.id !== only) continue;
  for (const model of Object.keys(comparison.models(method, "quick"))) {
    for (const row of await tune(context, method, comparison, model, Number(draws))) {
      console.log(row.claim, row.model, row.variant, ...row.errors);
      rows.push(row);
    }
  }
}
const text = `import type { Tuning } from "./tuning.js";

/** What \`claims/tune.mjs\` has found; it writes this file. */
export const tunings: readonly Tuning[] = ${JSON.stringify(rows, null, 2)};
`;
await writeFile(new URL("tunings.ts", import.meta.url), text);
