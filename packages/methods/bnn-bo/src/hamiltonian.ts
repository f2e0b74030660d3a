import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  add,
  checkOptions,
  dot,
  grad,
  hostTensor,
  jitSync,
  less,
  mul,
  NonFiniteError,
  random,
  requireInteger,
  requirePositive,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  whileLoop,
} from "@offprint/tensor-core";

/** Most leapfrog steps of a transition. */
const MOST_LEAPFROGS = 200;
/** Dual averaging of the step size (Hoffman and Gelman 2014). */
const ADAPT = { target: 0.8, gamma: 0.05, t0: 10, kappa: 0.75 };

/** Options of {@link hamiltonianMonteCarlo}. */
export interface HamiltonianOptions extends RunOptions<HamiltonianRecord, HamiltonianState> {
  /** Transitions in which the step size is adapted, >= 0. Default 500. */
  readonly burnIn?: number;
  /** Transitions whose points are kept, >= 1. Default 500. */
  readonly samples?: number;
  /** Length of a path, > 0: step size times leapfrog steps. Default 0.08. */
  readonly path?: number;
  /** Step size to begin with, > 0. Default 0.01. */
  readonly stepSize?: number;
  /** Default 0. */
  readonly seed?: number | string;
}

/** One transition. */
export interface HamiltonianRecord {
  /** From 1. */
  readonly iteration: number;
  /** Probability with which it was accepted. */
  readonly acceptance: number;
  /** Step size it was made with. */
  readonly stepSize: number;
  /** Minus the log density after it. */
  readonly energy: number;
}

/** Where a chain stands. */
export interface ChainPoint {
  /** `[P]`. */
  readonly x: Float64Array;
  /** Minus the log density there. */
  readonly energy: number;
  /** Step size of the next transition. */
  readonly stepSize: number;
  /** Length of its path. */
  readonly path: number;
  /** Averages of the adaptation. */
  readonly adaptation: { readonly error: number; readonly logMean: number };
  /** Probability with which the last transition was accepted. */
  readonly acceptance: number;
  /** `[kept * P]` points kept so far. */
  readonly kept: readonly Float64Array[];
}

/** A chain as it can be saved. */
export type HamiltonianState = RunState<ChainPoint, HamiltonianRecord>;

/** What {@link hamiltonianMonteCarlo} gives. */
export interface HamiltonianResult {
  /** `[samples, P]`. */
  readonly samples: Tensor;
  /** Mean probability of acceptance after the burn-in. */
  readonly acceptance: number;
  /** Step size after the burn-in. */
  readonly stepSize: number;
  /** `limit` where all samples were drawn. */
  readonly status: Status;
  /** Transitions, burn-in included. */
  readonly iterations: number;
  /** One record for each. */
  readonly history: readonly HamiltonianRecord[];
  /** What `resume` goes on from. */
  readonly state: HamiltonianState;
}

/** Compiled transitions of a density: made once, used with any data of the same shapes. */
export interface HamiltonianProgram<D> {
  /** Leapfrog steps from (x, p): the end, and the change of the total energy. */
  readonly leapfrog: (
    x: Tensor,
    p: Tensor,
    stepSize: Tensor,
    steps: Tensor,
    data: D,
  ) => { x: Tensor; p: Tensor; energy: Tensor; total: Tensor };
  /** Minus the log density. */
  readonly energy: (x: Tensor, data: D) => Tensor;
}

/** Compiles the transitions of a log density of `[P]` variables. */
export function hamiltonianProgram<D>(logDensity: (x: Tensor, data: D) => Tensor): HamiltonianProgram<D> {
  const energy = (x: Tensor, data: D) => mul(-1, logDensity(x, data));
  const slope = grad(energy) as unknown as (x: Tensor, data: D) => Tensor;
  return {
    energy: jitSync(energy as never) as unknown as HamiltonianProgram<D>["energy"],
    leapfrog: jitSync(((x: Tensor, p: Tensor, stepSize: Tensor, steps: Tensor, data: D) => {
      const kicked = sub(p, mul(mul(0.5, stepSize), slope(x, data)));
      // Half kicks of neighbouring steps are one.
      const end = whileLoop(
        ({ done }: { x: Tensor; p: Tensor; done: Tensor }) => less(done, steps),
        (state) => {
          const next = add(state.x, mul(stepSize, state.p));
          return { x: next, p: sub(state.p, mul(stepSize, slope(next, data))), done: add(state.done, 1) };
        },
        { x, p: kicked, done: tensor(0, { dtype: "float64" }) },
      );
      const last = add(end.p, mul(mul(0.5, stepSize), slope(end.x, data)));
      const reached = energy(end.x, data);
      return { x: end.x, p: last, energy: reached, total: add(reached, mul(0.5, dot(last, last))) };
    }) as never) as unknown as HamiltonianProgram<D>["leapfrog"],
  };
}

const optionNames = ["burnIn", "samples", "path", "stepSize", "seed"];

/**
 * Hamiltonian Monte Carlo with an identity mass: leapfrog paths of a given length, whose step size is adapted in the
 * burn-in to an acceptance of 0.8.
 *
 * @param program - Of the density.
 * @param initial - `[P]`.
 * @throws ValueError for options out of range; NonFiniteError where the density is not finite at the start.
 */
export async function hamiltonianMonteCarlo<D>(
  program: HamiltonianProgram<D>,
  initial: TensorLike,
  data: D,
  options: HamiltonianOptions = {},
): Promise<HamiltonianResult> {
  const owner = "hamiltonianMonteCarlo";
  checkOptions(owner, options, [...optionNames, ...runOptionNames]);
  const { burnIn = 500, samples = 500, path = 0.08, stepSize = 0.01, seed = 0 } = options;
  requireInteger(owner, "burnIn", burnIn, 0);
  requireInteger(owner, "samples", samples, 1);
  requirePositive(owner, "path", path);
  requirePositive(owner, "stepSize", stepSize);
  const start = tensor(initial, { dtype: "float64" });
  const P = start.size;
  const stream = random.rng(seed);
  const mu = Math.log(10 * stepSize);
  const scalar = (value: number) => hostTensor(Float64Array.of(value), [], "float64");
  const vector = (x: Float64Array) => hostTensor(x, [P], "float64");

  const transition = (point: ChainPoint, iteration: number): ChainPoint => {
    const rng = stream.fork(iteration);
    const momentum = rng.normal([P], { dtype: "float64" });
    const before = point.energy + 0.5 * dot(momentum, momentum).item();
    const steps = Math.min(MOST_LEAPFROGS, Math.ceil(point.path / point.stepSize));
    const end = program.leapfrog(vector(point.x), momentum, scalar(point.stepSize), scalar(steps), data);
    const change = before - end.total.item();
    // A path that left the range of numbers is refused.
    const acceptance = Number.isFinite(change) ? Math.min(1, Math.exp(change)) : 0;
    const accepted = rng.uniform([]).item() < acceptance;
    const moved = accepted
      ? { x: Float64Array.from(end.x.data()), energy: end.energy.item() }
      : { x: point.x, energy: point.energy };
    if (iteration > burnIn) return { ...point, ...moved, acceptance, kept: [...point.kept, moved.x] };
    return { ...point, ...moved, acceptance, ...adapted(point, acceptance, iteration) };
  };

  const adapted = ({ adaptation, path: length }: ChainPoint, acceptance: number, i: number) => {
    const { target, gamma, t0, kappa } = ADAPT;
    const error = (1 - 1 / (i + t0)) * adaptation.error + (target - acceptance) / (i + t0);
    const logStep = mu - (Math.sqrt(i) / gamma) * error;
    const weight = i ** -kappa;
    const logMean = weight * logStep + (1 - weight) * adaptation.logMean;
    const next = Math.exp(i === burnIn ? logMean : logStep);
    return {
      stepSize: next,
      path: length / next > MOST_LEAPFROGS ? length / 2 : length,
      adaptation: { error, logMean },
    };
  };

  const { last, ...run } = await runLoop<ChainPoint, HamiltonianRecord>(
    {
      owner,
      limit: burnIn + samples,
      limitName: "samples",
      initial() {
        const energy = program.energy(start, data).item();
        if (!Number.isFinite(energy))
          throw new NonFiniteError(`${owner}: the log density is ${-energy} at the start; begin elsewhere`);
        const adaptation = { error: 0, logMean: 0 };
        return { x: Float64Array.from(start.data()), energy, stepSize, path, adaptation, acceptance: 1, kept: [] };
      },
      step: transition,
      record: ({ acceptance, stepSize: size, energy }, iteration) => ({
        iteration,
        acceptance,
        stepSize: size,
        energy,
      }),
    },
    options,
  );
  const { kept, stepSize: final } = last;
  const flat = new Float64Array(kept.length * P);
  kept.forEach((x, k) => {
    flat.set(x, k * P);
  });
  const sampled = run.history.slice(burnIn);
  return {
    ...run,
    samples: hostTensor(flat, [kept.length, P], "float64"),
    acceptance: sampled.reduce((sum, record) => sum + record.acceptance, 0) / Math.max(1, sampled.length),
    stepSize: final,
  };
}
