// What runs in a page must not reach for Node: each such package is bundled for a browser from its sources.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

export const title = "browser packages need no Node module";
/** What it finds of a package depends on that and on those it stands on. */
export const local = true;

/** Packages with a part of their own for Node, which say so in their README. */
const forNode = new Set(["data", "claims", "commands", "onnx-runtime", "testing"]);

/**
 * @param {import("./repository.mjs").Repository} repository
 * @param {import("./repository.mjs").Package[]} [selected]
 * @returns {Promise<import("./repository.mjs").CheckResult>}
 */
export async function check(repository, selected = repository.packages) {
  const subjects = selected.filter(
    ({ kind, slug, directory }) =>
      (kind === "method" || (kind === "core" && !forNode.has(slug))) && existsSync(join(directory, "src", "index.ts")),
  );
  const found = await Promise.all(
    subjects.map(async ({ folder, directory }) => {
      const result = await build({
        entryPoints: [join(directory, "src", "index.ts")],
        absWorkingDir: repository.root,
        bundle: true,
        write: false,
        format: "esm",
        platform: "browser",
        conditions: ["@offprint/source", "module"],
        logLevel: "silent",
      }).catch((/** @type {import("esbuild").BuildFailure} */ failure) => failure);
      return result.errors.map(({ text, location }) => ({
        subject: location ? `${location.file}:${location.line}` : folder,
        message: text,
      }));
    }),
  );
  return { subjects: subjects.length, violations: found.flat() };
}
