import type { Activation, Architecture } from "@offprint/gaussian-process";
import {
  add,
  checkOptions,
  diag,
  expandDims,
  full,
  jitSync,
  linalg,
  matmul,
  mul,
  random,
  relu,
  requireInteger,
  reshape,
  special,
  sqrt,
  squeeze,
  stack,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  UnsupportedError,
  valueAndGrad,
  vmap,
} from "@offprint/tensor-core";
import { checkPrior, drawScale, type ScalePrior } from "./scale-prior.js";
import { type CheckedTask, checkTask, type NetworkTask } from "./wide-network-law.js";

/** Networks whose finite counterparts can be drawn. */
export type DenseArchitecture = Extract<Architecture, { readonly kind: "fullyConnected" | "residual" }>;

/** Options of {@link sampleNetworks}. */
export interface SampleOptions {
  /** Units of each layer (default 512). */
  readonly width?: number;
  /** Networks (default 100). */
  readonly count?: number;
  /** Default 0. */
  readonly seed?: number | string;
}

/** @internal A finite network's layers. */
export interface Network {
  readonly act: (u: Tensor) => Tensor;
  readonly weightVariance: number;
  readonly biasVariance: number;
  /** Layers after the first. */
  readonly layers: number;
  readonly residual: boolean;
}

/**
 * The outputs of finite random networks with the limit's law in the limit: `[count, m]`, each network with a variance of its
 * last layer's weights of its own, s ~ H. Trained ones (by gradient flow to the end, on the squared loss) in closed
 * form: the last layer alone on the network's own features; all layers linearised at the start, by its own tangent kernel.
 * The mean of trained ones is an ensemble's prediction.
 *
 * @throws ShapeError, ValueError for what does not fit; UnsupportedError for networks of images.
 */
export function sampleNetworks(
  architecture: DenseArchitecture,
  prior: ScalePrior,
  task: NetworkTask,
  options: SampleOptions = {},
): Tensor {
  const owner = "sampleNetworks";
  checkOptions(owner, options, ["width", "count", "seed"]);
  checkPrior(owner, prior);
  const checked = checkTask(owner, task);
  const { width = 512, count = 100, seed = 0 } = options;
  const all = checked.y.size + checked.points.shape[0];
  requireInteger(owner, "width", width, all);
  requireInteger(owner, "count", count, 1);
  const network = networkOf(owner, architecture);
  const rng = random.rng(seed);
  const scales = tensor(
    Float64Array.from({ length: count }, () => drawScale(owner, prior, rng)),
    { dtype: "float64" },
  );
  const inputs = checked.y.size === 0 ? checked.points : stackRows(checked.x, checked.points);
  return checked.trained === "all"
    ? trainedThroughout(network, checked, inputs, scales, width, rng)
    : onFeatures(network, checked, inputs, scales, width, rng);
}

/** @internal @throws UnsupportedError for networks of images. */
export function networkOf(owner: string, architecture: DenseArchitecture): Network {
  const { kind, activation = "relu", weightVariance = 2, biasVariance = 0.01 } = architecture;
  if (kind !== "fullyConnected" && kind !== "residual") {
    throw new UnsupportedError(
      `${owner}: networks of kind "${kind}" are not drawn; take "fullyConnected" or "residual"`,
    );
  }
  const layers = kind === "residual" ? architecture.blocks : architecture.depth - 1;
  return { act: actOf(activation), weightVariance, biasVariance, layers, residual: kind === "residual" };
}

function actOf(activation: Activation): (u: Tensor) => Tensor {
  if (activation === "relu") return relu;
  return activation === "erf" ? special.erf : activation.apply;
}

function stackRows(a: Tensor, b: Tensor): Tensor {
  return tensor([...a.data(), ...b.data()], { dtype: "float64" }).reshape([a.shape[0] + b.shape[0], a.shape[1]]);
}

const gram = (x: Tensor) => mul(1 / x.shape[1], matmul(x, transpose(x)));
/** Keeps a Cholesky factorisation of features' second moments from failing by rounding. */
const RIDGE = 1e-12;

/**
 * Networks drawn layer by layer, exactly in law: given the second moments M of a layer's features, the units of the next
 * are independent N(0, w^2 M + b^2). Networks go in groups, so that a group's numbers stay in the cache.
 */
function onFeatures(
  network: Network,
  { y, trained }: CheckedTask,
  inputs: Tensor,
  scales: Tensor,
  width: number,
  rng: random.Rng,
): Tensor {
  const [n, m] = [y.size, inputs.shape[0]];
  const group = Math.max(1, Math.min(scales.size, Math.floor(2e6 / (width * m))));
  const outputs = jitSync((first: Tensor, later: readonly Tensor[], last: Tensor, s: Tensor) => {
    const units = (K: Tensor, normals: Tensor) => {
      const ridge = mul(RIDGE, diag(full([m], 1, "float64")));
      return matmul(linalg.cholesky(add(K, ridge)), normals);
    };
    const affine = (K: Tensor) => add(network.biasVariance, mul(network.weightVariance, K));
    const moments = (phi: Tensor) => mul(1 / width, matmul(phi, transpose(phi, [0, 2, 1])));
    let h = units(affine(gram(inputs)), first);
    for (const normals of later) {
      const next = units(affine(moments(network.act(h))), normals);
      h = network.residual ? add(h, next) : next;
    }
    const phi = network.act(h);
    const f = mul(sqrt(expandDims(s, 1)), squeeze(matmul(phi, expandDims(mul(last, 1 / Math.sqrt(width)), 2)), 2));
    if (trained !== "last") return f;
    const K = moments(phi);
    const at = (rows: [number, number], columns: [number, number]) =>
      K.slice([null, { start: rows[0], stop: rows[1] }, { start: columns[0], stop: columns[1] }]);
    const missing = expandDims(sub(y, f.slice([null, { start: 0, stop: n }])), 2);
    const weights = linalg.choleskySolve(
      linalg.cholesky(add(at([0, n], [0, n]), mul(RIDGE, diag(full([n], 1, "float64"))))),
      missing,
    );
    return add(f.slice([null, { start: n, stop: m }]), squeeze(matmul(at([n, m], [0, n]), weights), 2));
  });
  const normal = (shape: number[]) => rng.normal(shape, { dtype: "float64" });
  const parts: Tensor[] = [];
  for (let from = 0; from < scales.size; from += group) {
    const size = Math.min(group, scales.size - from);
    const draw = () => normal([size, m, width]);
    const later = Array.from({ length: network.layers }, draw);
    const s = scales.slice([{ start: from, stop: from + size }]);
    parts.push(outputs(draw(), later, normal([size, width]), s));
  }
  outputs.release();
  return joined(parts);
}

function joined(parts: readonly Tensor[]): Tensor {
  const columns = parts[0].shape[1];
  const numbers = new Float64Array(parts.reduce((sofar, part) => sofar + part.size, 0));
  let at = 0;
  for (const part of parts) {
    numbers.set(part.data(), at);
    at += part.size;
  }
  return tensor(numbers, { dtype: "float64" }).reshape([numbers.length / columns, columns]);
}

/** @internal Weights of hidden layers in the tangent kernel's parametrisation: all standard normal. */
export interface HiddenWeights {
  readonly first: { readonly weight: Tensor; readonly bias: Tensor };
  readonly later: readonly { readonly weight: Tensor; readonly bias: Tensor }[];
}

interface Weights extends HiddenWeights {
  readonly last: Tensor;
}

/** @internal The last hidden layer, after its activation, of inputs `[..., d]`. */
export function hiddenUnits(network: Network, { first, later }: HiddenWeights, inputs: Tensor): Tensor {
  const [w, b] = [Math.sqrt(network.weightVariance), Math.sqrt(network.biasVariance)];
  const affine = ({ weight, bias }: HiddenWeights["first"], v: Tensor) =>
    add(mul(w / Math.sqrt(weight.shape[0]), matmul(v, weight)), mul(b, bias));
  let h = affine(first, inputs);
  for (const layer of later) {
    const next = affine(layer, network.act(h));
    h = network.residual ? add(h, next) : next;
  }
  return network.act(h);
}

function trainedThroughout(
  network: Network,
  { y }: CheckedTask,
  inputs: Tensor,
  scales: Tensor,
  width: number,
  rng: random.Rng,
): Tensor {
  const [n, m, d] = [y.size, inputs.shape[0], inputs.shape[1]];
  const output = (weights: Weights, x: Tensor, s: Tensor): Tensor =>
    mul(sqrt(s), mul(1 / Math.sqrt(width), sum(mul(weights.last, hiddenUnits(network, weights, x)))));
  const trained = jitSync((weights: Weights, s: Tensor) => {
    const { f, J } = vmap((x: Tensor) => {
      const [value, slope] = valueAndGrad((each: Weights) => output(each, x, s))(weights);
      const { first, later, last } = slope;
      return { f: value, J: [first.weight, first.bias, ...later.flatMap((l) => [l.weight, l.bias]), last] };
    })(inputs);
    const Theta = J.map((part) => reshape(part, [m, -1]))
      .map((part) => matmul(part, transpose(part)))
      .reduce((sofar, part) => add(sofar, part));
    const [seen, asked] = [
      { start: 0, stop: n },
      { start: n, stop: m },
    ];
    const missing = sub(y, f.slice([seen]));
    const weightsOf = linalg.choleskySolve(linalg.cholesky(Theta.slice([seen, seen])), missing);
    return add(f.slice([asked]), matmul(Theta.slice([asked, seen]), weightsOf));
  });
  const normal = (shape: number[]) => rng.normal(shape, { dtype: "float64" });
  const rows = Array.from({ length: scales.size }, (_, i) => {
    const layer = (inner: number) => ({ weight: normal([inner, width]), bias: normal([width]) });
    const later = Array.from({ length: network.layers }, () => layer(width));
    return trained({ first: layer(d), later, last: normal([width]) }, scales.slice([i]));
  });
  trained.release();
  return stack(rows);
}
