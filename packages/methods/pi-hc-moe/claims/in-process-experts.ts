import type { Cluster, Job, JobContext, Outcome } from "@offprint/cluster";
import { random } from "@offprint/tensor-core";

/** A cluster that runs one job here, one task after the other; `watch` runs each. */
export function inProcess<A, R>(
  job: Job<A, R>,
  watch: (task: A, run: () => Promise<R>) => Promise<R>,
): Pick<Cluster, "map"> {
  async function* map(_: unknown, tasks: Iterable<unknown> | AsyncIterable<unknown>): AsyncGenerator<Outcome<unknown>> {
    let index = 0;
    for await (const task of tasks) {
      const context: JobContext = {
        ...{ signal: new AbortController().signal, worker: "here", rng: random.rng(index), aborted: () => false },
        ...{ progress: () => undefined, get: () => Promise.reject(new Error("nothing was put")) },
      };
      const run = async () => job(task as A, context);
      yield { index, id: String(index++), worker: "here", attempts: 1, value: await watch(task as A, run) };
    }
  }
  return { map: map as Cluster["map"] };
}
