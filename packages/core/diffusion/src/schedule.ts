import {
  add,
  cast,
  checkOptions,
  clip,
  div,
  exp,
  expm1,
  floor,
  greaterEqual,
  log,
  log1p,
  maximum,
  minimum,
  mul,
  neg,
  requireInteger,
  requireNonNegative,
  requireObject,
  requirePositive,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { type Level, type LevelTensors, levelOf } from "./level.js";

/** How noise grows with time. The functions are operations of tensors, for scalars and `[batch]`, and can be compiled. */
export interface NoiseSchedule {
  /** Whether `alpha^2 + sigma^2 = 1`, or `alpha = 1`. */
  readonly kind: "variance-preserving" | "variance-exploding";
  /** The times of training: the first with noise, and the last. */
  readonly span: readonly [first: number, last: number];
  /** Number of training levels, where these are counted; else 0. Level `n`, from 0, lies at the time `(n + 1) / levels`. */
  readonly levels: number;
  /** Products of `1 - beta`, one for each training level; empty where levels are not counted. */
  readonly alphaBar: Float64Array;
  /** The level at a time. */
  at(t: TensorLike): LevelTensors;
  /** The level with a ratio of noise to data, `sigma / alpha`: half the logarithm of the signal-to-noise ratio, inverted. */
  atRatio(ratio: TensorLike): LevelTensors;
}

/** The level of a schedule at a time, as numbers. */
export function levelAt(schedule: NoiseSchedule, t: number): Level {
  requireObject("levelAt", "schedule", schedule, "a NoiseSchedule");
  requireNonNegative("levelAt", "t", t);
  const last = schedule.span[1];
  if (schedule.kind === "variance-preserving" && t > last * (1 + 1e-9)) {
    throw new ValueError(`levelAt: t is ${t}; the times of this schedule end at ${last}`);
  }
  return askedLevel(schedule, "at", t);
}

/** The level of a schedule with a ratio of noise to data, as numbers. */
export function levelAtRatio(schedule: NoiseSchedule, ratio: number): Level {
  requireObject("levelAtRatio", "schedule", schedule, "a NoiseSchedule");
  requireNonNegative("levelAtRatio", "ratio", ratio);
  return askedLevel(schedule, "atRatio", ratio);
}

/** More levels than long samplings ask for. */
const REMEMBERED = 4096;

/**
 * Levels that the functions of `preserving` schedules were asked for: samplers ask again for the places of their grids
 * and of their stages, and a table of a thousand levels is searched for each. Functions of others may change.
 */
const remembered = new WeakMap<NoiseSchedule["at"], Map<number, Level>>();

function askedLevel(schedule: NoiseSchedule, by: "at" | "atRatio", place: number): Level {
  const known = remembered.get(schedule[by]);
  let level = known?.get(place);
  if (level === undefined) {
    level = levelOf(schedule[by](tensor(place, { dtype: "float64" })));
    if (known !== undefined && known.size >= REMEMBERED) known.clear();
    known?.set(place, level);
  }
  return { ...level };
}

function remembering(schedule: NoiseSchedule): NoiseSchedule {
  for (const ask of [schedule.at, schedule.atRatio]) remembered.set(ask, new Map());
  return schedule;
}

/** Training level `n`, counted from 0, of a schedule that counts them. @throws ValueError, IndexError */
export function trainingLevel(schedule: NoiseSchedule, n: number): Level {
  requireObject("trainingLevel", "schedule", schedule, "a NoiseSchedule");
  if (schedule.levels === 0) throw new ValueError("trainingLevel: the schedule has no counted levels; use levelAt");
  requireInteger("trainingLevel", "n", n, 0, schedule.levels - 1);
  const alphaBar = schedule.alphaBar[n];
  return {
    t: (n + 1) / schedule.levels,
    timestep: n,
    alpha: Math.sqrt(alphaBar),
    sigma: Math.sqrt(-Math.expm1(Math.log(alphaBar))),
  };
}

/** Options of {@link discreteSchedule}. */
export interface DiscreteScheduleOptions {
  /**
   * `beta` of every training level: `"linear"`, `"scaledLinear"` (squares of evenly spaced roots, as Stable Diffusion),
   * `"cosine"`, or the numbers themselves. Default `"linear"`.
   */
  readonly betas?: "linear" | "scaledLinear" | "cosine" | ArrayLike<number>;
  /** Products of `1 - beta` instead, decreasing in (0, 1). */
  readonly alphaBar?: ArrayLike<number>;
  /** Number of training levels. Default 1000, or as many as numbers are given. */
  readonly levels?: number;
  /** First `beta`. Default 1e-4; `"scaledLinear"`: 0.00085. */
  readonly first?: number;
  /** Last `beta`. Default 0.02; `"scaledLinear"`: 0.012. */
  readonly last?: number;
}

/**
 * A variance-preserving schedule of counted levels. Between levels `log alpha` is linear in time, down to `alpha = 1` at
 * time 0.
 * @throws ValueError for betas outside (0, 1), and for `alphaBar` that does not decrease.
 * @example const schedule = discreteSchedule({ betas: "scaledLinear" }); // Stable Diffusion
 */
export function discreteSchedule(options: DiscreteScheduleOptions = {}): NoiseSchedule {
  checkOptions("discreteSchedule", options, ["betas", "alphaBar", "levels", "first", "last"]);
  requireUseful(options);
  for (const name of ["alphaBar", "betas"] as const) {
    const given: unknown = options[name];
    if (given === undefined || (name === "betas" && typeof given === "string")) continue;
    if (typeof given === "object" && ((given as ArrayLike<number> | null)?.length ?? 0) > 0) continue;
    throw new ValueError(`discreteSchedule: ${name} is ${String(given)}; give numbers, one for each level`);
  }
  const alphaBar = options.alphaBar === undefined ? products(betasOf(options)) : Float64Array.from(options.alphaBar);
  const n = alphaBar.length;
  for (let i = 0; i < n; i++) {
    if (alphaBar[i] > 0 && alphaBar[i] < (i === 0 ? 1 : alphaBar[i - 1])) continue;
    throw new ValueError(
      `discreteSchedule: alphaBar[${i}] is ${alphaBar[i]}; the numbers must lie in (0, 1) and decrease, none may be 0`,
    );
  }
  // Place k of the table is the time k / n; place 0 has no noise.
  const table = tensor(Float64Array.from([0, ...alphaBar.map((a) => 0.5 * Math.log(a))]));
  const rising = neg(table);
  const interpolated = (place: Tensor): Tensor => {
    const low = cast(clip(floor(place), 0, n - 1), "int32");
    const [a, b] = [take(table, low), take(table, add(low, 1))];
    return add(a, mul(sub(b, a), sub(place, cast(low, "float64"))));
  };
  const placeOf = (logAlpha: Tensor): Tensor => {
    const below = greaterEqual(neg(logAlpha).reshape([...logAlpha.shape, 1]), rising);
    const low = clip(sub(sum(cast(below, "int32"), -1), 1), 0, n - 1);
    const [a, b] = [take(table, low), take(table, add(low, 1))];
    return minimum(add(cast(low, "float64"), div(sub(logAlpha, a), sub(b, a))), n);
  };
  return preserving({
    span: [1 / n, 1],
    levels: n,
    alphaBar,
    logAlpha: (t) => interpolated(clip(mul(t, n), 0, n)),
    time: (logAlpha) => div(placeOf(logAlpha), n),
    timestep: (t) => maximum(sub(mul(t, n), 1), 0),
  });
}

/** Options of {@link continuousSchedule}. */
export interface ContinuousScheduleOptions {
  /** Rate of the noise at time 0. Default 0.1. */
  readonly first?: number;
  /** Rate of the noise at time 1. Default 20. */
  readonly last?: number;
  /** The first time with noise. Default 1e-3. */
  readonly from?: number;
}

/** The variance-preserving schedule with a linear rate: `log alpha = -t^2 (last - first) / 4 - t first / 2`. */
export function continuousSchedule(options: ContinuousScheduleOptions = {}): NoiseSchedule {
  checkOptions("continuousSchedule", options, ["first", "last", "from"]);
  const { first = 0.1, last = 20, from = 1e-3 } = options;
  requirePositive("continuousSchedule", "first", first);
  requirePositive("continuousSchedule", "from", from);
  if (!(last > first && last < Infinity)) {
    throw new ValueError(`continuousSchedule: last is ${last}; it must be finite and above first, ${first}`);
  }
  if (!(from < 1)) throw new ValueError(`continuousSchedule: from is ${from}; it must be below 1, the last time`);
  const slope = last - first;
  return preserving({
    span: [from, 1],
    levels: 0,
    alphaBar: new Float64Array(),
    logAlpha: (t) => neg(add(mul(square(t), slope / 4), mul(t, first / 2))),
    // The positive root of slope t^2 / 4 + first t / 2 + log alpha = 0, in the form without cancellation.
    time: (logAlpha) => div(mul(logAlpha, -4), add(sqrt(sub(first * first, mul(logAlpha, 4 * slope))), first)),
    timestep: (t) => mul(t, 1000),
  });
}

/** Options of {@link explodingSchedule}. */
export interface ExplodingScheduleOptions {
  /** Least noise of training. Default 0.002. */
  readonly first?: number;
  /** Most noise of training. Default 80. */
  readonly last?: number;
}

/** The variance-exploding schedule of EDM: `alpha = 1`, `sigma = t`. */
export function explodingSchedule(options: ExplodingScheduleOptions = {}): NoiseSchedule {
  checkOptions("explodingSchedule", options, ["first", "last"]);
  const { first = 0.002, last = 80 } = options;
  requirePositive("explodingSchedule", "first", first);
  if (!(last > first && last < Infinity)) {
    throw new ValueError(`explodingSchedule: last is ${last}; it must be finite and above first, ${first}`);
  }
  const at = (value: TensorLike): LevelTensors => {
    const sigma = tensor(value, { dtype: "float64" });
    return { t: sigma, timestep: sigma, alpha: add(mul(sigma, 0), 1), sigma };
  };
  return { kind: "variance-exploding", span: [first, last], levels: 0, alphaBar: new Float64Array(), at, atRatio: at };
}

interface Preserving extends Pick<NoiseSchedule, "span" | "levels" | "alphaBar"> {
  logAlpha(t: Tensor): Tensor;
  time(logAlpha: Tensor): Tensor;
  timestep(t: Tensor): Tensor;
}

function preserving({ logAlpha, time, timestep, ...rest }: Preserving): NoiseSchedule {
  const level = (t: Tensor, la: Tensor): LevelTensors => ({
    t,
    timestep: timestep(t),
    alpha: exp(la),
    // From 0, as minus zero would have no logarithm of its inverse.
    sigma: sqrt(sub(0, expm1(mul(la, 2)))),
  });
  return remembering({
    kind: "variance-preserving",
    ...rest,
    at(value) {
      const t = tensor(value, { dtype: "float64" });
      return level(t, logAlpha(t));
    },
    atRatio(ratio) {
      const la = mul(log1p(square(tensor(ratio, { dtype: "float64" }))), -0.5);
      return level(time(la), la);
    },
  });
}

/** @throws ValueError for an option that another one leaves nothing to say. */
function requireUseful(options: DiscreteScheduleOptions): void {
  const { alphaBar, betas = "linear" } = options;
  const numbers = typeof betas !== "string" || betas === "cosine";
  const idle = alphaBar !== undefined ? (["betas", "levels", "first", "last"] as const) : (["first", "last"] as const);
  const given = alphaBar !== undefined || numbers ? idle.find((name) => options[name] !== undefined) : undefined;
  if (given === undefined) return;
  const says = alphaBar !== undefined ? "alphaBar" : "betas";
  throw new ValueError(`discreteSchedule: ${says} says what the noise is, so that ${given} does nothing; leave it out`);
}

function products(betas: Float64Array): Float64Array {
  // Summed as logarithms: the product of a thousand factors near 1 keeps its last digits.
  let total = 0;
  return betas.map((beta) => Math.exp((total += Math.log1p(-beta))));
}

function betasOf({ betas = "linear", levels, ...options }: DiscreteScheduleOptions): Float64Array {
  const owner = "discreteSchedule";
  const count = levels ?? (typeof betas === "string" ? 1000 : betas.length);
  requireInteger(owner, "levels", count, 2);
  if (typeof betas !== "string") {
    if (betas.length !== count) throw new ValueError(`${owner}: betas has ${betas.length} numbers for ${count} levels`);
    return checkedBetas(Float64Array.from(betas));
  }
  const scaled = betas === "scaledLinear";
  const { first = scaled ? 0.00085 : 1e-4, last = scaled ? 0.012 : 0.02 } = options;
  const between = (a: number, b: number, i: number) => a + ((b - a) * i) / (count - 1);
  if (betas === "linear") return checkedBetas(Float64Array.from({ length: count }, (_, i) => between(first, last, i)));
  if (scaled) {
    const [a, b] = [Math.sqrt(first), Math.sqrt(last)];
    return checkedBetas(Float64Array.from({ length: count }, (_, i) => between(a, b, i) ** 2));
  }
  if (betas !== "cosine") {
    throw new ValueError(`${owner}: betas is "${String(betas)}"; it must be linear, scaledLinear, cosine or numbers`);
  }
  // Nichol and Dhariwal 2021, with their offset 0.008.
  const bar = (t: number) => Math.cos(((t + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
  const ratio = (i: number) => 1 - bar((i + 1) / count) / bar(i / count);
  return checkedBetas(Float64Array.from({ length: count }, (_, i) => Math.min(ratio(i), 0.999)));
}

function checkedBetas(betas: Float64Array): Float64Array {
  const at = betas.findIndex((beta) => !(beta > 0 && beta < 1));
  if (at < 0) return betas;
  throw new ValueError(`discreteSchedule: beta ${at} is ${betas[at]}; betas must lie in (0, 1)`);
}

/** Half the logarithm of the signal-to-noise ratio of a level, `log(alpha / sigma)`. */
export function halfLogSnr(levelTensors: LevelTensors): Tensor {
  requireObject("halfLogSnr", "levelTensors", levelTensors, "LevelTensors");
  const { alpha, sigma } = levelTensors;
  return log(div(alpha, sigma));
}
