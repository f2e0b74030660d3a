// `pnpm check [package]`: runs the repository's checks alone.
import { root } from "../setup/setup.mjs";
import { runChecks } from "./checks.mjs";
import { matchingPackages, readRepository } from "./repository.mjs";

const repository = readRepository(root);
const word = process.argv[2];
const results = await runChecks(repository, word ? matchingPackages(repository, word) : undefined);
for (const { title, subjects, violations } of results) {
  console.log(`${violations.length === 0 ? "ok  " : "FAIL"}  ${title} (${subjects})`);
  for (const { subject, message } of violations) console.log(`      ${subject}: ${message}`);
}
process.exitCode = results.some(({ violations }) => violations.length > 0) ? 1 : 0;
