import { createHash } from "node:crypto";
import type { JobEntry } from "../job.js";

/** A hash that is short enough for a subject, which allows few characters. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 24);
}

/** What tells jobs apart that the same workers can run. */
export function kindOf({ job, version }: Pick<JobEntry, "job" | "version">): string {
  return shortHash(JSON.stringify([job, version]));
}

/** Names of streams and subjects; the layout's version stands in them, as the settings of a stream cannot change. */
export function namesOf(cluster: string) {
  const base = `offprint.v1.${cluster}`;
  const jobs = `offprint-v1-${cluster}-jobs`;
  const givenUp = `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${jobs}`;
  return {
    jobs,
    givenUp: `offprint-v1-${cluster}-given-up`,
    results: `offprint-v1-${cluster}-results`,
    objects: `offprint-v1-${cluster}`,
    allJobs: `${base}.jobs.>`,
    allResults: `${base}.results.>`,
    /** The server says that it hands a job out no more. */
    allGivenUp: `${givenUp}.>`,
    givenUpOfKind: (kind: string) => `${givenUp}.${kind}`,
    jobsOfKind: (kind: string) => `${base}.jobs.${kind}.>`,
    jobsOfRun: (kind: string, run: string) => `${base}.jobs.${kind}.${run}.>`,
    job: (kind: string, run: string, id: string) => `${base}.jobs.${kind}.${run}.${id}`,
    resultsOfRun: (run: string) => `${base}.results.${run}.>`,
    result: (run: string, id: string) => `${base}.results.${run}.${id}`,
    /** Workers say how they are. */
    status: `${base}.status`,
    /** Programs say that they are there, and what they want to be run. */
    programs: `${base}.programs`,
    /** What workers tell of a run: that a job was begun, and what it reports. */
    events: (run: string) => `${base}.events.${run}`,
    /** A run is to end. */
    abort: `${base}.abort`,
    /** What is said to one worker. */
    agent: (agent: string) => `${base}.agent.${agent}`,
    /** What workers say to a team's program. */
    team: (team: string) => `${base}.team.${team}`,
  };
}

/** Names of one cluster. */
export type Names = ReturnType<typeof namesOf>;
