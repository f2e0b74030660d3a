import {
  adam,
  chain,
  type GradientTransformation,
  keepNonNegative,
  type Schedule as LearningRate,
  masked,
  type TrainingRecord,
  type TrainingState,
  type TrainResult,
  train,
} from "@offprint/optim";
import { type RunOptions, runOptionNames, runOptionsOf } from "@offprint/solvers";
import {
  add,
  type Backend,
  cast,
  checkOptions,
  hostBackend,
  isTensor,
  mean,
  mul,
  type Rng,
  random,
  requireFinite,
  requireFunction,
  requireInteger,
  requireObject,
  reshape,
  ShapeError,
  slice,
  sub,
  type Tensor,
  take,
  tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import { batchOf, type FloatType } from "./batch.js";
import { absoluteLoss, type DenoisingLoss, matched, squaredLoss } from "./losses.js";
import { isLpn, type LpnParams, type ProxModel } from "./network.js";
import { endsOf, type NoiseLevel } from "./noise-level.js";
import { type Course, type Schedule, type Stage, scheduleOf } from "./stages.js";

/** Clean samples: all of them, `[count, ...shape]`, or a function that draws a batch `[size, ...shape]`. */
export type CleanSamples = Tensor | ((rng: Rng, size: number) => Tensor);

/** Options of {@link fitProximal}. */
export interface FitProximalOptions<P> extends Omit<RunOptions<TrainingRecord, TrainingState<P>>, "resume"> {
  /** Standard deviation of the noise that is added, > 0; or the ends of a range, one for each sample. */
  readonly sigma: NoiseLevel;
  /** What is minimised, and how long. */
  readonly stages: readonly Stage[];
  /** Steps at most, those of the resumed run included. Default: all of the stages. */
  readonly steps?: number;
  /** Samples in a batch. Default 128. */
  readonly batchSize?: number;
  /** Decides all chance. Default 0. */
  readonly seed?: number | string;
  /** Parameters to begin with. Default: drawn from the seed, in float32. */
  readonly initial?: P;
  /** Makes the optimizer for the stages' learning rates. Default Adam. */
  readonly optimizer?: (learningRate: LearningRate) => GradientTransformation;
  /** Compiles the step. Default the host's compiler. */
  readonly backend?: Backend;
  /** State of an earlier run. */
  readonly resume?: TrainingState;
}

/** What {@link fitProximal} gives. */
export interface FitProximalResult<P> extends Omit<TrainResult<P>, "epochs" | "modelState"> {
  /** What is doubtful: where gradients of proximal matching vanished. Empty for nothing. */
  readonly warnings: readonly string[];
}

const names = ["sigma", "stages", "steps", "batchSize", "seed", "initial", "optimizer", "backend", ...runOptionNames];

const losses: readonly DenoisingLoss[] = ["squared", "absolute", "matching"];

/** Below this mean of `exp(-t^2 / gamma^2)`, which lies in float32's last digits beside 1, nothing is learnt. */
const VANISHED = 1e-6;

interface Batch {
  readonly clean: Tensor;
  readonly noisy: Tensor;
  /** Which loss: a one among zeros. */
  readonly kind: Tensor;
  readonly gamma: Tensor;
}

/**
 * Trains a denoiser, of a stage's loss each: with the absolute error first and proximal matching at a falling gamma then, a
 * learned proximal network tends to the proximal operator of `-sigma^2 log p`. Loss, gradient, update and the
 * clipping of `W_k` at 0 after it are one compiled function.
 * @param model A network of `lpn`, or any denoiser of the same interface.
 * @returns `history` has the figure `matched`, the batch's mean of `exp(-|f(y) - x|^2 / gamma^2)`.
 * @throws ValueError, ShapeError; NonFiniteError, with the last good state, where training diverges.
 */
export async function fitProximal<P>(
  model: ProxModel<P>,
  data: CleanSamples,
  options: FitProximalOptions<P>,
): Promise<FitProximalResult<P>> {
  requireObject("fitProximal", "model", model, "a ProxModel");
  const owner = "fitProximal";
  requireFunction(owner, "model.init", model.init);
  requireFunction(owner, "model.prox", model.prox);
  checkOptions(owner, options, names, ["sigma", "stages"]);
  const { sigma, stages, batchSize = 128, seed = 0, backend = hostBackend } = options;
  const makeOptimizer = options.optimizer ?? ((learningRate: LearningRate) => adam({ learningRate }));
  requireInteger(owner, "batchSize", batchSize, 1);
  const schedule = scheduleOf(owner, stages);
  const { steps = schedule.steps } = options;
  requireInteger(owner, "steps", steps, 0);
  const draw = drawing(owner, data, model.shape);
  const levels = levelsOf(owner, sigma);
  if (options.optimizer !== undefined) requireFunction(owner, "optimizer", options.optimizer);
  if (options.initial !== undefined && isLpn(model)) model.assertConvex(options.initial as LpnParams);
  const initial = options.initial ?? model.init(random.rng(`${seed}/parameters`));
  const dtype = tree.leaves<Tensor>(initial)[0].dtype as FloatType;
  for (const { gamma } of stages) if (gamma !== undefined) requireSquares(owner, gamma, dtype);
  if (options.resume !== undefined) requireOwn(owner, options.resume.inner?.params, initial);
  const float = (values: number | number[]) => tensor(values, { dtype });
  const optimizer = makeOptimizer((update) => schedule.learningRate(update));
  const { nonNegative } = model;
  const loss = (params: P, { clean, noisy, kind, gamma }: Batch) => {
    const restored = model.prox(params, noisy);
    const close = mean(matched(restored, clean, gamma));
    const each = [squaredLoss(restored, clean), absoluteLoss(restored, clean), sub(1, close)];
    const total = each.map((value, i) => mul(value, slice(kind, [i]))).reduce((a, b) => add(a, b));
    return [total, { matched: close }] as const;
  };
  const { epochs, modelState, ...result } = await train<P, Batch, { matched: Tensor }>({
    owner,
    loss,
    initial,
    optimizer:
      nonNegative === undefined
        ? optimizer
        : chain(
            optimizer,
            masked(keepNonNegative(), (path) => nonNegative(path)),
          ),
    // A step is an epoch of its own, so that a run that goes on need not draw again what was seen before.
    epochs: Math.min(steps, schedule.steps),
    seed,
    backend,
    *data(step, rng) {
      const { loss: name, gamma } = schedule.at(step);
      const clean = draw(rng, batchSize, dtype);
      const noise = rng.normal(clean.shape, { dtype });
      const noisy = add(clean, mul(noise, levels(rng, batchSize, model.shape.length, dtype)));
      yield { clean, noisy, gamma: float(gamma), kind: float(losses.map((each) => (each === name ? 1 : 0))) };
    },
    modelState: { matched: float(1) },
    figures: ({ matched: close }) => ({ matched: close.item() }),
    ...runOptionsOf(options),
  });
  return { ...result, warnings: warningsOf(schedule, result.history) };
}

/** Sizes whose squares are numbers, with room for quotients. */
const SQUARES = { float32: 1e15, float64: 1e150 };

/** Throws where the square of gamma is no number, so that nothing would be learnt. */
function requireSquares(owner: string, gamma: Course, dtype: FloatType): void {
  for (const end of [gamma].flat()) {
    if (end < SQUARES[dtype] && end > 1 / SQUARES[dtype]) continue;
    throw new ValueError(
      `${owner}: stages: gamma is ${end}; in ${dtype} it must be between ${1 / SQUARES[dtype]} and ${SQUARES[dtype]}`,
    );
  }
}

/** Throws where a run that is resumed trained other parameters. */
function requireOwn(owner: string, kept: unknown, initial: unknown): void {
  const described = (params: unknown) =>
    String(tree.paths(params).map((path, i) => `${path} ${shapeOf(tree.leaves<Tensor>(params)[i])}`));
  if (described(kept) === described(initial)) return;
  throw new ShapeError(
    `${owner}: resume is of another model, or of another dtype; give the \`state\` of a run of this one`,
  );
}

const shapeOf = (leaf: unknown) => (isTensor(leaf) ? `${leaf.dtype} [${leaf.shape}]` : typeof leaf);

function drawing(owner: string, data: CleanSamples, shape: readonly number[]) {
  if (!isTensor(data)) {
    if (typeof data === "function") {
      return (rng: Rng, size: number, dtype: FloatType) => {
        const drawn = data(rng, size);
        requireObject(owner, "what data gave", drawn, "a tensor, at once");
        if (drawn instanceof Promise) throw new ValueError(`${owner}: data gave a promise; give a tensor at once`);
        const batch = batchOf(owner, shape, drawn);
        if (batch.shape[0] === size) return cast(batch, dtype);
        throw new ShapeError(`${owner}: data gave ${batch.shape[0]} samples; give as many as asked for, ${size}`);
      };
    }
    throw new ValueError(`${owner}: data must be clean samples [count, ${shape}], or a function that draws a batch`);
  }
  const all = batchOf(owner, shape, data);
  requireFinite(owner, "data", all);
  if (all.shape[0] === 0) throw new ShapeError(`${owner}: data holds no samples; give at least one`);
  return (rng: Rng, size: number, dtype: FloatType) =>
    cast(take(all, rng.randint([size], { high: all.shape[0] }), 0), dtype);
}

/** Standard deviations of the noise of a batch. */
function levelsOf(owner: string, sigma: NoiseLevel) {
  const [low, high] = endsOf(owner, sigma);
  return (rng: Rng, size: number, rank: number, dtype: FloatType): Tensor | number =>
    low === high ? low : reshape(rng.uniform([size], { low, high, dtype }), [size, ...new Array<number>(rank).fill(1)]);
}

function warningsOf(schedule: Schedule, history: readonly TrainingRecord[]): string[] {
  const vanished = history.filter(
    ({ step, figures }) => schedule.at(step - 1).loss === "matching" && (figures?.matched ?? 1) < VANISHED,
  );
  if (vanished.length === 0) return [];
  return [
    `proximal matching had no gradient in ${vanished.length} of ${history.length} steps, the first of them ` +
      `${vanished[0].step}: gamma is far below the error; train longer with the absolute error, or raise gamma`,
  ];
}
