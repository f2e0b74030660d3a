import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleModules } from "@offprint/testing";
import { afterAll } from "vitest";

/** Modules that threads can load, made of sources. */
export interface BuiltJobs {
  readonly entry: URL;
  readonly jobs: URL;
  /** The package.json of a program that has the jobs' package installed. */
  readonly manifest: string;
  /** Another one, whose package of jobs is of another version. */
  readonly otherManifest: string;
  /** The program of a worker through NATS. */
  readonly agent: string;
}

/** Bundles the module of threads and the jobs of the tests, which share what they import; removed after the tests. */
export async function buildJobs(): Promise<BuiltJobs> {
  const folder = mkdtempSync(join(tmpdir(), "offprint-cluster-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const here = import.meta.dirname;
  const entries = {
    thread: join(here, "..", "src", "threads", "thread-main.ts"),
    jobs: join(here, "fixtures", "jobs.ts"),
    agent: join(here, "fixtures", "agent.ts"),
  };
  const { thread, jobs } = await bundleModules(entries, join(folder, "node_modules", "@fixture", "jobs"));
  const inPackage = (name: string) => join(folder, "node_modules", "@fixture", "jobs", name);
  const names = [
    ...["square", "product", "echo", "drawn", "pid", "slowSquare", "spin", "fails", "failsFirst", "exits", "reports"],
    ...[
      "sumOf",
      "logged",
      "killsProcess",
      "counter",
      "shard",
      "noMember",
      "brokenMember",
      "killsMember",
      "notAFunction",
    ],
  ];
  const manifest = (version: string) => ({
    name: "@fixture/jobs",
    version,
    type: "module",
    exports: { "./jobs": "./jobs.mjs" },
    offprint: { jobs: Object.fromEntries(names.map((name) => [name, "./jobs"])) },
  });
  writeFileSync(inPackage("package.json"), JSON.stringify(manifest("1.2.3")));
  const program = { name: "program", dependencies: { "@fixture/jobs": "*" } };
  writeFileSync(join(folder, "package.json"), JSON.stringify(program));
  const other = join(folder, "other");
  mkdirSync(join(other, "node_modules", "@fixture", "jobs"), { recursive: true });
  writeFileSync(join(other, "package.json"), JSON.stringify(program));
  writeFileSync(join(other, "node_modules", "@fixture", "jobs", "package.json"), JSON.stringify(manifest("1.3.0")));
  writeFileSync(join(other, "node_modules", "@fixture", "jobs", "jobs.mjs"), "");
  return {
    entry: thread,
    jobs,
    agent: inPackage("agent.mjs"),
    manifest: join(folder, "package.json"),
    otherManifest: join(other, "package.json"),
  };
}
