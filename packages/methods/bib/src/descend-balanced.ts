import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  add,
  asTensor,
  type Backend,
  checkOptions,
  clip,
  greater,
  type Jitted,
  jit,
  mul,
  NonFiniteError,
  ones,
  requireChoice,
  requireFinite,
  requireInteger,
  requirePositive,
  ShapeError,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
  vjp,
  where,
  zeros,
  zerosLike,
} from "@offprint/tensor-core";
import { adamDirection, adaptedRate, along, gammaSlope, type Moments } from "./adaptive-rules.js";

/** What is told of a step; arrays have a number for each design. */
export interface DesignRecord {
  /** From 1. */
  readonly step: number;
  /** L_fwd before it; minus the prediction in the mode `grad`. */
  readonly forwardLoss: Float64Array;
  /** L_bwd before it. */
  readonly backwardLoss: Float64Array;
  /** The auxiliary score before it. */
  readonly auxiliary: Float64Array;
  /** gamma in it. */
  readonly gamma: Float64Array;
  /** eta in it. */
  readonly learningRate: Float64Array;
}

/** What is known of designs: `[B]` each. */
export interface DesignFigures {
  /** L_fwd. */
  readonly forward: Tensor;
  /** L_bwd. */
  readonly backward: Tensor;
  /** What gamma and eta should make rise. */
  readonly auxiliary: Tensor;
  /** The proxy's prediction, by which the best design of a run is chosen. */
  readonly prediction: Tensor;
}

/** Where a run stands. */
export interface DesignPoint {
  /** `[B, L, V]` */
  readonly logits: Tensor;
  /** gamma `[B]`. */
  readonly gamma: Tensor;
  /** Of the step on the logits. */
  readonly moments: Moments;
  /** Of the step on gamma. */
  readonly gammaMoments: Moments;
  /** The logits with the best prediction so far, and that. */
  readonly best: { readonly logits: Tensor; readonly prediction: Tensor };
  /** Figures of the last step; null before the first. */
  readonly told: Omit<DesignRecord, "step"> | null;
}

/** A state to go on from; a tree. */
export type DesignState = RunState<DesignPoint, DesignRecord>;

/** Options of {@link descendBalanced}. */
export interface BalanceOptions extends RunOptions<DesignRecord, DesignState> {
  /** gamma: adaptive from 1/2 on, or a fixed number in [0, 1]. Default `adaptive`. */
  readonly balance?: "adaptive" | number;
  /** Whether eta adapts, too. Default false. */
  readonly adaptiveRate?: boolean;
  /** T. Default 100, as for DNA; the paper takes 25 for proteins. */
  readonly steps?: number;
  /** eta_0 > 0. Default 0.1. */
  readonly learningRate?: number;
  /** How the derivatives of the outer level are taken. Default `firstOrder`. */
  readonly outer?: "firstOrder" | "exact";
  /** Compiles the step elsewhere. Default the compiler of tensor-core. */
  readonly backend?: Backend;
}

/** What {@link descendBalanced} gives. */
export interface BalanceResult {
  /** The last logits, `[B, L, V]`. */
  readonly logits: Tensor;
  /** Those with the best prediction on the way. */
  readonly best: { readonly logits: Tensor; readonly prediction: Tensor };
  /** gamma at the end, `[B]`. */
  readonly gamma: Tensor;
  /** Steps done. */
  readonly steps: number;
  /** How it ended. */
  readonly status: Status;
  /** A record for each step. */
  readonly history: readonly DesignRecord[];
  /** What `resume` goes on from. */
  readonly state: DesignState;
}

/** The options that {@link descendBalanced} reads. */
export const balanceOptionNames = [
  ...["balance", "adaptiveRate", "steps", "learningRate", "outer", "backend"],
  ...runOptionNames,
];

const float64 = { dtype: "float64" } as const;

/**
 * Adaptive-gamma and Adaptive-eta for any two losses of a batch of designs: each design descends by Adam on
 * `gamma forward + (1 - gamma) backward`, and gamma and eta follow an auxiliary score one step ahead.
 * @param initial `[B, L, V]` logits, or whatever is designed
 * @param figures of logits and `data`; traced
 * @param data a tree of tensors that the figures need, such as parameters of a model
 * @throws ValueError for options that are none; NonFiniteError, with the last good state, where a figure is not finite.
 */
export async function descendBalanced<D>(
  initial: TensorLike,
  figures: (logits: Tensor, data: D) => DesignFigures,
  data: D,
  options: BalanceOptions = {},
): Promise<BalanceResult> {
  const owner = "descendBalanced";
  checkOptions(owner, options, balanceOptionNames);
  const settings = readSettings(owner, options);
  const step = jit(balancedStep(figures, settings), options.backend && { backend: options.backend });
  try {
    return await runBalanced(owner, asTensor(initial, "float64"), step, data, settings, options);
  } finally {
    await step.release();
  }
}

/** A compiled step of all designs. */
export type BalancedStep<D> = Jitted<ReturnType<typeof balancedStep<D>>>;

/** Runs a compiled step. */
export async function runBalanced<D>(
  owner: string,
  first: Tensor,
  step: BalancedStep<D>,
  data: D,
  { steps, firstGamma }: Pick<BalanceSettings, "steps" | "firstGamma">,
  options: RunOptions<DesignRecord, DesignState>,
): Promise<BalanceResult> {
  if (first.rank !== 3) throw new ShapeError(`${owner}: the logits have shape [${first.shape}]; give [designs, L, V]`);
  requireFinite(owner, "initial", first);
  const [count] = first.shape;
  const none = () => zeros([count], "float64");
  const run = await runLoop<DesignPoint, DesignRecord, never>(
    {
      owner,
      limit: steps,
      limitName: "steps",
      initial: () => ({
        ...{ logits: first, gamma: mul(ones([count], "float64"), firstGamma), told: null },
        moments: { first: zerosLike(first), second: zerosLike(first) },
        gammaMoments: { first: none(), second: none() },
        best: { logits: first, prediction: sub(none(), Number.MAX_VALUE) },
      }),
      async step({ told: _, ...point }, iteration) {
        const { told, ...next } = await step(point, data, tensor(iteration, float64));
        return { ...next, told: valuesOf(told) };
      },
      record: ({ told }, iteration) => (told === null ? undefined : { step: iteration, ...told }),
      check({ logits }) {
        if (logits?.shape?.join() === first.shape.join()) return;
        throw new ValueError(`${owner}: resume is a state of other designs; give one of this table and these starts`);
      },
    },
    options,
  );
  const { logits, best, gamma } = run.last;
  const { status, iterations, history, state } = run;
  return { logits, best, gamma, steps: iterations, status, history, state };
}

/** Options with their defaults. */
export type BalanceSettings = ReturnType<typeof readSettings>;

/** Checks the options of a step. @throws ValueError */
export function readSettings(owner: string, options: BalanceOptions) {
  const { balance = "adaptive", adaptiveRate = false, steps = 100, learningRate = 0.1, outer = "firstOrder" } = options;
  if (balance !== "adaptive" && !(typeof balance === "number" && balance >= 0 && balance <= 1)) {
    throw new ValueError(`${owner}: balance is ${balance}; it must be "adaptive" or a number in [0, 1]`);
  }
  requireChoice(owner, "adaptiveRate", adaptiveRate, [true, false]);
  requireChoice(owner, "outer", outer, ["firstOrder", "exact"]);
  requireInteger(owner, "steps", steps, 0);
  requirePositive(owner, "learningRate", learningRate);
  return { balance, adaptiveRate, steps, learningRate, outer, firstGamma: balance === "adaptive" ? 0.5 : balance };
}

/** Figures as numbers, one for each design. @throws NonFiniteError */
function valuesOf(told: Readonly<Record<keyof Omit<DesignRecord, "step">, Tensor>>): Omit<DesignRecord, "step"> {
  const values = (t: Tensor) => Float64Array.from(t.data());
  const figures = {
    ...{ forwardLoss: values(told.forwardLoss), backwardLoss: values(told.backwardLoss) },
    ...{ auxiliary: values(told.auxiliary), gamma: values(told.gamma), learningRate: values(told.learningRate) },
  };
  for (const [name, each] of Object.entries(figures)) {
    const bad = each.findIndex((v) => !Number.isFinite(v));
    if (bad < 0) continue;
    throw new NonFiniteError(
      `${name} of design ${bad + 1} became ${each[bad]}; take a smaller learning rate or a larger ridge`,
    );
  }
  return figures;
}

/** One step of all designs: the three gradients come from one forward pass. */
export function balancedStep<D>(
  figures: (logits: Tensor, data: D) => DesignFigures,
  { balance, adaptiveRate, learningRate, outer }: Omit<BalanceSettings, "steps" | "firstGamma">,
) {
  return (point: Omit<DesignPoint, "told">, data: D, t: Tensor) => {
    const { logits } = point;
    const [now, pullback] = vjp((x: Tensor) => figures(x, data), logits);
    const one = ones([logits.shape[0]], "float64");
    const none = mul(0, one);
    const nothing = { forward: none, backward: none, auxiliary: none, prediction: none };
    const gradient = (name: keyof DesignFigures) => pullback({ ...nothing, [name]: one })[0];
    const slope = balance === "adaptive" || adaptiveRate ? gradient("auxiliary") : zerosLike(logits);
    const ahead = outer === "exact" ? (x: Tensor) => figures(x, data).auxiliary : undefined;
    let { gamma, gammaMoments } = point;
    let g: Tensor;
    if (balance === "adaptive") {
      const [forward, backward] = [gradient("forward"), gradient("backward")];
      const d = gammaSlope({ logits, gamma, forward, backward, slope }, learningRate, ahead);
      const { direction, moments } = adamDirection(d, gammaMoments, t);
      gammaMoments = moments;
      gamma = clip(sub(gamma, mul(0.1, direction)), 0, 1);
      g = add(mul(along(gamma), forward), mul(along(sub(1, gamma)), backward));
    } else {
      g = pullback({ ...nothing, forward: mul(balance, one), backward: mul(1 - balance, one) })[0];
    }
    const { direction, moments } = adamDirection(g, point.moments, t);
    const bounds = { base: learningRate, outerRate: 0.01, least: 1e-4, most: 0.5 };
    const fixed = mul(learningRate, one);
    // From the second step on.
    const rate = adaptiveRate
      ? add(fixed, mul(clip(sub(t, 1), 0, 1), sub(adaptedRate({ logits, direction, slope }, bounds, ahead), fixed)))
      : fixed;
    const better = greater(now.prediction, point.best.prediction);
    return {
      ...{ gamma, gammaMoments, moments, logits: sub(logits, mul(along(rate), direction)) },
      best: {
        logits: where(along(better), logits, point.best.logits),
        prediction: where(better, now.prediction, point.best.prediction),
      },
      told: {
        ...{ forwardLoss: now.forward, backwardLoss: now.backward, auxiliary: now.auxiliary },
        ...{ gamma, learningRate: rate },
      },
    };
  };
}
