// Package hygiene: what would be published is packed, then judged by publint and are-the-types-wrong.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { problemKindInfo } from "@arethetypeswrong/core/problems";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { consumerProblems } from "../../checks/typed-consumer.mjs";
import { pnpm } from "../../setup/setup.mjs";

export const name = "packages";
export const scope = "package";
export const together = 16;
export const needs = ["build"];

/** @type {import("../suite.mjs").Chooses} */
export const chooses = ({ manifest }) => !manifest.private;

/** Packages are ESM only: how CommonJS resolution sees them is not judged. */
const judged = new Set(["node16-esm", "bundler"]);

/**
 * @param {string} tarball
 * @param {import("../../checks/repository.mjs").Package} pkg
 * @returns {Promise<string[]>} what is wrong
 */
export async function problemsOf(tarball, pkg) {
  const bytes = new Uint8Array(readFileSync(tarball));
  const lint = await publint({ pack: { tarball: bytes.slice().buffer }, strict: true });
  const problems = lint.messages
    .filter(({ type }) => type !== "suggestion")
    .map((message) => formatMessage(message, lint.pkg ?? pkg.manifest) ?? message.code);
  const analysis = await checkPackage(createPackageFromTarballData(bytes));
  if (!analysis.types) return pkg.kind === "app" ? problems : [...problems, "the package contains no types"];
  const wrong = analysis.problems.filter(
    (problem) => !("resolutionKind" in problem) || judged.has(problem.resolutionKind),
  );
  return [...problems, ...wrong.map(({ kind }) => `${kind}: ${problemKindInfo[kind].shortDescription}`)];
}

/** @type {import("../suite.mjs").JointStage} */
export async function run({ root, packages, cache }) {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "packed-"));
  /** @type {Record<string, import("../suite.mjs").Outcome>} */
  const outcomes = {};
  try {
    const filters = packages.map((pkg) => `--filter=${pkg.name}`);
    const { status, output } = pnpm([...filters, "pack", "--pack-destination", folder], { capture: true });
    if (status !== 0) console.log(output.trim());
    const tarballs = readdirSync(folder);
    for (const pkg of packages) {
      const stem = `${pkg.name.replace(/^@/, "").replace("/", "-")}-${pkg.manifest.version}.tgz`;
      const failures = tarballs.includes(stem) ? await problemsOf(join(folder, stem), pkg) : ["could not be packed"];
      if (pkg.name === "@offprint/tensor-core" && failures.length === 0) {
        failures.push(...consumerProblems(root, join(folder, stem), mkdtempSync(join(folder, "consumer-"))));
      }
      const failed = failures.length > 0 ? 1 : 0;
      outcomes[pkg.name] = { passed: 1 - failed, failed, failures };
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return outcomes;
}
