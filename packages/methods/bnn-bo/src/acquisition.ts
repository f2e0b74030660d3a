import {
  abs,
  add,
  cast,
  concatenate,
  diagonal,
  div,
  equal,
  expandDims,
  greater,
  jitSync,
  max,
  maximum,
  mean,
  min,
  minimum,
  mul,
  prod,
  requireObject,
  sigmoid,
  special,
  stack,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  valueAndGrad,
  where,
} from "@offprint/tensor-core";
import type { ModelTree, Sampler } from "./posterior.js";

/**
 * What is worth trying, from samples of the values `[S, q, m]` of q points, everything maximised; `"EI"` is the closed form
 * of one point of a Gaussian surrogate.
 */
export type AcquisitionName = "qEI" | "qNEI" | "qEHVI" | "qUCB" | "qPI" | "thompson" | "EI";

/** The names. */
export const acquisitionNames = ["qEI", "qNEI", "qEHVI", "qUCB", "qPI", "thompson", "EI"] as const;

/** What an acquisition is given besides the samples: all in the models' units, in which observations have deviation 1. */
export interface AcquisitionData {
  /** The best value so far, of one output. */
  readonly best: Tensor;
  /** Of qUCB: how many deviations count, squared. */
  readonly beta: Tensor;
  /** Of qEHVI: `[B, m]` lower and upper sides of boxes that nothing dominates. */
  readonly lower: Tensor;
  readonly upper: Tensor;
  /** Of qNEI: `[N, d]` trials that may be the best so far, and `[N]` 1 for a trial, 0 for room. */
  readonly tried: Tensor;
  readonly mask: Tensor;
}

/** Of EI: least variance. */
const LEAST_VARIANCE = 1e-12;

/** Of qPI: how soft the step is. */
const SOFTNESS = 0.01;

type SampledName = Exclude<AcquisitionName, "EI">;
type Rule = (samples: Tensor, data: AcquisitionData) => Tensor;

const first = (samples: Tensor): Tensor => samples.slice([{}, {}, 0]);

const rules: Readonly<Record<SampledName, Rule>> = {
  qEI: (samples, { best }) => mean(maximum(sub(max(first(samples), 1), best), 0)),
  // What is best so far is not known either: it is drawn with the values of the batch.
  qNEI(samples, { mask }) {
    const values = first(samples);
    const [N, all] = [mask.shape[0], values.shape[1]];
    const before = max(where(mask.greater(0), values.slice([{}, { start: 0, stop: N }]), -Infinity), 1);
    return mean(maximum(sub(max(values.slice([{}, { start: N, stop: all }]), 1), before), 0));
  },
  qPI: (samples, { best }) => mean(sigmoid(div(sub(max(first(samples), 1), best), SOFTNESS))),
  qUCB(samples, { beta }) {
    const values = first(samples);
    const middle = mean(values, { axis: 0, keepDims: true });
    const spread = mul(mul(Math.sqrt(Math.PI / 2), beta.sqrt()), abs(sub(values, middle)));
    return mean(max(add(middle, spread), 1));
  },
  // Each point maximises a function of its own.
  thompson: (samples) => mean(stack(Array.from({ length: samples.shape[1] }, (_, j) => samples.slice([j, j, 0])))),
  qEHVI: (samples, data) => mean(improvement(samples, data)),
};

/** Subsets of q points by inclusion and exclusion: what all points of a subset dominate together. */
function improvement(samples: Tensor, { lower, upper }: AcquisitionData): Tensor {
  const q = samples.shape[1];
  let total: Tensor | undefined;
  for (let subset = 1; subset < 2 ** q; subset++) {
    const members = Array.from({ length: q }, (_, j) => j).filter((j) => subset & (1 << j));
    const common = min(take(samples, tensor(members, { dtype: "int32" }), 1), 1);
    const sides = maximum(sub(minimum(expandDims(common, 1), upper), lower), 0);
    const gained = sum(prod(sides, 2), 1);
    const signed = members.length % 2 === 1 ? gained : mul(-1, gained);
    total = total === undefined ? signed : add(total, signed);
  }
  return total!;
}

/** A compiled acquisition: its value and gradient at points `[q, d]`. */
export interface AcquisitionProgram {
  readonly value: (points: Tensor, models: ModelTree[], bases: Tensor[], data: AcquisitionData) => Tensor;
  readonly withGradient: (
    points: Tensor,
    models: ModelTree[],
    bases: Tensor[],
    data: AcquisitionData,
  ) => [Tensor, Tensor];
}

const compiled = new Map<string, AcquisitionProgram>();
const numbers = new WeakMap<Sampler, number>();
let known = 0;

function numberOf(sampler: Sampler): number {
  const number = numbers.get(sampler) ?? ++known;
  numbers.set(sampler, number);
  return number;
}

/** @internal Made once for each kind of model. */
export function acquisitionProgram(name: AcquisitionName, samplers: readonly Sampler[]): AcquisitionProgram {
  const key = `${name} ${samplers.map(numberOf).join(" ")}`;
  const found = compiled.get(key);
  if (found !== undefined) return found;
  const sampled = (points: Tensor, models: ModelTree[], bases: Tensor[], data: AcquisitionData): Tensor => {
    const all = name === "qNEI" ? concatenate([data.tried, points], 0) : points;
    const samples = samplers.map((sampler, j) => sampler.values(models[j], all, bases[j]));
    return rules[name as SampledName](stack(samples, 2), data);
  };
  const closed = (points: Tensor, [model]: ModelTree[], _: Tensor[], data: AcquisitionData): Tensor => {
    const { mean: level, covariance } = samplers[0].moments!(model, points);
    const spread = maximum(diagonal(covariance), LEAST_VARIANCE).sqrt();
    return mean(improvementOver(level, spread, data.best));
  };
  const value = name === "EI" ? closed : sampled;
  const program: AcquisitionProgram = {
    value: jitSync(value as never) as unknown as AcquisitionProgram["value"],
    withGradient: jitSync(valueAndGrad(value as never) as never) as unknown as AcquisitionProgram["withGradient"],
  };
  compiled.set(key, program);
  return program;
}

function improvementOver(values: Tensor, deviation: Tensor, best: Tensor | number): Tensor {
  const z = div(sub(values, best), deviation);
  return mul(deviation, add(mul(z, special.normalCdf(z)), special.normalPdf(z)));
}

/** Deviations of normal values, NaN below 0, and where they are 0: the value is known there. */
function spreadOf(deviation: TensorLike): { spread: Tensor; certain: Tensor } {
  const given = tensor(deviation, { dtype: "float64" });
  const certain = equal(given, 0);
  return { spread: where(certain, 1, where(greater(given, 0), given, Number.NaN)), certain };
}

/** Expected improvement over `best` of normal values, to be maximised; elementwise, NaN for a deviation below 0. */
export function expectedImprovement(values: TensorLike, deviation: TensorLike, best: number): Tensor {
  const level = tensor(values, { dtype: "float64" });
  const { spread, certain } = spreadOf(deviation);
  return where(certain, maximum(sub(level, best), 0), improvementOver(level, spread, best));
}

/** Probability of improvement over `best`; elementwise, NaN for a deviation below 0. */
export function probabilityOfImprovement(values: TensorLike, deviation: TensorLike, best: number): Tensor {
  const gain = sub(tensor(values, { dtype: "float64" }), best);
  const { spread, certain } = spreadOf(deviation);
  return where(certain, cast(greater(gain, 0), "float64"), special.normalCdf(div(gain, spread)));
}

/** mean + sqrt(beta) deviation; elementwise. */
export function upperConfidenceBound(values: TensorLike, deviation: TensorLike, beta: number): Tensor {
  return add(tensor(values, { dtype: "float64" }), mul(Math.sqrt(beta), tensor(deviation, { dtype: "float64" })));
}

/** Exact expected hypervolume improvement of two independent normal values, to be maximised, over disjoint boxes. */
export function expectedHypervolumeImprovement(
  values: readonly [number, number],
  deviation: readonly [number, number],
  boxes: readonly { readonly lower: readonly number[]; readonly upper: readonly number[] }[],
): number {
  requireObject("expectedHypervolumeImprovement", "values", values, "an array of numbers");
  requireObject("expectedHypervolumeImprovement", "deviation", deviation, "an array of numbers");
  requireObject("expectedHypervolumeImprovement", "boxes", boxes, "an array");
  // E max(0, min(u, Y) - l) = psi(l) - psi(u), psi(a) = E max(0, Y - a).
  const above = (a: number, j: number): number =>
    a === Infinity ? 0 : expectedImprovement(values[j], deviation[j], a).item();
  return boxes.reduce((total, { lower, upper }) => {
    const side = (j: number) => above(lower[j], j) - above(upper[j], j);
    return total + side(0) * side(1);
  }, 0);
}
