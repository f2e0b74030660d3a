import { layerNorm, type NormParams } from "@offprint/nn";
import {
  asTensor,
  div,
  matmul,
  mean,
  pad,
  random,
  requireChoice,
  requireInteger,
  reshape,
  ShapeError,
  special,
  sum,
  type Tensor,
  take,
  tensor,
  transpose,
  ValueError,
} from "@offprint/tensor-core";
import { type Grid, windowOf } from "./grid.js";

/** Parameters of the learned bottleneck. */
export interface ConvBottleneckParams {
  /** Kernel of the convolution, `[features, features, window height, window width]`; one for all heads, no bias. */
  readonly weight: Tensor;
  /** Of the layer normalisation that follows. */
  readonly norm: NormParams;
}

/**
 * How n tokens become m bottleneck tokens. `conv`: a convolution whose kernel and stride are the window, then layer
 * normalisation and exact GELU. `pool`: the mean of each window. `random`: tokens drawn without replacement, others for
 * another seed. `strided`: the first token of each window. `tokens`: those at `indices`, int32 `[m]`. A function gets
 * the scaled queries `[..., n, features]` and the grid, and returns `[..., m, features]`.
 */
export type Bottleneck =
  | ({ readonly kind: "conv" } & ConvBottleneckParams)
  | { readonly kind: "pool" }
  | { readonly kind: "random"; readonly seed: number | string }
  | { readonly kind: "strided" }
  | { readonly kind: "tokens"; readonly indices: Tensor }
  | ((queries: Tensor, grid: Grid) => Tensor);

/** Where bottleneck tokens are taken. */
export interface BottleneckPlace {
  /** Of the tokens. */
  readonly grid: Grid;
  /** r: extent of a window along both axes, or along a sequence. */
  readonly ratio: number;
  /** Whether windows may reach over the edge; `conv` sees zeros there, `pool` only what is inside. Default false. */
  readonly padBottleneck?: boolean;
}

/** Windows along both axes. @throws ValueError where they do not divide the grid and may not reach over its edge. */
export function windowGrid({ grid, ratio, padBottleneck = false }: BottleneckPlace): Grid {
  requireChoice("softAttention", "padBottleneck", padBottleneck, [true, false]);
  const window = windowOf(grid, ratio);
  if (!padBottleneck && (grid[0] % window[0] !== 0 || grid[1] % window[1] !== 0)) {
    throw new ValueError(
      `softAttention: ratio ${ratio} does not divide the grid [${grid}]; choose another ratio or set padBottleneck`,
    );
  }
  return [Math.ceil(grid[0] / window[0]), Math.ceil(grid[1] / window[1])];
}

/** Tokens cut into windows, `[rows, window height, columns, window width]` between the leading axes and the features. */
interface Windows {
  /** `[batch, rows, window height, columns, window width, features]` */
  readonly x: Tensor;
  /** Axes of the tokens in front of n. */
  readonly lead: readonly number[];
  readonly count: Grid;
  readonly window: Grid;
}

function windowsOf(q: Tensor, place: BottleneckPlace): Windows {
  const [height, width] = place.grid;
  const window = windowOf(place.grid, place.ratio);
  const count = windowGrid(place);
  const lead = q.shape.slice(0, -2);
  const batch = lead.reduce((a, b) => a * b, 1);
  const features = q.shape[q.rank - 1];
  const [padHeight, padWidth] = [count[0] * window[0] - height, count[1] * window[1] - width];
  let x = q;
  if (padHeight > 0 || padWidth > 0) {
    x = pad(reshape(q, [batch, height, width, features]), [
      [0, 0],
      [0, padHeight],
      [0, padWidth],
      [0, 0],
    ]);
  }
  return { x: reshape(x, [batch, count[0], window[0], count[1], window[1], features]), lead, count, window };
}

/** The mean of each window, `[..., m, features]`; cells beyond the edge of the grid do not count. */
export function pooledTokens(q: Tensor, place: BottleneckPlace): Tensor {
  const { x, lead, count, window } = windowsOf(q, place);
  const shape = [...lead, count[0] * count[1], q.shape[q.rank - 1]];
  const whole = count[0] * window[0] === place.grid[0] && count[1] * window[1] === place.grid[1];
  if (whole) return reshape(mean(x, { axis: [2, 4] }), shape);
  const inside = (axis: 0 | 1, i: number) => Math.min(window[axis], place.grid[axis] - i * window[axis]);
  const cells = Array.from({ length: count[0] * count[1] }, (_, i) => {
    return inside(0, Math.floor(i / count[1])) * inside(1, i % count[1]);
  });
  return div(reshape(sum(x, { axis: [2, 4] }), shape), tensor(cells, { dtype: q.dtype, shape: [cells.length, 1] }));
}

/** Kernel and stride are the window, so the convolution is one product of flattened windows: it runs in any dtype. */
function convolvedTokens(q: Tensor, place: BottleneckPlace, { weight, norm }: ConvBottleneckParams): Tensor {
  const { x, lead, count, window } = windowsOf(q, place);
  const features = q.shape[q.rank - 1];
  const expected = [features, features, ...window];
  if (weight.shape.join() !== expected.join()) {
    throw new ShapeError(
      `softAttention: the bottleneck's weight has shape [${weight.shape}]; it must be [${expected}]`,
    );
  }
  const flat = reshape(transpose(x, [0, 1, 3, 2, 4, 5]), [
    ...lead,
    count[0] * count[1],
    window[0] * window[1] * features,
  ]);
  const kernel = reshape(transpose(weight, [2, 3, 1, 0]), [window[0] * window[1] * features, features]);
  return special.gelu(layerNorm({ features }).apply(norm, matmul(flat, kernel)));
}

function strideIndices(place: BottleneckPlace): Tensor {
  const window = windowOf(place.grid, place.ratio);
  const count = windowGrid(place);
  const first = (i: number) => Math.floor(i / count[1]) * window[0] * place.grid[1] + (i % count[1]) * window[1];
  return tensor(Int32Array.from({ length: count[0] * count[1] }, (_, i) => first(i)));
}

function randomIndices(seed: number | string, place: BottleneckPlace): Tensor {
  const count = windowGrid(place);
  return tensor(
    random
      .rng(seed)
      .permutation(place.grid[0] * place.grid[1])
      .data()
      .slice(0, count[0] * count[1]),
  );
}

const kinds = ["conv", "pool", "random", "strided", "tokens"];

/** The bottleneck tokens `[..., m, features]` of scaled queries `[..., n, features]`. */
export function bottleneckTokens(q: Tensor, place: BottleneckPlace, bottleneck: Bottleneck): Tensor {
  if (typeof bottleneck === "function") {
    const tokens = asTensor(bottleneck(q, place.grid));
    if (tokens.rank !== q.rank || tokens.shape[tokens.rank - 1] !== q.shape[q.rank - 1]) {
      throw new ShapeError(
        `softAttention: the bottleneck gave [${tokens.shape}] for queries [${q.shape}]; only the tokens may change`,
      );
    }
    return tokens;
  }
  const given: { readonly kind?: unknown; readonly weight?: unknown; readonly norm?: unknown } = Object(bottleneck);
  requireChoice("softAttention", "bottleneck.kind", given.kind ?? null, kinds);
  switch (bottleneck.kind) {
    case "conv":
      if (given.weight === undefined || given.norm === undefined) {
        throw new ValueError("softAttention: a conv bottleneck needs its parameters: { kind, weight, norm }");
      }
      return convolvedTokens(q, place, bottleneck);
    case "pool":
      return pooledTokens(q, place);
    case "strided":
      return take(q, strideIndices(place), { axis: -2 });
    case "random":
      return take(q, randomIndices(bottleneck.seed, place), { axis: -2 });
    case "tokens":
      return take(q, bottleneck.indices, { axis: -2 });
  }
}

/**
 * A bottleneck of `rows * columns` tokens whatever the grid, each the mean of its part of it: where no ratio divides the
 * grid, or m must stay while the resolution changes. Parts may share a row or column of cells.
 */
export function adaptivePool(rows: number, columns = rows): (queries: Tensor, grid: Grid) => Tensor {
  requireInteger("adaptivePool", "rows", rows, 1);
  requireInteger("adaptivePool", "columns", columns, 1);
  return (q, [height, width]) => {
    const features = q.shape[q.rank - 1];
    const lead = q.shape.slice(0, -2);
    const alongRows = matmul(averages(rows, height, q.dtype), reshape(q, [...lead, height, width * features]));
    const cells = reshape(alongRows, [...lead, rows, width, features]);
    return reshape(matmul(averages(columns, width, q.dtype), cells), [...lead, rows * columns, features]);
  };
}

/** Row i averages the part i of `extent` cells: `[parts, extent]`. */
function averages(parts: number, extent: number, dtype: Tensor["dtype"]): Tensor {
  if (parts > extent) throw new ValueError(`adaptivePool: ${parts} parts of ${extent} cells; make fewer parts`);
  const weights = new Float64Array(parts * extent);
  for (let part = 0; part < parts; part++) {
    const from = Math.floor((part * extent) / parts);
    const to = Math.ceil(((part + 1) * extent) / parts);
    weights.fill(1 / (to - from), part * extent + from, part * extent + to);
  }
  return tensor(weights, { dtype, shape: [parts, extent] });
}
