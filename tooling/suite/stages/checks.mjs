// The repository's own checks: those that look at one package after the other, of the packages that a change reaches.
import { runChecks } from "../../checks/checks.mjs";

export const name = "checks";
export const scope = "package";
export const together = Number.POSITIVE_INFINITY;

/** @type {import("../suite.mjs").JointStage} */
export async function run({ repository, packages, filtered }) {
  const results = await runChecks(repository, filtered ? packages : undefined, packages);
  const violations = results.flatMap(({ title, violations: found }) =>
    found.map(({ subject, message }) => ({ subject, line: `${title}: ${subject}: ${message}` })),
  );
  /** What concerns none of the packages is the first one's. */
  const concerned = (/** @type {string} */ subject) =>
    packages.find(({ folder, name }) => subject === name || subject === folder || subject.startsWith(`${folder}/`)) ??
    packages[0];
  return Object.fromEntries(
    packages.map((pkg) => {
      const failures = violations.filter(({ subject }) => concerned(subject) === pkg).map(({ line }) => line);
      return [pkg.name, { passed: failures.length > 0 ? 0 : 1, failed: failures.length > 0 ? 1 : 0, failures }];
    }),
  );
}
