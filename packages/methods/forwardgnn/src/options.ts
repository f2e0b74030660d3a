import { runOptionNames } from "@offprint/solvers";
import {
  type Backend,
  type JitOptions,
  refuseIdle,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requirePositive,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";
import type { Convolution } from "./convolution.js";
import type { TrainingRunOptions } from "./staged-training.js";
import type { Direction } from "./virtual-nodes.js";

/** Options of every way of training. */
export interface TrainingOptions extends TrainingRunOptions {
  /** Convolution of the layers. Default `gcn`. */
  convolution?: Convolution;
  /** Number of layers, >= 1. The paper has 1 to 4. Default 2. */
  layers?: number;
  /** Width of the layers. Default 128. */
  hidden?: number;
  /** Heads of `gat`, which divide `hidden`; refused beside other convolutions. Default 4. */
  heads?: number;
  /** Adam's learning rate, > 0. Default 1e-3. */
  learningRate?: number;
  /** L2 penalty that is added to the gradient, >= 0. Default 5e-4 (none for `ce-top-to-input`). */
  weightDecay?: number;
  /** Most epochs of each layer, or time steps where all layers learn together. Default 1000. */
  epochs?: number;
  /** Epochs between validations. Default 2. */
  validateEvery?: number;
  /** Validations without a better one after which training (of the layer) stops. Default 100. */
  patience?: number;
  /** Source of all randomness. Default 0. */
  seed?: number | string;
  /** Element type of parameters. Default float32. */
  dtype?: "float32" | "float64";
  /** Whether to aggregate an input that stays the same only once. Default true. */
  cache?: boolean;
  /**
   * Compiles each step. Without it the compiler of tensor-core does, where there are 50 epochs or more and the
   * convolution is one of the paper; it is faster than the cpu of ONNX Runtime.
   */
  backend?: Backend;
}

/** The names of {@link TrainingOptions}, for `checkOptions`. */
export const trainingOptionNames = [
  "convolution",
  "layers",
  "hidden",
  "heads",
  "learningRate",
  "weightDecay",
  "epochs",
  "validateEvery",
  "patience",
  "seed",
  "dtype",
  "cache",
  "backend",
  ...runOptionNames,
] as const satisfies readonly (keyof TrainingOptions)[];

/** Options of `fitNodeClassifier`. */
export interface NodeOptions extends TrainingOptions {
  /** Temperature of similarities, > 0 (single-forward methods). Default 1. */
  tau?: number;
  /** Threshold of the goodness (forward-forward methods). Default 2. */
  theta?: number;
  /** Most negative inputs (forward-forward methods), of C - 1. Default all. */
  negatives?: number;
  /** Own wrong labels: per negative input `[nodes]` classes, read at training nodes. Default random. */
  wrongLabels?: readonly Int32Array[];
  /** How goodness is put together over the units of a layer in prediction. Default `mean`, as the official code has it. */
  goodness?: "mean" | "sum";
  /** Edges of virtual nodes. Default `bidirection`. */
  direction?: Direction;
  /** `[classes, features]` of virtual nodes. Default normal. */
  virtualFeatures?: Tensor;
  /** Whether odd layers go before even ones in a time step of top-to-input. Default true. */
  alternating?: boolean;
  /** Sweeps of a top-to-input prediction. Default 10. */
  sweeps?: number;
  /** First sweep (from 0) that counts in a top-to-input prediction. Default 2. */
  collectFrom?: number;
  /** Largest norm of a layer's gradient in top-to-loss; Infinity for any. Default 1. */
  clipNorm?: number;
}

/** The names of {@link NodeOptions}, for `checkOptions`. */
export const nodeOptionNames = [
  ...trainingOptionNames,
  "tau",
  "theta",
  "negatives",
  "wrongLabels",
  "goodness",
  "direction",
  "virtualFeatures",
  "alternating",
  "sweeps",
  "collectFrom",
  "clipNorm",
] as const satisfies readonly (keyof NodeOptions)[];

const ofRepresentatives = ["tau", "direction", "virtualFeatures"] as const;
const ofSweeps = ["alternating", "sweeps", "collectFrom"] as const;
const ofLabels = ["theta", "negatives", "wrongLabels", "goodness"] as const;

/** The options that some methods of node classification look at, by method. */
export const ownNodeOptions: Readonly<Record<string, readonly (keyof NodeOptions)[]>> = {
  sf: ofRepresentatives,
  "sf-top-to-input": [...ofRepresentatives, ...ofSweeps],
  "sf-top-to-loss": [...ofRepresentatives, "clipNorm"],
  "ff-la": ofLabels,
  "ff-vn": [...ofLabels, "direction", "virtualFeatures"],
  bp: [],
};

/** The same of link prediction. */
export const ownLinkOptions: Readonly<Record<string, readonly ("theta" | (typeof ofSweeps)[number])[]>> = {
  ce: [],
  ff: ["theta"],
  "ce-top-to-input": ofSweeps,
  bp: [],
};

/** @throws ValueError for an option that other methods look at, and this one does not. */
export function refuseOthers<O extends object>(
  owner: string,
  method: string,
  options: O,
  own: Readonly<Record<string, readonly (keyof O & string)[]>>,
): void {
  // A method of no such name is refused where it would be carried out.
  if (!Object.hasOwn(own, method)) return;
  const others = new Set(Object.values(own).flat());
  for (const name of own[method]) others.delete(name);
  refuseIdle(owner, `the method ${method}`, options, [...others]);
}

/** Options with their defaults. */
export type Settled<T> = Required<Omit<T, "backend" | keyof TrainingRunOptions | "wrongLabels" | "virtualFeatures">>;

/** Epochs from which on compiling a step of the paper's convolutions takes less time than it saves. */
const COMPILED_EPOCHS = 50;

/** What compiles steps; undefined to run them as they are, as convolutions of one's own may not be traceable. */
export function compilerOf({ backend, convolution, epochs = 1000 }: TrainingOptions): JitOptions | undefined {
  if (backend !== undefined) return { backend };
  // Decided by what a resumed run has, too: compiled and eager steps differ by rounding.
  return typeof convolution === "function" || epochs < COMPILED_EPOCHS ? undefined : {};
}

/** @throws ValueError for heads that a caller gives beside a convolution without; settled options have them always. */
export function refuseIdleHeads(owner: string, { convolution = "gcn", heads }: TrainingOptions): void {
  if (heads === undefined || convolution === "gat") return;
  const chosen = typeof convolution === "function" ? "one of your own" : `"${convolution}"`;
  throw new ValueError(
    `${owner}: heads are of the convolution "gat", and this is ${chosen}; leave them out, or take gat`,
  );
}

/** Defaults of every way of training; throws ValueError for what is out of range. */
export function settleTraining(owner: string, options: TrainingOptions): Settled<TrainingOptions> {
  const { convolution = "gcn", layers = 2, hidden = 128, heads = 4, learningRate = 1e-3, weightDecay = 5e-4 } = options;
  const { epochs = 1000, validateEvery = 2, patience = 100, seed = 0, dtype = "float32", cache = true } = options;
  for (const [name, value] of Object.entries({ layers, hidden, heads, epochs, validateEvery, patience })) {
    requireInteger(owner, name, value, 1);
  }
  requirePositive(owner, "learningRate", learningRate);
  requireNonNegative(owner, "weightDecay", weightDecay);
  requireChoice(owner, "dtype", dtype, ["float32", "float64"]);
  requireChoice(owner, "cache", cache, [true, false]);
  if (convolution === "gat" && hidden % heads !== 0) {
    throw new ValueError(`${owner}: ${heads} heads do not divide the width ${hidden}; change heads or hidden`);
  }
  return {
    convolution,
    layers,
    hidden,
    heads,
    learningRate,
    weightDecay,
    epochs,
    validateEvery,
    patience,
    seed,
    dtype,
    cache,
  };
}

/** Defaults of node classification; throws ValueError for what is out of range. */
export function settleNodes(owner: string, options: NodeOptions): Settled<NodeOptions> {
  const { tau = 1, theta = 2, negatives = Number.MAX_SAFE_INTEGER, goodness = "mean" } = options;
  const { direction = "bidirection", alternating = true, sweeps = 10, collectFrom = 2, clipNorm = 1 } = options;
  if (typeof tau !== "number" || !(tau > 0)) throw new ValueError(`${owner}: tau is ${tau}; it must be > 0`);
  if (!Number.isFinite(theta)) throw new ValueError(`${owner}: theta is ${theta}; it must be finite`);
  requireInteger(owner, "negatives", negatives, 1);
  requireSweeps(owner, sweeps, collectFrom);
  requireChoice(owner, "goodness", goodness, ["mean", "sum"]);
  requireChoice(owner, "direction", direction, ["bidirection", "unidirection"]);
  requireChoice(owner, "alternating", alternating, [true, false]);
  if (typeof clipNorm !== "number" || !(clipNorm > 0))
    throw new ValueError(`${owner}: clipNorm is ${clipNorm}; it must be > 0`);
  const nodes = { tau, theta, negatives, goodness, direction, alternating, sweeps, collectFrom, clipNorm };
  return { ...settleTraining(owner, options), ...nodes };
}

/** Throws unless some sweep counts. */
export function requireSweeps(owner: string, sweeps: number, collectFrom: number): void {
  requireInteger(owner, "sweeps", sweeps, 1);
  requireInteger(owner, "collectFrom", collectFrom, 0);
  if (collectFrom >= sweeps) {
    throw new ValueError(`${owner}: collectFrom is ${collectFrom} of ${sweeps} sweeps; no sweep would count`);
  }
}
