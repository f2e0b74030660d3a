import type { FeedForward } from "@offprint/networks";
import {
  checkOptions,
  grad,
  hostTensor,
  jitSync,
  requireChoice,
  requireDecayRate,
  requireInteger,
  requirePositive,
  sub,
  sum,
  type Tensor,
} from "@offprint/tensor-core";
import { activationLines, kinksOf } from "./activation-lines.js";
import { type Box, type CheckedBox, checkBox } from "./box.js";
import { boundChain, type ChainProblem, type ChainStage, chainTensors, pushThrough } from "./chain.js";
import { type CheckedNetwork, checkNetwork } from "./checked-network.js";
import type { Lines } from "./lines.js";

/** How lower slopes are improved. */
export interface SlopeOptions {
  /** Steps of Adam. Default 20. */
  readonly steps?: number;
  /** Default 0.5. */
  readonly learningRate?: number;
  /** Factor of the learning rate after every step. Default 0.98. */
  readonly decay?: number;
}

/** Options of `forwardBounds`. */
export interface ForwardOptions {
  /** Whether the lower slopes of kinks are optimised, for each bounded neuron apart. Default false. */
  readonly optimizeSlopes?: SlopeOptions | boolean;
  /** `"crown"`: linear bounds; `"interval"`: interval arithmetic. Default `"crown"`. */
  readonly method?: "crown" | "interval";
}

/** Bounds of what comes before the activations. */
export interface ForwardBounds {
  /** For each hidden layer `[n_k]`. */
  readonly lower: Float64Array[];
  /** Likewise. */
  readonly upper: Float64Array[];
}

/** @internal `[batch, n_k]` for each hidden layer. */
export interface LayerBounds {
  readonly lower: readonly Float64Array[];
  readonly upper: readonly Float64Array[];
}

/** @internal Largest magnitudes of an interval. */
export function magnitudes(lo: Float64Array, hi: Float64Array): Float64Array {
  return lo.map((value, i) => Math.max(Math.abs(value), Math.abs(hi[i])));
}

/** @internal The same values for every element of a batch. */
export function repeated(values: Float64Array, batch: number): Float64Array {
  if (batch === 1) return values;
  const out = new Float64Array(batch * values.length);
  for (let b = 0; b < batch; b++) out.set(values, b * values.length);
  return out;
}

/** The chain that bounds layer k (from 0) by the lines of the layers before it. */
function layerChain(
  { layers }: CheckedNetwork,
  k: number,
  lines: readonly Lines[],
  { lower, upper }: CheckedBox,
  { batch, interval }: { batch: number; interval: boolean },
): ChainProblem {
  const own = { batch, rows: layers[k].W, offset: layers[k].b };
  const before = lines[k - 1];
  if (before !== undefined && interval) return { ...own, stages: [], lo: before.lo, hi: before.hi };
  const [lo, hi] = [repeated(lower, batch), repeated(upper, batch)];
  const stages: ChainStage[] = [];
  for (let j = k - 1; j >= 0; j--) {
    const { W, absWT, b } = layers[j];
    const next = j === 0 ? magnitudes(lo, hi) : magnitudes(lines[j - 1].lo, lines[j - 1].hi);
    stages.push({ lines: lines[j], matrix: W, magnitudes: absWT, bias: b, next });
  }
  return { ...own, stages, lo, hi };
}

/** @internal Where bounds are known already, of a branch or of its parent: the tighter of both are taken. */
export interface Imposed {
  readonly lower: readonly Float64Array[];
  readonly upper: readonly Float64Array[];
}

/** @internal Bounds of a batch of branches. A branch that cannot be has a lower bound above the upper one. */
export function forwardBatch(
  network: CheckedNetwork,
  box: CheckedBox,
  batch: number,
  {
    imposed,
    interval = false,
    slopes,
  }: { imposed?: Imposed; interval?: boolean; slopes?: Required<SlopeOptions> } = {},
): LayerBounds {
  const [lower, upper]: Float64Array[][] = [[], []];
  const lines: Lines[] = [];
  for (const [k, activation] of network.activations.entries()) {
    const chain = layerChain(network, k, lines, box, { batch, interval });
    const found = boundChain(chain, network.precision);
    const [l, u] = [found.lower, found.upper];
    if (imposed !== undefined) tighten(l, u, imposed.lower[k], imposed.upper[k]);
    if (slopes !== undefined && k > 0) improve(network, k, chain, lines, l, u, slopes);
    lower.push(l);
    upper.push(u);
    // An empty branch must not give lines that are none; it is dropped by whoever asked.
    lines.push(
      activationLines(
        activation,
        l,
        u.map((value, i) => Math.max(value, l[i])),
      ),
    );
  }
  return { lower, upper };
}

function tighten(l: Float64Array, u: Float64Array, lower: Float64Array, upper: Float64Array): void {
  for (let i = 0; i < l.length; i++) {
    l[i] = Math.max(l[i], lower[i]);
    u[i] = Math.min(u[i], upper[i]);
  }
}

type Slopes = readonly { readonly upper: Tensor; readonly lower: Tensor }[];

const chosen = (chain: ReturnType<typeof chainTensors>, slopes: Slopes) => ({
  ...chain,
  stages: chain.stages.map((stage, j) => ({ ...stage, upperSlopes: slopes[j].upper, lowerSlopes: slopes[j].lower })),
});

/** The widths of the bounds, all together. */
const width = (slopes: Slopes, chain: ReturnType<typeof chainTensors>, counted: Tensor): Tensor => {
  const { lower, upper } = pushThrough(chosen(chain, slopes));
  return sum(sub(upper, lower).mul(counted));
};
const widthGradient = jitSync(grad(width));
const boundsBy = jitSync((slopes: Slopes, chain: ReturnType<typeof chainTensors>) => {
  const { lower, upper } = pushThrough(chosen(chain, slopes));
  return { lower, upper };
});

/**
 * Adam on the lower slopes of earlier layers, apart for each bounded neuron and side. Any slope between those of the kink
 * gives valid bounds: the best that were ever seen are kept.
 */
function improve(
  network: CheckedNetwork,
  k: number,
  chain: ChainProblem,
  lines: readonly Lines[],
  l: Float64Array,
  u: Float64Array,
  { steps, learningRate, decay }: Required<SlopeOptions>,
): void {
  const { batch } = chain;
  const rows = l.length / batch;
  const counted = Float64Array.from(l, (value, i) => (value < 0 && u[i] > 0 ? 1 : 0));
  if (!counted.includes(1)) return;
  const tensors = chainTensors(chain);
  const count = hostTensor(counted, [batch, rows], "float64");
  // Stage 0 is the layer just before.
  const parts = chain.stages.map((_, stage) => {
    const j = k - 1 - stage;
    const n = network.widths[j];
    const kinks = kinksOf(network.activations[j]);
    const { us, ls } = lines[j];
    const free = Uint8Array.from(us, (slope, i) => (kinks[i % kinks.length] !== undefined && slope !== ls[i] ? 1 : 0));
    const start = new Float64Array(batch * rows * n);
    for (let b = 0; b < batch; b++) {
      for (let r = 0; r < rows; r++) start.set(ls.subarray(b * n, (b + 1) * n), (b * rows + r) * n);
    }
    return { n, free, kinks, values: [start, start.slice()] };
  });
  if (!parts.some(({ free }) => free.includes(1))) return;
  const moments = parts.map(({ values }) =>
    values.map((x) => [new Float64Array(x.length), new Float64Array(x.length)]),
  );
  const asTensors = (): Slopes =>
    parts.map(({ n, values: [upper, lower] }) => ({
      upper: hostTensor(upper.slice(), [batch, rows, n], "float64"),
      lower: hostTensor(lower.slice(), [batch, rows, n], "float64"),
    }));
  let rate = learningRate;
  for (let t = 1; t <= steps; t++) {
    const gradients = widthGradient(asTensors(), tensors, count) as Slopes;
    for (const [p, { n, free, kinks, values }] of parts.entries()) {
      for (const [side, x] of values.entries()) {
        const g = (side === 0 ? gradients[p].upper : gradients[p].lower).data();
        const [m, v] = moments[p][side];
        for (let i = 0; i < x.length; i++) {
          const b = Math.floor(i / (rows * n));
          if (free[b * n + (i % n)] === 0) continue;
          const [least, largest] = kinks[(i % n) % kinks.length]!;
          m[i] += 0.1 * (g[i] - m[i]);
          v[i] += 0.001 * (g[i] * g[i] - v[i]);
          const step = (rate * (m[i] / (1 - 0.9 ** t))) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8);
          x[i] = Math.min(largest, Math.max(least, x[i] - step));
        }
      }
    }
    rate *= decay;
    const found = boundsBy(asTensors(), tensors);
    tighten(l, u, found.lower.data() as Float64Array, found.upper.data() as Float64Array);
  }
}

/** @internal The options of slopes with their defaults, or nothing. @throws ValueError */
export function checkSlopes(
  owner: string,
  given: SlopeOptions | boolean | undefined,
): Required<SlopeOptions> | undefined {
  if (given === undefined || given === false) return undefined;
  const options = given === true ? {} : given;
  checkOptions(owner, options, ["steps", "learningRate", "decay"]);
  const { steps = 20, learningRate = 0.5, decay = 0.98 } = options;
  requireInteger(owner, "steps", steps, 0);
  requirePositive(owner, "learningRate", learningRate);
  if (decay !== 1) requireDecayRate(owner, "decay", decay);
  return { steps, learningRate, decay };
}

/**
 * Bounds of what comes before the activations, for all inputs of a box (CROWN): proved in spite of rounding.
 *
 * @throws ShapeError for a box of another size; UnsupportedError for activations that are no scalar functions by name
 * @see https://arxiv.org/abs/1811.00866 Zhang et al., CROWN
 */
export function forwardBounds(network: FeedForward, box: Box, options: ForwardOptions = {}): ForwardBounds {
  const owner = "forwardBounds";
  checkOptions(owner, options, ["optimizeSlopes", "method"]);
  requireChoice(owner, "method", options.method, ["crown", "interval"]);
  const slopes = checkSlopes(owner, options.optimizeSlopes);
  const checked = checkNetwork(owner, network);
  const inside = checkBox(owner, box, checked.inputs);
  const { lower, upper } = forwardBatch(checked, inside, 1, {
    interval: options.method === "interval",
    ...(slopes !== undefined && { slopes }),
  });
  return { lower: [...lower], upper: [...upper] };
}
