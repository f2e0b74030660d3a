import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./files.js";
import { bundleModules } from "./modules.js";

const cluster = join(import.meta.dirname, "..", "..", "cluster");

/** A program's folder with one package of jobs installed, and what workers of `@offprint/cluster` need to run them. */
export interface InstalledJobs {
  /** The program's folder. */
  readonly folder: string;
  /** The package.json of the program: the `manifest` of a cluster or a worker. */
  readonly manifest: string;
  /** The module of threads: the `entry` of a cluster or a worker. */
  readonly entry: URL;
  /** The module of the jobs. */
  readonly jobs: URL;
  /** The program of a {@link WorkerProcess}. */
  readonly agent: string;
}

/**
 * Bundles a module of jobs with what runs them, and installs it as a package that declares them. Removed after the tests.
 *
 * @param source path of the module
 * @param names the jobs that it exports
 * @param options name of the package, default `jobs`, and its version
 */
export async function installJobs(
  source: string,
  names: readonly string[],
  { name = "jobs", version = "1.2.3" }: { readonly name?: string; readonly version?: string } = {},
): Promise<InstalledJobs> {
  const folder = temporaryFolder("jobs");
  const inside = join(folder, "node_modules", name);
  mkdirSync(inside, { recursive: true });
  const { entry, jobs } = await bundleModules(
    {
      entry: join(cluster, "src", "threads", "thread-main.ts"),
      agent: join(cluster, "test", "fixtures", "agent.ts"),
      jobs: source,
    },
    inside,
  );
  writeFileSync(join(inside, "package.json"), jobsManifest(names, name, version));
  const manifest = join(folder, "package.json");
  writeFileSync(manifest, JSON.stringify({ name: "program", dependencies: { [name]: "*" } }));
  return { folder, manifest, entry, jobs, agent: join(inside, "agent.mjs") };
}

/** The package.json of a package whose `./jobs` has some jobs. */
export function jobsManifest(names: readonly string[], name: string, version: string): string {
  return JSON.stringify({
    name,
    version,
    type: "module",
    exports: { "./jobs": "./jobs.mjs" },
    offprint: { jobs: Object.fromEntries(names.map((job) => [job, "./jobs"])) },
  });
}
