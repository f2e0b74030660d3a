// Which jobs a run has, in the order in which they should begin.
import { fingerprints } from "./fingerprint.mjs";

/**
 * @typedef {import("../checks/repository.mjs").Package} Package
 * @typedef {import("./suite.mjs").StageModule & { file: string }} LoadedStage
 */

/** In this order a run's lanes stay full: what others wait for first, then the longest, last what can be divided. */
const stageFiles = [
  "build",
  "site",
  "types",
  "site-tests",
  "unit",
  "tools",
  "claims",
  "checks",
  "unused",
  "lint",
  "published",
  "size",
  "readme",
];

/** @returns {Promise<LoadedStage[]>} */
export function loadStages() {
  return Promise.all(stageFiles.map(async (file) => ({ file, ...(await import(`./stages/${file}.mjs`)) })));
}

/** Those whose tests take longest begin first. */
const longest = ["@offprint/tensor-core", "@offprint/onnx-runtime", "offprint"];

/** Those whose tests leave a processor idle for a third of their time: servers, browsers and killed processes. */
const waiting = ["@offprint/onnx-runtime", "offprint", "@offprint/cluster"];

/** @param {Package} pkg */
function rank({ name, kind }) {
  const place = longest.indexOf(name);
  return place >= 0 ? place : longest.length + (kind === "method" ? 0 : 1);
}

/**
 * @param {LoadedStage[]} stages
 * @param {import("../checks/repository.mjs").Repository} repository
 * @param {Package[]} packages those of this run
 * @param {{ filtered: boolean, fresh: boolean }} options `fresh` runs what has passed before, too
 * @returns {import("./lanes.mjs").Job[]}
 */
export function plan(stages, repository, packages, { filtered, fresh }) {
  const prints = fingerprints(repository);
  return stages.flatMap(({ file, name, scope, together, chooses = () => true, needs = [], parts, cached }) => {
    const chosen = packages.filter(chooses);
    if (scope !== "package") {
      const names = chosen.map((pkg) => pkg.name);
      const before = typeof needs === "function" ? [] : needs;
      const of = `${name} ${filtered ? names.join() : ""}`;
      const key = cached && !fresh ? { key: cached === "tools" ? prints.ofTools(of) : prints.ofRepository(of) } : {};
      return [{ stage: name, title: "", file, packages: names, needs: before, ...key }];
    }
    return [...chosen]
      .sort((a, b) => rank(a) - rank(b))
      .flatMap((pkg) => (parts ?? [undefined]).map((part) => ({ pkg, part })))
      .map(({ pkg, part }) => ({
        stage: name,
        title: part ? `${pkg.slug}: ${part.name}` : pkg.slug,
        file,
        packages: [pkg.name],
        ...(part && { part: part.name }),
        needs: typeof needs === "function" ? needs(pkg) : needs,
        ...(name === "tests" && waiting.includes(pkg.name) && { waits: true }),
        ...(together && { together: typeof together === "function" ? together(pkg) : together }),
        ...(part?.digest && { digest: part.digest }),
        ...(fresh ? {} : { key: prints.ofPackage(name, pkg, part) }),
      }));
  });
}
