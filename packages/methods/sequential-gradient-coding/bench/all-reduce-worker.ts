/* A worker of an all-reduce without a master: what it shares with the others is memory. */
import { parentPort, workerData } from "node:worker_threads";
import { slice, type Tensor, tree } from "@offprint/tensor-core";
import { digitHalves } from "../claims/digit-halves.js";
import { firstModels, type LogisticParams, lossAndGradient } from "../claims/logistic-regression.js";
import { ravelGradient, unravelGradient } from "../src/ravel-gradient.js";
import type { AllReduceSettings } from "./all-reduce.js";

const { worker, workers, samples, steps, models, learningRate, pauses, parts, sums, gate } =
  workerData as AllReduceSettings;
const all = digitHalves(samples);
const [from, to] = [worker, worker + 1].map((k) => Math.round((k * samples) / workers));
const share = { x: slice(all.x, [{ start: from, stop: to }]), y: slice(all.y, [{ start: from, stop: to }]) };
const width = sums.length;
const [first, end] = [worker, worker + 1].map((k) => Math.round((k * width) / workers));

/** Waits until all workers are here: a counter, and the number of times that it was full. */
function meet(): void {
  const times = Atomics.load(gate, 1);
  if (Atomics.add(gate, 0, 1) === workers - 1) {
    Atomics.store(gate, 0, 0);
    Atomics.add(gate, 1, 1);
    Atomics.notify(gate, 1);
  } else while (Atomics.load(gate, 1) === times) Atomics.wait(gate, 1, times);
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function descended({ w, b }: LogisticParams, { gradient }: { gradient: LogisticParams }): LogisticParams {
  const rate = learningRate / samples;
  return { w: w.sub(gradient.w.mul(rate)), b: b.sub(gradient.b.mul(rate)) };
}

async function train(): Promise<number[]> {
  const params = firstModels(models, all.x.shape[1]);
  for (let t = 0; t < steps; t++) {
    const model = t % models;
    pause(pauses[t]);
    parts.set(ravelGradient(...(await lossAndGradient(params[model], share))), worker * width);
    meet();
    // Reduce and scatter: each sums its own stretch over all workers, in their order; then all take all stretches.
    for (let j = first; j < end; j++) {
      let sum = 0;
      for (let k = 0; k < workers; k++) sum += parts[k * width + j];
      sums[j] = sum;
    }
    meet();
    params[model] = descended(params[model], unravelGradient(Float64Array.from(sums), params[model]));
  }
  return tree.leaves<Tensor>(params).flatMap((leaf) => [...leaf.data()]);
}

parentPort?.on("message", async () => parentPort?.postMessage(await train()));
parentPort?.postMessage("ready");
