import { applyUpdates, type GradientTransformation, requireOptimizer, sgd } from "@offprint/optim";
import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  asTensor,
  checkOptions,
  div,
  mul,
  NonFiniteError,
  random,
  refuseIdle,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requireObject,
  requirePositive,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  ValueError,
  zeros,
} from "@offprint/tensor-core";
import {
  type Head,
  headWarnings,
  type LoraProjection,
  type ProjectionName,
  projectionNames,
  type ReadHead,
  readHead,
  readMatrix,
} from "./head.js";
import { checkGradientOptions, gradientOptionNames, gradientsOf, type LoraGradientOptions } from "./lora-gradients.js";

/** A sequence to learn from. */
export interface AdapterExample {
  /** Tokens, `[L, D]`. */
  readonly x: TensorLike;
  /** What the head should give, `[L, d]`. */
  readonly target: TensorLike;
}

/** An adapter's matrices. */
export interface AdapterMatrices {
  /** B, `[D, r]`. */
  readonly b: Tensor;
  /** A, `[r, d]`. */
  readonly a: Tensor;
}

/** The adapters that are trained. */
export type Adapters = Readonly<Partial<Record<ProjectionName, AdapterMatrices>>>;

/** One step. */
export interface AdapterRecord {
  /** Steps made. */
  readonly step: number;
  /** Mean loss before the step, `||o - Y||^2 / (2 L d)`. */
  readonly loss: number;
  /** How its gradient was found. */
  readonly strategy: "exact" | "almostLinear";
  /** R, which grows as the adapters do. */
  readonly range: number;
  /** Certified error of an adapter's gradient of the mean loss; 0 where it is exact. */
  readonly bound: number;
}

/** Where a training stands, as a tree. */
export interface AdapterState {
  /** The adapters. */
  readonly adapters: Adapters;
  /** The optimizer's. */
  readonly optimizer: unknown;
  /** The last step's record; null before the first. */
  readonly record: Omit<AdapterRecord, "step"> | null;
}

/** Options of `fitAdapters`. */
export interface FitAdaptersOptions
  extends RunOptions<AdapterRecord, RunState<AdapterState, AdapterRecord>>,
    LoraGradientOptions {
  /** Which weights get an adapter: `["q", "v"]` is the paper's partial adaptation. Default `["q", "v"]`. */
  readonly adapters?: readonly ProjectionName[];
  /** r >= 1. Default 2. */
  readonly rank?: number;
  /** alpha > 0. Default r. */
  readonly alpha?: number;
  /** alpha / r or alpha / sqrt(r). Default `"lora"`. */
  readonly scaling?: "lora" | "rslora";
  /** Standard deviation of A at the start; B is 0. Default `1 / sqrt(d)`. */
  readonly deviation?: number;
  /** Steps, one example each. Default 100. */
  readonly steps?: number;
  /** Of plain gradient descent. Default 1. */
  readonly learningRate?: number;
  /** An optimizer of `@offprint/optim`, instead of `learningRate`. */
  readonly optimizer?: GradientTransformation;
  /** Decides A. Default 0. */
  readonly seed?: number | string;
}

/** What training gave. */
export interface FitAdaptersResult {
  /** The head with its adapters. */
  readonly head: Head;
  /** The adapters alone. */
  readonly adapters: Adapters;
  /** How it ended: it never converges. */
  readonly status: Exclude<Status, "converged">;
  /** Steps made. */
  readonly steps: number;
  /** A record for every step. */
  readonly history: readonly AdapterRecord[];
  /** To go on from, with `resume`. */
  readonly state: RunState<AdapterState, AdapterRecord>;
  /** What was odd: an adapter whose rank is not below that of its weight. */
  readonly warnings: readonly string[];
}

const optionNames = [
  ...gradientOptionNames,
  ...runOptionNames,
  "adapters",
  "rank",
  "alpha",
  "scaling",
  "deviation",
  "steps",
  "learningRate",
  "optimizer",
  "seed",
] as const satisfies readonly (keyof FitAdaptersOptions)[];

/**
 * Trains a head's adapters towards given outputs. With `strategy: "auto"` every step takes the almost linear gradient as
 * long as its certified error is at most `tolerance`; norms grow while adapters learn, and then it takes the exact one.
 *
 * @param head Frozen weights; adapters that it has already are where training begins.
 * @param examples Sequences, taken in turn.
 * @throws ShapeError, ValueError for what does not fit; NormExceededError where `"almostLinear"` was asked for and norms
 * have grown too large; NonFiniteError, with the last good state, where the training diverges.
 * @example
 * const { head: tuned, history } = await fitAdapters({ q, k, v }, [{ x, target }], { rank: 4, steps: 200 });
 */
export async function fitAdapters(
  head: Head,
  examples: AdapterExample | readonly AdapterExample[],
  options: FitAdaptersOptions = {},
): Promise<FitAdaptersResult> {
  const owner = "fitAdapters";
  checkOptions(owner, options, optionNames);
  const { steps = 100, learningRate = 1, seed = 0 } = options;
  requireInteger(owner, "steps", steps, 0);
  requireNonNegative(owner, "learningRate", learningRate);
  if (options.optimizer !== undefined) {
    refuseIdle(owner, "an optimizer, which has its own rate", options, ["learningRate"]);
  }
  const optimizer = options.optimizer ?? sgd({ learningRate });
  requireOptimizer(owner, optimizer);
  const given = Array.isArray(examples) ? (examples as readonly AdapterExample[]) : [examples as AdapterExample];
  if (given.length === 0) throw new ValueError(`${owner}: there is no example; give { x, target }`);
  for (const [i, example] of given.entries()) {
    const name = given.length === 1 ? "the example" : `example ${i}`;
    requireObject(owner, name, example, "{ x, target }, two matrices");
    checkOptions(`${owner}: ${name}`, example, ["x", "target"], ["x", "target"]);
  }
  const frozen = readHead(owner, given[0].x, head);
  checkGradientOptions(owner, options);
  const [dimension, width] = frozen.projections.q.weight.shape;
  // In one dtype, so that adapters keep theirs whichever sequence they meet.
  const sequences = given.map((example, i) => {
    const x = readMatrix(owner, `x of example ${i}`, example.x, frozen.dtype);
    const target = readMatrix(owner, `target of example ${i}`, example.target, frozen.dtype);
    const [length, columns] = x.shape;
    if (length > 0 && columns === dimension && target.shape.join() === [length, width].join()) return { x, target };
    throw new ShapeError(
      `${owner}: example ${i} has x [${x.shape}] and target [${target.shape}]; give [length, ${dimension}] and [length, ${width}]`,
    );
  });
  const names = adapterNames(owner, options.adapters, frozen);
  const begin = { ...startOf(owner, frozen, names, options, seed) };
  const gradientOptions = pickGradientOptions(options);
  const adaptedHead = (adapters: Adapters): Head => withAdapters(head, frozen, adapters, options);

  const run = await runLoop<AdapterState, AdapterRecord, never>(
    {
      owner,
      limit: steps,
      limitName: "steps",
      initial: () => ({ adapters: begin, optimizer: optimizer.init(begin), record: null }),
      async step({ adapters, optimizer: state }, step) {
        const { x, target } = sequences[(step - 1) % sequences.length];
        const read = readHead(owner, x, adaptedHead(adapters));
        const count = read.x.shape[0] * frozen.projections.q.weight.shape[1];
        const found = await gradientsOf(
          owner,
          read,
          { target },
          {
            ...gradientOptions,
            // Of the sum that is differentiated, not of its mean.
            ...((options.strategy ?? "auto") === "auto" && { tolerance: (options.tolerance ?? 1e-6) * count }),
          },
        );
        const loss = (found.loss ?? Number.NaN) / count;
        if (!Number.isFinite(loss)) throw new NonFiniteError("the loss is not finite; lower learningRate");
        const gradients: Partial<Record<ProjectionName, AdapterMatrices>> = {};
        for (const name of names) {
          const { [name]: b } = found.b;
          const { [name]: a } = found.a;
          if (b !== null && a !== null) gradients[name] = { b: div(b, count), a: div(a, count) };
        }
        const { updates, state: next } = optimizer.update<Adapters>(gradients, state, adapters);
        const { strategy, range, bound } = found;
        const record = { loss, strategy, range, bound: (bound?.largest ?? 0) / count };
        return { adapters: applyUpdates(adapters, updates), optimizer: next, record };
      },
      record: ({ record }, step) => (record === null ? undefined : { step, ...record }),
      check: (point) => checkPoint(owner, point, begin),
    },
    options,
  );
  const { status, iterations, history, last, state } = run;
  const tuned = adaptedHead(last.adapters);
  return {
    head: tuned,
    adapters: last.adapters,
    ...{ status, steps: iterations, history, state },
    warnings: headWarnings(readHead(owner, sequences[0].x, tuned)),
  };
}

/** Whether a state is one of this training. */
function checkPoint(owner: string, { adapters, optimizer, record }: Partial<AdapterState>, begin: Adapters): void {
  requireObject(owner, "adapters of resume", adapters, "the `state` of a result or of a checkpoint");
  const [given, own] = [tree.flatten(adapters), tree.flatten(begin)];
  if (!tree.sameStructure(given.structure, own.structure)) {
    throw new ValueError(
      `${owner}: resume holds adapters of [${Object.keys(adapters ?? {})}], not of [${Object.keys(begin)}]`,
    );
  }
  const paths = tree.paths(begin);
  for (const [i, leaf] of own.leaves.entries()) {
    const { shape } = asTensor(given.leaves[i] as TensorLike);
    const wanted = (leaf as Tensor).shape;
    if (shape.join() === wanted.join()) continue;
    throw new ShapeError(
      `${owner}: resume has ${paths[i]} of shape [${shape}], and options say [${wanted}]; give the same rank`,
    );
  }
  if (optimizer !== undefined && record !== undefined) return;
  throw new ValueError(
    `${owner}: resume is not where training stands; give the \`state\` of a result or of a checkpoint`,
  );
}

function adapterNames(
  owner: string,
  given: readonly ProjectionName[] | undefined,
  frozen: ReadHead,
): readonly ProjectionName[] {
  const own = projectionNames.filter((name) => frozen.projections[name].adapter !== undefined);
  const names = given ?? (own.length > 0 ? own : (["q", "v"] as const));
  if (!Array.isArray(names) || names.length === 0) {
    throw new ValueError(`${owner}: adapters is ${JSON.stringify(names)}; give some of "q", "k", "v"`);
  }
  for (const name of names) requireChoice(owner, "adapters", name, projectionNames);
  return projectionNames.filter((name) => names.includes(name));
}

function startOf(
  owner: string,
  frozen: ReadHead,
  names: readonly ProjectionName[],
  options: FitAdaptersOptions,
  seed: number | string,
): Adapters {
  const [dimension, width] = frozen.projections.q.weight.shape;
  const idle = names.every((name) => frozen.projections[name].adapter !== undefined)
    ? (["rank", "alpha", "scaling", "deviation"] as const).find((name) => options[name] !== undefined)
    : undefined;
  if (idle !== undefined) {
    throw new ValueError(
      `${owner}: ${idle} is of new adapters, and ${names.join(", ")} of the head have their own; leave it out, or give the weights alone`,
    );
  }
  const { rank = 2, deviation = 1 / Math.sqrt(width), alpha = 1, scaling } = options;
  requireInteger(owner, "rank", rank, 1);
  if (rank > Math.min(dimension, width)) {
    throw new ShapeError(
      `${owner}: rank is ${rank}, more than the weight [${dimension}, ${width}] can have; give at most ` +
        `${Math.min(dimension, width)}`,
    );
  }
  requirePositive(owner, "deviation", deviation);
  requirePositive(owner, "alpha", alpha);
  requireChoice(owner, "scaling", scaling, ["lora", "rslora"]);
  const rng = random.rng(seed);
  const adapters: Partial<Record<ProjectionName, AdapterMatrices>> = {};
  for (const name of names) {
    const own = frozen.projections[name].adapter;
    const a = mul(rng.normal([rank, width], { dtype: frozen.dtype }), tensor(deviation, { dtype: frozen.dtype }));
    adapters[name] = own === undefined ? { b: zeros([dimension, rank], frozen.dtype), a } : { b: own.b, a: own.a };
  }
  return adapters;
}

function withAdapters(head: Head, frozen: ReadHead, adapters: Adapters, options: FitAdaptersOptions): Head {
  const projection = (name: ProjectionName): Head["q"] => {
    const matrices = adapters[name];
    const given = head[name] as LoraProjection;
    if (matrices === undefined) return given;
    const { weight, bias, adapter } = frozen.projections[name];
    const { alpha, scaling } = adapter === undefined ? options : given;
    return {
      weight,
      ...(bias !== undefined && { bias }),
      ...matrices,
      ...(alpha !== undefined && { alpha }),
      ...(scaling !== undefined && { scaling }),
    };
  };
  return { q: projection("q"), k: projection("k"), v: projection("v"), beta: frozen.beta, causal: frozen.causal };
}

function pickGradientOptions(options: FitAdaptersOptions): LoraGradientOptions {
  return Object.fromEntries(
    gradientOptionNames.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
}
