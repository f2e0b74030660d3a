import type { JobReference } from "@offprint/cluster";
import type { GradientTransformation } from "@offprint/optim";
import { asTensor, requireInteger, ShapeError, slice, type Tensor, type TensorLike, tree } from "@offprint/tensor-core";
import type { ChunkSource, WorkerShare } from "./gradient-worker.js";
import type { Placement, Range, Scheme } from "./scheme.js";

/** What is trained. */
export interface ClusterProblem<P, D = unknown, C = unknown> {
  /** What a `gradientWorker` is exported as: `"package#name"`, or a module of this machine. */
  readonly job: JobReference;
  /** M >= T + 1 models that are trained side by side, by their first parameters: trees of float tensors. */
  readonly models: readonly P[];
  /** Makes steps of gradients. */
  readonly optimizer: GradientTransformation;
  /**
   * The samples: a tree of tensors with one sample per place of axis 0. A number where workers load them themselves
   * (`load` of the worker's model).
   */
  readonly data: D | number;
  /** Plain data that all workers are given. */
  readonly config?: C;
  /** Whether the loss is the mean over the samples, or their sum. Default `"mean"`. */
  readonly reduction?: "mean" | "sum";
}

/** How many samples there are. @throws ShapeError where leaves differ in it */
export function samplesOf(owner: string, data: unknown): number {
  if (typeof data === "number") {
    requireInteger(owner, "data", data, 1);
    return data;
  }
  const counts = new Set(tree.leaves<TensorLike>(data).map((leaf) => asTensor(leaf).shape[0] ?? 0));
  const [samples = 0] = counts;
  if (counts.size === 1 && samples > 0) return samples;
  throw new ShapeError(
    `${owner}: data has leaves of ${[...counts].join(" and ") || "no"} samples; give tensors with one sample per place of axis 0`,
  );
}

function chunkOf<D>(data: D | number, { from, to }: Range): ChunkSource<D> | null {
  if (from === to) return null;
  if (typeof data === "number") return { from, to };
  return { data: tree.map((leaf: Tensor) => slice(leaf, [{ start: from, stop: to }]), data) };
}

/** What a worker is made of. */
export function shareOf<C, D>(
  scheme: Scheme,
  placement: Placement,
  data: D | number,
  config: C,
  worker: number,
): WorkerShare<C, D> {
  const { chunks, factors } = scheme.code()?.row(worker) ?? { chunks: [], factors: [] };
  return {
    worker,
    config,
    own: placement.own[worker].map((range) => chunkOf(data, range)),
    coded: placement.coded.map((group) => chunks.map((chunk) => chunkOf(data, group[chunk]))),
    factors,
  };
}
