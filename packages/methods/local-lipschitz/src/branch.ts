import { type Rng, random } from "@offprint/tensor-core";
import { kinksOf, slopeIntervals } from "./activation-lines.js";
import type { CheckedBox } from "./box.js";
import type { CheckedNetwork } from "./checked-network.js";
import { forwardBatch } from "./forward-bounds.js";
import {
  type GradientBounds,
  type GradientProblem,
  gradientBounds,
  objectiveBound,
  type Target,
} from "./gradient-bounds.js";
import type { Relaxation } from "./gradient-lines.js";
import type { OutputRows } from "./output-rows.js";

/** A part of the box in which the signs of some neurons are decided: plain data. */
export interface Branch {
  /** The row of the outputs. */
  readonly row: number;
  /** The bound there. */
  readonly value: number;
  /** Signs of all hidden neurons: 1, -1, or 0 where undecided. */
  readonly decided: Int8Array;
  /** Bounds of what comes before the activations of all hidden neurons. */
  readonly lower: Float64Array;
  /** Likewise. */
  readonly upper: Float64Array;
  /** Bounds of the gradients by inputs and hidden layers, but the last. */
  readonly gradientLower: Float64Array;
  /** Likewise. */
  readonly gradientUpper: Float64Array;
  /** Neurons to split at, best first: none where all are decided. */
  readonly splits: readonly number[];
}

/** How the neuron to split at is chosen. */
export type Heuristic = "area" | "babsr" | "filtering" | "random";

/** What is bounded again in a branch: gradients by inputs; those by hidden layers, too; the neurons, too. */
export type Refresh = "g0" | "backward" | "both";

/** @internal How branches are bounded. */
export interface BranchSettings {
  readonly network: CheckedNetwork;
  readonly box: CheckedBox;
  readonly rows: OutputRows;
  readonly target: Target;
  readonly relaxation: Relaxation;
  readonly heuristic: Heuristic;
  readonly refresh: Refresh;
  readonly seed: number | string;
}

/** Batches are filled up to one of these, so that few functions are compiled. */
const batchSizes = [1, 2, 6, 16, 64, 256];

/** Parts of arrays `[batch, sum of sizes]`, one `[batch, size]` for each size. */
function gathered(parts: readonly Float64Array[], sizes: readonly number[], batch: number): Float64Array[] {
  let offset = 0;
  return sizes.map((size) => {
    const out = new Float64Array(batch * size);
    for (let b = 0; b < batch; b++) out.set(parts[b].subarray(offset, offset + size), b * size);
    offset += size;
    return out;
  });
}

function joined(layers: readonly Float64Array[], sizes: readonly number[], b: number): Float64Array {
  const out = new Float64Array(sizes.reduce((sum, size) => sum + size, 0));
  let offset = 0;
  for (const [k, size] of sizes.entries()) {
    out.set(layers[k].subarray(b * size, (b + 1) * size), offset);
    offset += size;
  }
  return out;
}

/** Neurons that can be split: kinks whose slope is not decided, with their scores. */
function scored(
  { network, heuristic }: BranchSettings,
  b: number,
  { masks, last }: GradientProblem,
  { lower, upper }: GradientBounds,
  coefficients: readonly Float64Array[],
  rng: Rng | undefined,
): number[] {
  const found: { neuron: number; score: number }[] = [];
  let offset = 0;
  for (const [k, n] of network.widths.entries()) {
    const kinks = kinksOf(network.activations[k]);
    for (let j = 0; j < n; j++) {
      const i = b * n + j;
      if (kinks[j % kinks.length] === undefined || masks[k].lo[i] === masks[k].hi[i]) continue;
      const inner = k + 1 < network.widths.length;
      const gl = inner ? lower[k + 1][i] : last[i];
      const gu = inner ? upper[k + 1][i] : last[i];
      const A = Math.abs(coefficients[k]?.[i] ?? 1);
      const babsr = gl < 0 && gu > 0 ? (A * (-gl * gu)) / (gu - gl) : 0;
      const area = (gu * Math.abs(gu) - gl * Math.abs(gl)) * A;
      const score = rng !== undefined ? rng.uniform([]).item() : heuristic === "babsr" ? babsr : area;
      found.push({ neuron: offset + j, score });
    }
    offset += n;
  }
  found.sort((a, c) => c.score - a.score);
  return found.slice(0, 3).map(({ neuron }) => neuron);
}

function pad<T>(items: readonly T[]): T[] {
  const size = batchSizes.find((each) => each >= items.length) ?? items.length;
  return Array.from({ length: size }, (_, b) => items[Math.min(b, items.length - 1)]);
}

/** Bounds some branches anew, at most 256 at a time. `refresh` says what of them; nothing comes for one that cannot be. */
function boundSome(
  settings: BranchSettings,
  given: readonly Branch[],
  refresh: Refresh | "nothing",
): (Branch | undefined)[] {
  const { network, box, rows, target, relaxation, heuristic, seed } = settings;
  const items = pad(given);
  const batch = items.length;
  const { widths } = network;
  const gradientSizes = [network.inputs, ...widths.slice(0, -1)];
  let lower = gathered(
    items.map((item) => item.lower),
    widths,
    batch,
  );
  let upper = gathered(
    items.map((item) => item.upper),
    widths,
    batch,
  );
  if (refresh === "both") {
    const again = forwardBatch(network, box, batch, { imposed: { lower, upper } });
    lower = [...again.lower];
    upper = [...again.upper];
  }
  const decided = widths.map((n, k) => {
    const offset = widths.slice(0, k).reduce((sum, each) => sum + each, 0);
    const out = new Int8Array(batch * n);
    for (let b = 0; b < batch; b++) out.set(items[b].decided.subarray(offset, offset + n), b * n);
    return out;
  });
  // An empty branch is looked at as a point, and dropped below.
  const masks = widths.map((_, k) =>
    slopeIntervals(
      network.activations[k],
      lower[k],
      upper[k].map((u, i) => Math.max(u, lower[k][i])),
      decided[k],
    ),
  );
  const n = network.layers[network.layers.length - 1].columns;
  const ofRows = (values: Float64Array) => {
    const out = new Float64Array(batch * n);
    for (let b = 0; b < batch; b++) out.set(values.subarray(items[b].row * n, (items[b].row + 1) * n), b * n);
    return out;
  };
  const problem: GradientProblem = {
    network,
    batch,
    last: ofRows(rows.last),
    lastError: ofRows(rows.error),
    masks,
    relaxation,
  };
  const known: GradientBounds = {
    lower: gathered(
      items.map((item) => item.gradientLower),
      gradientSizes,
      batch,
    ),
    upper: gathered(
      items.map((item) => item.gradientUpper),
      gradientSizes,
      batch,
    ),
  };
  const first = given[0].gradientLower.length === 0;
  const bounds =
    refresh === "nothing"
      ? known
      : gradientBounds(problem, first ? undefined : known, refresh === "g0" ? "inputs" : undefined);
  const { value, coefficients } = objectiveBound(problem, bounds, target);
  return given.map((branch, b) => {
    const l = joined(lower, widths, b);
    const u = joined(upper, widths, b);
    if (l.some((each, i) => each > u[i])) return undefined;
    const text = `${seed}/${branch.row}/${branch.decided.join("")}`;
    const rng = heuristic === "random" ? random.rng(text) : undefined;
    return {
      row: branch.row,
      value: Math.min(branch.value, value[b]),
      decided: branch.decided,
      lower: l,
      upper: u,
      gradientLower: joined(bounds.lower, gradientSizes, b),
      gradientUpper: joined(bounds.upper, gradientSizes, b),
      splits: scored(settings, b, problem, bounds, coefficients, rng),
    };
  });
}

/** Numbers of one tensor of a batch, 128 MiB in float64; a chain has several such. */
const MOST_NUMBERS = 2 ** 24;

/** Numbers that coefficients of a branch are: rows of each layer's matrix, by the neurons of the others. */
function largestRoom({ inputs, widths }: CheckedNetwork): number {
  const sizes = [inputs, ...widths];
  let largest = 1;
  for (const [k, rows] of sizes.entries())
    for (const columns of sizes.slice(k + 1)) largest = Math.max(largest, rows * columns);
  return largest;
}

/** @internal Bounds branches anew. */
export function boundBranches(
  settings: BranchSettings,
  branches: readonly Branch[],
  refresh: Refresh | "nothing",
): (Branch | undefined)[] {
  const found: (Branch | undefined)[] = [];
  const most = batchSizes.findLast((size) => size * largestRoom(settings.network) <= MOST_NUMBERS) ?? 1;
  for (let k = 0; k < branches.length; k += most) {
    found.push(...boundSome(settings, branches.slice(k, k + most), refresh));
  }
  return found;
}

/** @internal The whole box, once for each row. */
export function rootBranches(
  settings: BranchSettings,
  lower: readonly Float64Array[],
  upper: readonly Float64Array[],
): Branch[] {
  const { network, rows } = settings;
  const [l, u] = [lower, upper].map((layers) => joined(layers, network.widths, 0));
  const roots = Array.from({ length: rows.count }, (_, row) => ({
    row,
    value: Number.POSITIVE_INFINITY,
    decided: new Int8Array(l.length),
    lower: l,
    upper: u,
    gradientLower: new Float64Array(0),
    gradientUpper: new Float64Array(0),
    splits: [],
  }));
  return boundBranches(settings, roots, "backward").filter((root) => root !== undefined);
}

/** @internal Both sides of a branch where a neuron is split: `z >= 0` and `z <= 0`, not yet bounded. */
export function sidesOf(branch: Branch, neuron: number): [Branch, Branch] {
  const side = (sign: 1 | -1): Branch => {
    const decided = branch.decided.slice();
    decided[neuron] = sign;
    const bounds = sign === 1 ? branch.lower.slice() : branch.upper.slice();
    bounds[neuron] = sign === 1 ? Math.max(0, bounds[neuron]) : Math.min(0, bounds[neuron]);
    return { ...branch, decided, ...(sign === 1 ? { lower: bounds } : { upper: bounds }) };
  };
  return [side(1), side(-1)];
}

/** @internal The neuron to split at: the best by score, or of the three best the one whose worse side is best. */
export function chosenSplits(settings: BranchSettings, branches: readonly Branch[]): number[] {
  if (settings.heuristic !== "filtering") return branches.map(({ splits }) => splits[0]);
  const tries = branches.flatMap((branch) => branch.splits.map((neuron) => ({ branch, neuron })));
  const sides = boundBranches(
    settings,
    tries.flatMap(({ branch, neuron }) => sidesOf(branch, neuron)),
    "nothing",
  );
  const worse = tries.map((_, t) => Math.max(sides[2 * t]?.value ?? 0, sides[2 * t + 1]?.value ?? 0));
  return branches.map((branch) => {
    let best = -1;
    for (const [t, each] of tries.entries())
      if (each.branch === branch && (best < 0 || worse[t] < worse[best])) best = t;
    return tries[best].neuron;
  });
}
