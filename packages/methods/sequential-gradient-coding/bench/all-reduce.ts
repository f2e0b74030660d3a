import { Worker } from "node:worker_threads";

/** What a worker of an all-reduce is told. */
export interface AllReduceSettings {
  readonly worker: number;
  readonly workers: number;
  readonly samples: number;
  readonly steps: number;
  /** Models that are trained in turn. */
  readonly models: number;
  readonly learningRate: number;
  /** `[steps]` milliseconds that this worker waits before it works. */
  readonly pauses: readonly number[];
  /** `[workers, width]`, shared: the gradient of each. */
  readonly parts: Float64Array;
  /** `[width]`, shared: their sum. */
  readonly sums: Float64Array;
  /** Shared: where workers meet. */
  readonly gate: Int32Array;
}

/** Threads that train by all-reduce: each has the models, and none is a master. */
export class AllReduce {
  private constructor(private readonly threads: readonly Worker[]) {}

  /** Starts them. */
  static async open(
    pauses: readonly (readonly number[])[],
    common: Pick<AllReduceSettings, "samples" | "steps" | "models" | "learningRate">,
    width: number,
  ): Promise<AllReduce> {
    const shared = (numbers: number) => new Float64Array(new SharedArrayBuffer(8 * numbers));
    const [parts, sums] = [shared(pauses.length * width), shared(width)];
    const gate = new Int32Array(new SharedArrayBuffer(8));
    const threads = pauses.map((own, worker) => {
      const workerData = { ...common, worker, workers: pauses.length, pauses: own, parts, sums, gate };
      return new Worker(new URL("all-reduce-worker.ts", import.meta.url), { workerData });
    });
    const opened = new AllReduce(threads);
    await opened.answers();
    return opened;
  }

  /** Trains from the beginning; gives the weights of every worker. */
  train(): Promise<number[][]> {
    for (const thread of this.threads) thread.postMessage("train");
    return this.answers() as Promise<number[][]>;
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.terminate()));
  }

  private answers(): Promise<unknown[]> {
    return Promise.all(
      this.threads.map(
        (thread) =>
          new Promise((resolve, reject) => {
            thread.once("message", resolve);
            thread.once("error", reject);
          }),
      ),
    );
  }
}
