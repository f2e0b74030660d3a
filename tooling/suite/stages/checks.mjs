// The repository's own checks.
import { runChecks } from "../../checks/checks.mjs";

export const name = "checks";

/** @type {import("../suite.mjs").Stage} */
export async function run({ repository, packages, filtered }) {
  const results = await runChecks(repository, filtered ? packages : undefined);
  let failed = 0;
  for (const { title, violations } of results) {
    if (violations.length === 0) continue;
    failed += 1;
    console.log(`  ${title}:`);
    for (const { subject, message } of violations) console.log(`    ${subject}: ${message}`);
  }
  return { passed: results.length - failed, failed };
}
