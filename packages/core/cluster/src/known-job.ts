import { nearestWords } from "@offprint/tensor-core";
import { JobRefusedError } from "./errors.js";
import type { JobEntry, JobTable } from "./job.js";

/**
 * The entry of a job.
 *
 * @throws JobRefusedError that says what there is instead
 */
export function knownJob(table: JobTable, job: string): JobEntry {
  const found = table.get(job);
  if (found !== undefined) return found;
  const names = [...table.keys()];
  const near = nearestWords(job, names);
  const hint =
    near.length > 0
      ? `did you mean ${near.map((name) => `"${name}"`).join(" or ")}?`
      : names.length === 0
        ? "no installed package declares a job"
        : `there are ${names.join(", ")}`;
  throw new JobRefusedError(`cluster: there is no job ${JSON.stringify(job)}; ${hint}`);
}
