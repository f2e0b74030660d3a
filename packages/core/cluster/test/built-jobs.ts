import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type InstalledJobs, installJobs, jobsManifest } from "@offprint/testing";

/** The jobs of the tests, installed. */
export interface BuiltJobs extends InstalledJobs {
  /** The package.json of a program whose package of jobs is of another version. */
  readonly otherManifest: string;
}

const name = "@fixture/jobs";
const names = [
  ...[
    "square",
    "product",
    "echo",
    "drawn",
    "pid",
    "slowSquare",
    "heldOnce",
    "spin",
    "fails",
    "failsAt",
    "failsFirst",
    "exits",
    "reports",
  ],
  ...[
    "sumOf",
    "logged",
    "killsProcess",
    "counter",
    "shard",
    "gatedMember",
    "noMember",
    "brokenMember",
    "killsMember",
    "notAFunction",
  ],
];

/** Installs the jobs of the tests, in two versions. */
export async function buildJobs(): Promise<BuiltJobs> {
  const built = await installJobs(join(import.meta.dirname, "fixtures", "jobs.ts"), names, { name });
  const other = join(built.folder, "other");
  const inside = join(other, "node_modules", name);
  mkdirSync(inside, { recursive: true });
  const otherManifest = join(other, "package.json");
  writeFileSync(otherManifest, JSON.stringify({ name: "program", dependencies: { [name]: "*" } }));
  writeFileSync(join(inside, "package.json"), jobsManifest(names, name, "1.3.0"));
  writeFileSync(join(inside, "jobs.mjs"), "");
  return { ...built, otherManifest };
}
