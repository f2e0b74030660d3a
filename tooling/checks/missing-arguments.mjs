// Public functions say which argument is missing, in an error of their own.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const title = "public functions name the argument that is missing";
/** What it finds of a package depends on that and on those it stands on. */
export const local = true;

/** Entries that are no functions for users: programs, test kits, what other packages are built on. */
const apart = /claims|cli$|conformance|testing|internal|\/(thread|worker|agent)/;

/** Called millions of times, or parts of a file format: they check nothing, and why. */
const unchecked = new Set(["bind", "hostTensor", "byteSize", "fields", "lengthField"]);

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * @param {import("./repository.mjs").Repository} repository
 * @param {import("./repository.mjs").Package[]} [selected]
 * @returns {Promise<import("./repository.mjs").CheckResult>}
 */
export async function check(repository, selected = repository.packages) {
  const modules = selected
    .filter(({ kind, manifest }) => (kind === "core" || kind === "method") && !manifest.private)
    .flatMap(({ name, directory, manifest }) =>
      Object.entries(manifest.exports ?? {})
        .filter(([path, entry]) => !apart.test(path) && entry["@offprint/source"])
        .map(([path, entry]) => [name + path.slice(1), join(directory, entry["@offprint/source"])]),
    );
  if (modules.length === 0) return { subjects: 0, violations: [] };
  const register = ["--import", new URL("../typescript/register.mjs", import.meta.url).href];
  const program = ["-C", "@offprint/source", ...register, here("./call-with-nothing.mjs"), JSON.stringify(modules)];
  const { stdout } = await promisify(execFile)(process.execPath, program, { timeout: 200_000, maxBuffer: 1 << 26 });
  const { subjects, violations } = JSON.parse(stdout);
  return {
    subjects,
    violations: violations
      .filter((/** @type {{ name: string }} */ { name }) => !unchecked.has(name))
      .map((/** @type {{ subject: string, name: string, found: string }} */ { subject, name, found }) => ({
        subject,
        message: `${name}${found}; call requireObject or requireFunction, or give checkOptions the names that must be there`,
      })),
  };
}
