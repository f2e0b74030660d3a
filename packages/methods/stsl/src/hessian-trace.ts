import {
  alongBatch,
  type Denoiser,
  evaluator,
  type Level,
  type LevelTensors,
  levelTensors,
  predictAs,
  stateOf,
} from "@offprint/diffusion";
import {
  add,
  checkOptions,
  div,
  eye,
  jvp,
  mul,
  random,
  requireChoice,
  requireInteger,
  requireObject,
  requirePositive,
  reshape,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  UnsupportedError,
  ValueError,
  vmap,
} from "@offprint/tensor-core";

/**
 * How the trace of the Hessian of `log p(z)` is estimated: from a difference of two scores along a random direction, from a
 * directional derivative along it, or exactly from all directions (or the model's own `hessianTrace`).
 */
export type TraceMode = "difference" | "jvp" | "exact";

/** What random directions are drawn from. */
export type ProbeKind = "gaussian" | "rademacher";

/** What estimates of the trace take. */
export interface TraceOptions {
  /** How. Default `"difference"`, the only one for black boxes. */
  readonly trace?: TraceMode;
  /** Random directions, of which `"exact"` has none. Default 1. */
  readonly probes?: number;
  /** What they are drawn from. Default `"gaussian"`. */
  readonly probe?: ProbeKind;
  /** `"difference"`: its length in units of the level's `sigma`, > 0; with networks in float32 at least 0.01. Default 0.1. */
  readonly probeScale?: number;
}

/** @internal Names of {@link TraceOptions}. */
export const traceNames = ["trace", "probes", "probe", "probeScale"] as const;

/** @internal The same, checked. */
export function traceSettings(owner: string, options: TraceOptions): Required<TraceOptions> {
  const { trace = "difference", probes = 1, probe = "gaussian", probeScale = 0.1 } = options;
  requireChoice(owner, "trace", trace, ["difference", "jvp", "exact"]);
  requireInteger(owner, "probes", probes, 1);
  requireChoice(owner, "probe", probe, ["gaussian", "rademacher"]);
  requirePositive(owner, "probeScale", probeScale);
  const idle = { difference: [], jvp: ["probeScale"], exact: ["probes", "probe", "probeScale"] } as const;
  const name = idle[trace].find((each) => options[each] !== undefined);
  if (name !== undefined)
    throw new ValueError(`${owner}: ${name} does nothing where trace is "${trace}"; leave it out`);
  return { trace, probes, probe, probeScale };
}

/** Least length of a difference between scores, which would be made of their last digits otherwise. */
const LEAST = { float32: 0.01, float64: 1e-10 };

/** @internal @throws ValueError for a difference that the states' element type has no digits for. */
export function requireProbeScale(owner: string, { probeScale }: Required<TraceOptions>, z: Tensor): void {
  const dtype = z.dtype === "float32" ? "float32" : "float64";
  if (probeScale >= LEAST[dtype]) return;
  const wider = dtype === "float32" ? ", or states in float64" : "";
  throw new ValueError(
    `${owner}: probeScale is ${probeScale}, and states in ${dtype} have no digits for it; give ${LEAST[dtype]} or more${wider}`,
  );
}

/** @internal Random directions that follow from a seed. */
export function drawProbes(
  { trace, probes, probe }: Required<TraceOptions>,
  seed: string,
  like: Tensor,
): readonly Tensor[] {
  if (trace === "exact") return [];
  const rng = random.rng(seed);
  const dtype = like.dtype as "float64";
  return Array.from({ length: probes }, () => {
    if (probe === "gaussian") return rng.normal(like.shape, { dtype });
    return rng.bernoulli(like.shape).cast(dtype).mul(2).sub(1);
  });
}

/** The sum over all axes but the first. */
export function perSample(x: Tensor): Tensor {
  return sum(reshape(x, [x.shape[0], x.size / x.shape[0]]), 1);
}

const average = (parts: readonly Tensor[]): Tensor => div(parts.reduce(add), parts.length);

/**
 * The mean over probes `e` of `e . (s(z + d e) - s(z)) / d` with the score `s = -noise / sigma`, `[batch]`.
 * @param probed the noise predicted at the moved states
 */
export function differenceTrace(
  noise: Tensor,
  probed: readonly Tensor[],
  probes: readonly Tensor[],
  { sigma }: LevelTensors,
  length: Tensor,
): Tensor {
  const scale = mul(sigma, length);
  return average(probed.map((moved, j) => div(perSample(mul(probes[j], sub(noise, moved))), scale)));
}

/** The mean over probes of `e . H e`, by forward-mode derivatives of a noise prediction. */
export function directionalTrace(
  predict: (z: Tensor) => Tensor,
  z: Tensor,
  probes: readonly Tensor[],
  { sigma }: LevelTensors,
): Tensor {
  return average(probes.map((e) => div(perSample(mul(e, jvp(predict, [z], [e])[1])).neg(), sigma)));
}

/** The Jacobian of a map of samples, one by one, `[columns, batch, ...out]`: one directional derivative for each entry of a sample. */
export function sampleJacobian(map: (z: Tensor) => Tensor, z: Tensor): Tensor {
  const size = z.size / z.shape[0];
  const basis = reshape(eye(size, size, z.dtype === "float64" ? "float64" : "float32"), [size, 1, ...z.shape.slice(1)]);
  return vmap((e: Tensor) => jvp(map, [z], [add(e, mul(z, 0))])[1])(basis);
}

/** The trace from all directions. */
export function exactTrace(predict: (z: Tensor) => Tensor, z: Tensor, { sigma }: LevelTensors): Tensor {
  const size = z.size / z.shape[0];
  const columns = reshape(sampleJacobian(predict, z), [size, z.shape[0], size]);
  const diagonal = sum(mul(columns, reshape(eye(size, size, "float64").cast(z.dtype), [size, 1, size])), 2);
  return div(sum(diagonal, 0).neg(), sigma);
}

/** Options of {@link hessianTrace}. */
export interface HessianTraceOptions<C = Tensor> extends TraceOptions {
  /** Handed to the denoiser. */
  readonly condition?: C;
  /** What directions follow from. Default 0. */
  readonly seed?: number | string;
}

/**
 * The trace of the Hessian of `log p(z)` at noisy states, `[batch]`: by Tweedie's second formula the trace of
 * `Cov[z0 | z] = (sigma / alpha)^2 (I + sigma^2 H)` follows from it.
 * @param states `[batch, ...]`
 * @throws UnsupportedError for `"jvp"` and `"exact"` of a black box.
 * @example const trace = await hessianTrace(denoiser, z, levelAt(schedule, 0.5), { probes: 16 });
 */
export async function hessianTrace<C = Tensor>(
  denoiser: Denoiser<C>,
  states: TensorLike,
  level: Level,
  options: HessianTraceOptions<C> = {},
): Promise<Tensor> {
  const owner = "hessianTrace";
  checkOptions(owner, options, [...traceNames, "condition", "seed"]);
  const settings = traceSettings(owner, options);
  const { condition, seed = 0 } = options;
  const z = stateOf(owner, "states", states);
  const at = levelTensors(level);
  requirePositive(owner, "level.sigma", level.sigma);
  const probes = drawProbes(settings, `${seed}/probe`, z);
  if (settings.trace !== "difference") {
    requireTraced(owner, denoiser, settings.trace);
    const predict = (x: Tensor) => predictAs(denoiser, "noise", x, at, condition);
    return settings.trace === "exact" ? exactTrace(predict, z, at) : directionalTrace(predict, z, probes, at);
  }
  const length = settings.probeScale * level.sigma;
  const evaluate = evaluator(denoiser);
  const noise = await evaluate.noise(z, level, condition);
  const probed: Tensor[] = [];
  for (const e of probes) probed.push(await evaluate.noise(z.add(e.mul(length)), level, condition));
  return differenceTrace(noise, probed, probes, at, tensor(length, { dtype: "float64" }));
}

/** @internal @throws UnsupportedError */
export function requireTraced<C>(owner: string, { external }: Denoiser<C>, trace: TraceMode): void {
  if (!external) return;
  throw new UnsupportedError(
    `${owner}: trace "${trace}" differentiates the denoiser, which is external; use "difference"`,
  );
}

/**
 * `Cov[z0 | z]` by Tweedie's second formula, `(sigma / alpha)^2 (I + sigma^2 H)` with `H = -J / sigma` of the predicted noise's
 * Jacobian `J`: `[batch, size, size]`. Traceable.
 * @throws UnsupportedError for black boxes.
 */
export function tweedieCovariance<C = Tensor>(
  denoiser: Denoiser<C>,
  z: Tensor,
  level: LevelTensors,
  condition?: C,
): Tensor {
  requireObject("tweedieCovariance", "denoiser", denoiser, "a Denoiser");
  requireObject("tweedieCovariance", "z", z, "a tensor");
  requireObject("tweedieCovariance", "level", level, "LevelTensors");
  requireTraced("tweedieCovariance", denoiser, "exact");
  const size = z.size / z.shape[0];
  const predict = (x: Tensor) => predictAs(denoiser, "noise", x, level, condition);
  const jacobian = reshape(sampleJacobian(predict, z), [size, z.shape[0], size]).transpose([1, 2, 0]);
  const cube = { rank: 3 } as Tensor;
  const [alpha, sigma] = [alongBatch(level.alpha, cube), alongBatch(level.sigma, cube)];
  const inner = sub(eye(size, size, "float64").cast(z.dtype), mul(jacobian, sigma));
  return mul(inner, square(div(sigma, alpha)));
}
