import {
  add,
  div,
  grad,
  hostTensor,
  maximum,
  minimum,
  mul,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  zeros,
} from "@offprint/tensor-core";
import { kinksOf } from "./activation-lines.js";
import { type ChainProblem, type ChainTensors, chainTensors, compiledChains } from "./chain.js";
import type { CheckedNetwork, NeuronwiseActivation } from "./checked-network.js";
import type { SlopeOptions } from "./forward-bounds.js";
import type { Lines } from "./lines.js";

/** Lower slopes of the kinks of a stage, apart for each bounded neuron and side, `[batch, rows, n]`. */
interface Slopes {
  readonly upper: Tensor;
  readonly lower: Tensor;
}

/** Where slopes may lie, `[batch, 1, n]`: both ends are alike where a neuron has no kink, or no choice. */
interface Range {
  readonly least: Tensor;
  readonly largest: Tensor;
}

/** What Adam keeps of a stage: slopes, and the means of their derivatives and of the squares. */
interface Progress {
  readonly slopes: Slopes;
  readonly mean: Slopes;
  readonly square: Slopes;
}

const both = (f: (side: "upper" | "lower") => Tensor): Slopes => ({ upper: f("upper"), lower: f("lower") });

/** The chain with other slopes. */
const chosen = (chain: ChainTensors, slopes: readonly Slopes[]): ChainTensors => ({
  ...chain,
  stages: chain.stages.map((stage, j) => ({ ...stage, upperSlopes: slopes[j].upper, lowerSlopes: slopes[j].lower })),
});

/** The bounds at the slopes, and a step of Adam on their widths, all together. */
const improvement = compiledChains(
  (push) =>
    (
      progress: readonly Progress[],
      ranges: readonly Range[],
      chain: ChainTensors,
      counted: Tensor,
      { rate, meanPart, squarePart }: { rate: number; meanPart: number; squarePart: number },
    ) => {
      const widths = (slopes: readonly Slopes[]) => {
        const { lower, upper } = push(chosen(chain, slopes));
        return [sum(mul(sub(upper, lower), counted)), { lower, upper }] as const;
      };
      const [gradients, bounds] = grad(widths, { hasAux: true })(progress.map(({ slopes }) => slopes));
      const next = progress.map((own, j): Progress => {
        const mean = both((side) => add(own.mean[side], mul(sub(gradients[j][side], own.mean[side]), 0.1)));
        const squares = both((side) =>
          add(own.square[side], mul(sub(square(gradients[j][side]), own.square[side]), 0.001)),
        );
        const slopes = both((side) => {
          const size = add(sqrt(div(squares[side], squarePart)), 1e-8);
          const moved = sub(own.slopes[side], div(mul(mean[side], div(rate, meanPart)), size));
          return minimum(maximum(moved, ranges[j].least), ranges[j].largest);
        });
        return { slopes, mean, square: squares };
      });
      return { progress: next, lower: bounds.lower, upper: bounds.upper };
    },
);

const boundsBy = compiledChains((push) => (slopes: readonly Slopes[], chain: ChainTensors) => {
  const { lower, upper } = push(chosen(chain, slopes));
  return { lower, upper };
});

/** Neurons are bounded together in such numbers, so that few functions are compiled. */
const padded = (count: number, all: number): number => Math.min(all, 2 ** Math.ceil(Math.log2(count)));

/** Bounds that are closer to each other than this part of the widest are those of a constant, such as a difference of dead neurons. */
const CONSTANT = 1e-9;

/** Whether there is something to gain at the bounds of a neuron, `[batch, rows]`: they have a kink between them. */
function worthwhile(activation: NeuronwiseActivation, l: Float64Array, u: Float64Array): boolean[] {
  const kinks = kinksOf(activation);
  const widest = l.reduce((most, low, i) => Math.max(most, u[i] - low), 0);
  return Array.from(l, (low, i) => {
    const kink = kinks[i % kinks.length];
    return low < 0 && u[i] > 0 && u[i] - low > CONSTANT * widest && !(kink !== undefined && kink[0] === kink[1]);
  });
}

/**
 * @internal Improves the bounds `l` and `u` of layer k where they have a kink between them: Adam on the lower slopes of the
 * layers before. Any slope between those of a kink gives valid bounds: the best that were ever seen are kept.
 */
export function improveSlopes(
  network: CheckedNetwork,
  k: number,
  chain: ChainProblem,
  lines: readonly Lines[],
  l: Float64Array,
  u: Float64Array,
  { steps, learningRate, decay }: Required<SlopeOptions>,
): void {
  const { batch, stages } = chain;
  const all = l.length / batch;
  const gaining = worthwhile(network.activations[k], l, u);
  const own = Array.from({ length: all }, (_, row) => row).filter((row) =>
    Array.from({ length: batch }, (_, b) => gaining[b * all + row]).includes(true),
  );
  if (own.length === 0) return;
  const rows = padded(own.length, all);
  const index = Int32Array.from({ length: rows }, (_, r) => own[r] ?? own[0]);
  const counted = Float64Array.from({ length: batch * rows }, (_, i) => {
    const [b, r] = [Math.floor(i / rows), i % rows];
    const at = b * all + index[r];
    return r < own.length && gaining[at] ? 1 : 0;
  });
  let choices = 0;
  // Stage 0 is the layer just before.
  const parts = stages.map((_, stage) => {
    const j = k - 1 - stage;
    const n = network.widths[j];
    const kinks = kinksOf(network.activations[j]);
    const { us, ls } = lines[j];
    const [least, largest, start] = [ls.slice(), ls.slice(), new Float64Array(batch * rows * n)];
    for (let i = 0; i < ls.length; i++) {
      const kink = kinks[(i % n) % kinks.length];
      if (kink === undefined || us[i] === ls[i]) continue;
      [least[i], largest[i]] = kink;
      choices++;
    }
    for (let b = 0; b < batch; b++) {
      for (let r = 0; r < rows; r++) start.set(ls.subarray(b * n, (b + 1) * n), (b * rows + r) * n);
    }
    const wide = (values: Float64Array) => hostTensor(values, [batch, 1, n], "float64");
    const begun = hostTensor(start, [batch, rows, n], "float64");
    const nothing = zeros([batch, rows, n], "float64");
    return {
      range: { least: wide(least), largest: wide(largest) },
      progress: { slopes: both(() => begun), mean: both(() => nothing), square: both(() => nothing) },
    };
  });
  if (choices === 0) return;
  const select = (x: Tensor) => take(x, tensor(index), 0);
  const { offset } = chain;
  const tensors = chainTensors({
    ...chain,
    rows: select(chain.rows),
    ...(offset !== undefined && { offset: select(offset) }),
  });
  const count = hostTensor(counted, [batch, rows], "float64");
  const ranges = parts.map(({ range }) => range);
  const keep = (lower: Tensor, upper: Tensor) => {
    const [low, high] = [lower.data(), upper.data()];
    for (let b = 0; b < batch; b++) {
      for (const [r, row] of own.entries()) {
        const at = b * all + row;
        // Not where slopes overflowed: what compares with nothing changes nothing.
        if (low[b * rows + r] > l[at]) l[at] = low[b * rows + r];
        if (high[b * rows + r] < u[at]) u[at] = high[b * rows + r];
      }
    }
  };
  let progress: readonly Progress[] = parts.map((part) => part.progress);
  const step = improvement(stages);
  for (let t = 1; t <= steps; t++) {
    const size = { rate: learningRate * decay ** (t - 1), meanPart: 1 - 0.9 ** t, squarePart: 1 - 0.999 ** t };
    const found = step(progress, ranges, tensors, count, size);
    keep(found.lower, found.upper);
    progress = found.progress;
  }
  const last = boundsBy(stages)(
    progress.map(({ slopes }) => slopes),
    tensors,
  );
  keep(last.lower, last.upper);
}
