import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { FormatError, ValueError } from "@offprint/tensor-core";
import type { JobEntry, JobTable } from "./job.js";

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly offprint?: { readonly jobs?: Readonly<Record<string, string>> };
}

const functionName = /^[A-Za-z_$][\w$]*$/;
/** An entry of `exports`: nothing that climbs out of the package. */
const entryPath = /^\.(\/(?!\.)[\w-][\w.-]*)*$/;

function readManifest(path: string): Manifest {
  const text = readFileSync(path, "utf8");
  try {
    return JSON.parse(text) as Manifest;
  } catch (cause) {
    throw new FormatError(`cluster: manifest: ${path} is not JSON; name a package.json`, { cause });
  }
}

/** The package.json of the program that runs: the nearest one above the working directory. */
function nearestManifest(): string {
  let folder = process.cwd();
  for (;;) {
    const path = join(folder, "package.json");
    if (existsSync(path)) return path;
    const above = dirname(folder);
    if (above === folder) {
      throw new ValueError(
        "cluster: there is no package.json in this folder or above it; say in `manifest` whose dependencies may be run",
      );
    }
    folder = above;
  }
}

/** `require.resolve("<package>/package.json")` would fail for packages that do not export that file. */
function installed(require: NodeJS.Require, name: string): Manifest | undefined {
  const parents = require.resolve.paths(name) ?? [];
  const folder = parents.map((parent) => join(parent, name)).find((path) => existsSync(join(path, "package.json")));
  return folder === undefined ? undefined : readManifest(join(folder, "package.json"));
}

function jobsOf(require: NodeJS.Require, { name = "", version = "0.0.0", offprint }: Manifest): JobEntry[] {
  return Object.entries(offprint?.jobs ?? {}).flatMap(([job, entry]) => {
    if (!functionName.test(job) || typeof entry !== "string" || !entryPath.test(entry)) {
      throw new FormatError(
        `cluster: package.json of ${name} declares the job ${JSON.stringify(job)} in ${JSON.stringify(entry)}; ` +
          'write { "<name of a function>": "./<entry of exports>" }',
      );
    }
    let path: string;
    try {
      path = require.resolve(entry === "." ? name : `${name}/${entry.slice(2)}`);
    } catch (error) {
      // What a package lacks, as one that is not built does, or does not export, cannot be run.
      const { code } = error as NodeJS.ErrnoException;
      if (code === "MODULE_NOT_FOUND" || code === "ERR_PACKAGE_PATH_NOT_EXPORTED") return [];
      throw error;
    }
    return [{ job: `${name}#${job}`, version, module: pathToFileURL(path).href, name: job }];
  });
}

/**
 * The jobs that the package of a package.json and its dependencies declare. The table is all that messages can choose
 * from: they never name a module.
 *
 * @param manifest path or address of the package.json; default the nearest one above the working directory
 * @throws ValueError where there is none; FormatError where a declaration is not one
 */
export function readJobTable(manifest?: URL | string): JobTable {
  const text = String(manifest ?? nearestManifest());
  const path = text.startsWith("file:") ? fileURLToPath(text) : text;
  if (!existsSync(path)) throw new ValueError(`cluster: manifest: there is no file ${path}; name a package.json`);
  const own = readManifest(path);
  const require = createRequire(path);
  const names = Object.keys({ ...own.dependencies, ...own.optionalDependencies });
  const packages = [own, ...names.flatMap((name) => installed(require, name) ?? [])];
  return new Map(packages.flatMap((each) => jobsOf(require, each)).map((entry) => [entry.job, entry]));
}
