import {
  type Backend,
  cast,
  div,
  grad,
  hostTensor,
  jit,
  jitSync,
  max,
  mean,
  mul,
  reshape,
  scan,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  where,
} from "@offprint/tensor-core";
import { type GradientEvaluator, gradientOf } from "./gradient.js";
import { moved, times } from "./motion.js";
import type { BatchedObjective } from "./objective.js";
import { feasible } from "./problem.js";
import { AHEAD, type Stacked, StepsAhead, type Swarm } from "./steps-ahead.js";
import type { SwarmPlan } from "./swarm-plan.js";
import { cappedAlpha, type Weighing, weighed } from "./weighing.js";

/** What a step is given. */
interface StepInput extends Swarm {
  /** `[n, d]`. */
  readonly normals: Tensor;
  /** Strength of the noise, `[]`. */
  readonly scale: Tensor;
  /** Which particles move, `[n, 1]`. Default all. */
  readonly movers?: Tensor;
}

/** What several steps are given, stacked along axis 0. */
interface StepsInput {
  /** `[steps, n, d]`. */
  readonly normals: Tensor;
  /** `[steps]`. */
  readonly scale: Tensor;
  /** `[steps]`. */
  readonly alpha: Tensor;
}

/** What the particles of a step are judged by. */
interface Judgement {
  /** `[]`. */
  readonly alpha: Tensor;
  /** The batch that decides. Default all. */
  readonly rows?: Tensor;
}

/** A swarm after a step. */
type Assessed = Omit<Weighing, "best"> & {
  /** `[n, d]`. */
  readonly particles: Tensor;
  /** The best particle, `[d]`. */
  readonly best: Tensor;
  /** Root of the mean square distance of all particles to the consensus. */
  readonly spread: Tensor;
  /** Largest distance, in units of the tolerance. */
  readonly radius: Tensor;
};

/** @internal The same with plain numbers; the particles may be on a device. */
export interface SwarmFigures {
  readonly particles: Tensor;
  readonly consensus: Tensor;
  /** A copy of the best particle, `[d]`. */
  best(): Float64Array;
  readonly energy: number;
  readonly nEff: number;
  readonly least: number;
  readonly spread: number;
  readonly radius: number;
}

/** @internal What carries the steps of a plan out. */
export interface Stepper {
  /** The swarm that begins with these particles. */
  begin(particles: Tensor, k: number): Promise<SwarmFigures>;
  /** The swarm of step k, from that of the step before. */
  move(swarm: Swarm, k: number): SwarmFigures | Promise<SwarmFigures>;
  /** Frees what it holds. */
  release(): Promise<void>;
}

/** What of a plan a step is made of: numbers, and functions of tensors. */
function stepOf({ motion, problem, owner, descent, unit, automatic }: SwarmPlan) {
  // One tolerance for all coordinates spares a pass over the particles.
  const even = unit.every((length) => length === unit[0]);
  const shake = ({ particles, consensus, normals, scale }: StepInput) =>
    moved(motion, particles, consensus, normals, scale);
  const settle = (next: Tensor, slope: Tensor | undefined, { particles, movers }: StepInput) => {
    const descended = slope === undefined ? next : sub(next, mul(slope, descent));
    return feasible(problem, movers === undefined ? descended : where(movers, descended, particles), owner);
  };
  const assess = (particles: Tensor, energiesOf: BatchedObjective, { alpha, rows }: Judgement): Assessed => {
    const deciding = rows === undefined ? particles : take(particles, rows);
    const { best, ...weighing } = weighed(energiesOf(deciding), deciding, automatic ? "auto" : alpha);
    const u = sub(particles, weighing.consensus);
    const squares = sum(square(times(u, 1 / motion.unit)), { axis: 1 });
    return {
      ...{ ...weighing, particles, best: take(deciding, best) },
      spread: times(sqrt(mean(squares)), motion.unit),
      radius: even
        ? div(times(sqrt(max(squares)), motion.unit), unit[0])
        : sqrt(max(sum(square(div(u, tensor([...unit], { dtype: particles.dtype }))), { axis: 1 }))),
    };
  };
  return { shake, settle, assess };
}

/** A plan's steps, compiled for the host. */
function compiledSteps(plan: SwarmPlan) {
  const { evaluator } = plan.problem;
  const { shake, settle, assess } = stepOf(plan);
  const judge = (particles: Tensor, energies: Tensor, judgement: Judgement) =>
    assess(particles, () => energies, judgement);
  const objective = evaluator.traceable;
  const whole = (input: StepInput, judgement: Judgement) => {
    const shaken = shake(input);
    const slope = plan.descent === 0 ? undefined : slopeOf(objective!)(shaken);
    return assess(cast(settle(shaken, slope, input), plan.dtype), objective!, judgement);
  };
  const ahead = (swarm: Swarm, given: StepsInput): Stacked => {
    const [{ particles }, steps] = scan(
      (from: Swarm, { normals, scale, alpha }: StepsInput) => {
        const { particles, ...figures } = whole({ ...from, normals, scale }, { alpha });
        return [{ particles, consensus: figures.consensus }, figures] as const;
      },
      swarm,
      given,
    );
    return { particles, ...steps };
  };
  return {
    ...{ whole, settle },
    ahead: jitSync(ahead),
    judge: jitSync(judge),
    shake: jitSync(shake),
    move: jitSync((input: StepInput) => settle(shake(input), undefined, input)),
    step: jitSync(whole),
  };
}

type CompiledSteps = ReturnType<typeof compiledSteps>;

/** Steps by the objective that they are for, so that many runs on one objective compile once. */
const known = new WeakMap<object, Map<string, CompiledSteps>>();

function stepsFor(plan: SwarmPlan): CompiledSteps {
  const { owner, motion, problem, descent, unit, automatic, dtype } = plan;
  // A projection is a function of its own: what was compiled with it is not found again.
  if (problem.project !== undefined) return compiledSteps(plan);
  const { lower, upper } = problem.box ?? { lower: [], upper: [] };
  const key = [owner, ...Object.values(motion), descent, automatic, dtype, ...unit, ...lower, ...upper].join();
  const own = known.get(problem.evaluator.source) ?? new Map<string, CompiledSteps>();
  known.set(problem.evaluator.source, own);
  const steps = own.get(key) ?? compiledSteps(plan);
  own.set(key, steps);
  return steps;
}

/**
 * @internal What carries a plan out. A step is one compiled function where the objective is written in operations of
 * tensors; else its parts before and after the objective are.
 */
export function stepperOf(plan: SwarmPlan, backend: Backend | undefined): Stepper {
  const { problem, batches, dtype, n, d } = plan;
  const { evaluator } = problem;
  const steps = stepsFor(plan);
  const onBackend = backend && jit(steps.whole, { backend });
  const gradient = plan.descent === 0 ? undefined : gradientOf(plan.owner, evaluator, d);
  // Energies that are computed outside are in float64, and weighed so.
  const weighing = evaluator.traceable === undefined ? "float64" : dtype;
  const alphaAt = (k: number): number => (plan.automatic ? 0 : cappedAlpha(plan.alphaAt(k), weighing));
  const judgementAt = (k: number): Judgement => ({
    alpha: tensor(alphaAt(k), { dtype: weighing }),
    ...(batches && { rows: hostTensor(batches.rowsAt(k), [batches.size], "int32") }),
  });
  const room = (size: number) => (dtype === "float32" ? new Float32Array(size) : new Float64Array(size));
  const normalsOf = (k: number, steps: number, values = room(steps * n * d)): Tensor => {
    for (let s = 0; s < steps; s++) plan.normalsAt(k + s, values.subarray(s * n * d, (s + 1) * n * d));
    return hostTensor(values, [steps, n, d], dtype);
  };
  // Compiled steps have read them when they return: steps ahead write over those of the steps before.
  let aheadRoom: ReturnType<typeof room> | undefined;
  const inputAt = ({ particles, consensus }: Swarm, k: number): StepInput => ({
    ...{ particles, consensus },
    normals: reshape(normalsOf(k, 1), [n, d]),
    scale: tensor(plan.scaleAt(k), { dtype }),
    ...(batches?.partial && { movers: hostTensor(marked(batches.rowsAt(k - 1), n), [n, 1], "bool") }),
  });
  const assess = (particles: Tensor, k: number): SwarmFigures | Promise<SwarmFigures> => {
    const judgement = judgementAt(k);
    const { rows } = judgement;
    const energies = evaluator.evaluate(rows === undefined ? particles : take(particles, rows));
    const judged = (values: ArrayLike<number>) =>
      figuresOf(steps.judge(particles, hostTensor(Float64Array.from(values), [values.length], "float64"), judgement));
    return energies instanceof Promise ? energies.then(judged) : judged(energies);
  };
  const stepsInput = (k: number): StepsInput => {
    const of = (value: (step: number) => number) => {
      const values = room(AHEAD);
      for (let s = 0; s < AHEAD; s++) values[s] = value(k + s);
      return hostTensor(values, [AHEAD], dtype);
    };
    aheadRoom ??= room(AHEAD * n * d);
    return { normals: normalsOf(k, AHEAD, aheadRoom), scale: of(plan.scaleAt), alpha: of(alphaAt) };
  };
  const one = (swarm: Swarm, k: number) => figuresOf(steps.step(inputAt(swarm, k), judgementAt(k)));
  const many = ({ particles, consensus }: Swarm, k: number) => steps.ahead({ particles, consensus }, stepsInput(k));
  const ahead = batches === undefined ? new StepsAhead(many, one, plan.maxIterations) : undefined;
  const descend = async (input: StepInput, by: GradientEvaluator, k: number) => {
    const shaken = steps.shake(input);
    const slope = hostTensor(Float64Array.from(await by.at(shaken)), [n, d], "float64");
    return assess(cast(steps.settle(shaken, slope, input), dtype), k);
  };
  return {
    begin: async (particles, k) => assess(particles, k),
    move(swarm, k) {
      if (onBackend === undefined && evaluator.traceable !== undefined) return ahead?.move(swarm, k) ?? one(swarm, k);
      const input = inputAt(swarm, k);
      if (onBackend !== undefined) return onBackend(input, judgementAt(k)).then(fetched);
      return gradient === undefined ? assess(cast(steps.move(input), dtype), k) : descend(input, gradient, k);
    },
    release: async () => onBackend?.release(),
  };
}

/** The sum of the energies has the gradient of each in its row. */
function slopeOf(objective: BatchedObjective): (particles: Tensor) => Tensor {
  return grad((particles: Tensor) => sum(objective(particles))) as (particles: Tensor) => Tensor;
}

function figuresOf({ particles, consensus, best, energy, nEff, least, spread, radius }: Assessed): SwarmFigures {
  return {
    ...{ particles, consensus, best: () => new Float64Array(best.data()) },
    ...{ energy: energy.item(), nEff: nEff.item(), least: least.item(), spread: spread.item(), radius: radius.item() },
  };
}

/** The same from a device, where the particles stay. */
async function fetched({ particles, ...rest }: Assessed): Promise<SwarmFigures> {
  const names = Object.keys(rest) as (keyof typeof rest)[];
  const host = await Promise.all(names.map(async (name) => [name, await rest[name].host()] as const));
  return figuresOf({ particles, ...(Object.fromEntries(host) as typeof rest) });
}

/** 1 for the particles of the batch. */
export function marked(rows: Int32Array, n: number): Uint8Array {
  const out = new Uint8Array(n);
  for (const i of rows) out[i] = 1;
  return out;
}
