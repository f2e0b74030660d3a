import type { FeedForward } from "@offprint/networks";
import {
  checkOptions,
  refuseIdle,
  requireChoice,
  requireDecayRate,
  requireInteger,
  requirePositive,
} from "@offprint/tensor-core";
import { activationLines } from "./activation-lines.js";
import { type Box, type CheckedBox, checkBox } from "./box.js";
import { boundChain, type ChainProblem, type ChainStage } from "./chain.js";
import { type CheckedNetwork, checkNetwork } from "./checked-network.js";
import { improveSlopes } from "./improve-slopes.js";
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
    const { map, b } = layers[j];
    const next = j === 0 ? magnitudes(lo, hi) : magnitudes(lines[j - 1].lo, lines[j - 1].hi);
    stages.push({ lines: lines[j], map, by: "W", bias: b, next });
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
    if (slopes !== undefined && k > 0) improveSlopes(network, k, chain, lines, l, u, slopes);
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

/** @internal Improved slopes belong to linear bounds of the neurons. @throws ValueError where they would do nothing */
export function refuseIdleSlopes(owner: string, interval: string, given: SlopeOptions | boolean | undefined): void {
  if (given === undefined || given === false) return;
  refuseIdle(owner, interval, { optimizeSlopes: given }, ["optimizeSlopes"]);
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
  if (options.method === "interval") refuseIdleSlopes(owner, 'method "interval"', options.optimizeSlopes);
  const slopes = checkSlopes(owner, options.optimizeSlopes);
  const checked = checkNetwork(owner, network);
  const inside = checkBox(owner, box, checked.inputs);
  const { lower, upper } = forwardBatch(checked, inside, 1, {
    interval: options.method === "interval",
    ...(slopes !== undefined && { slopes }),
  });
  return { lower: [...lower], upper: [...upper] };
}
