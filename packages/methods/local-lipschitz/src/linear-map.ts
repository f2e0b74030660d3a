import { applyLinear, type Layer, type LinearPart } from "@offprint/networks";
import { abs, isTensor, matmul, reshape, type Tensor, transpose, vjp, zeros } from "@offprint/tensor-core";

/** @internal Tensors of a linear map, for compiled functions: plain data that is an argument of them. */
export type Numbers = readonly { readonly [name: string]: Tensor }[];

/**
 * @internal A linear map as compiled functions take it: `W`, or the layers that it is the product of where they are less
 * work. Rows are `[..., n]`, here and there.
 */
export interface LinearMap {
  /** Maps of one key are the same function of their numbers. */
  readonly key: string;
  readonly numbers: Numbers;
  /** Those of the map whose matrix has the magnitudes of the weights; of a product of layers, the product of theirs. */
  readonly magnitudes: Numbers;
  /** Most terms of a sum that a row goes through, both ways. */
  readonly terms: number;
  /** Rows times W^T: what the map makes of them. */
  readonly push: (numbers: Numbers, rows: Tensor) => Tensor;
  /** Rows times W: functionals of the results as functionals of the arguments. */
  readonly pull: (numbers: Numbers, rows: Tensor) => Tensor;
}

/** Layers are taken where they need less than one in so many of the multiplications: products of patches are slower. */
const WORTH = 4;

/** @internal W, `[rows, columns]`, or the layers of the part. */
export function linearMap(W: Tensor, part: LinearPart): LinearMap {
  const work = part.layers.reduce(
    (sum, layer, k) => sum + multiplications(layer, part.shapes[k], part.shapes[k + 1]),
    0,
  );
  return work * WORTH < W.size ? ofLayers(part) : ofMatrix(W);
}

function ofMatrix(W: Tensor): LinearMap {
  const M = abs(W);
  return {
    key: "matrix",
    numbers: [{ W, WT: transpose(W) }],
    magnitudes: [{ W: M, WT: transpose(M) }],
    terms: Math.max(...W.shape),
    push: ([{ WT }], rows) => matmul(rows, WT),
    pull: ([{ W }], rows) => matmul(rows, W),
  };
}

const countOf = (shape: readonly number[]): number => shape.reduce((size, n) => size * n, 1);

/** Multiplications for one sample. */
function multiplications(layer: Layer, before: readonly number[], after: readonly number[]): number {
  switch (layer.kind) {
    case "linear":
      return countOf(before) * countOf(after);
    case "convolution":
      return countOf((layer.weight as Tensor).shape.slice(1)) * countOf(after);
    default:
      return countOf(before);
  }
}

/** Most terms of a sum, in whichever direction. */
function termsOf(layer: Layer, before: readonly number[], after: readonly number[]): number {
  switch (layer.kind) {
    case "linear":
      return Math.max(before[0], after[0]);
    case "convolution": {
      const [out, inside, ...kernel] = (layer.weight as Tensor).shape;
      return Math.max(inside, out) * countOf(kernel);
    }
    case "averagePool":
      // As many windows overlap at most, and their extent divides.
      return 2 + (typeof layer.window === "number" ? layer.window ** (before.length - 1) : countOf(layer.window));
    case "batchNorm":
      return 8;
    default:
      return 0;
  }
}

/** What of a layer is a factor; all else of it is left out or no number. */
const factors = ["weight", "variance", "scale"] as const;

function numbersOf(layer: Layer): { [name: string]: Tensor } {
  const entries = Object.entries(layer).filter(([name]) => (factors as readonly string[]).includes(name));
  return Object.fromEntries(entries.filter(([, value]) => isTensor(value)));
}

function ofLayers({ layers, shapes }: LinearPart): LinearMap {
  const numbers = layers.map(numbersOf);
  const [before, after] = [shapes[0], shapes[shapes.length - 1]];
  const push = (given: Numbers, rows: Tensor): Tensor => {
    const own = layers.map((layer, k) => ({ ...layer, ...given[k] }) as Layer);
    const lead = rows.shape.slice(0, -1);
    const out = applyLinear(own, reshape(rows, [countOf(lead), ...before]));
    return reshape(out, [...lead, countOf(after)]);
  };
  const pull = (given: Numbers, rows: Tensor): Tensor => {
    const start = zeros([...rows.shape.slice(0, -1), countOf(before)], rows.dtype as "float64");
    const [, pullback] = vjp((x: Tensor) => push(given, x), start);
    return pullback(rows)[0];
  };
  const plain = layers.map((layer) =>
    Object.fromEntries(Object.entries(layer).filter(([, value]) => !isTensor(value))),
  );
  return {
    key: JSON.stringify([plain, shapes]),
    numbers,
    magnitudes: numbers.map((own) =>
      Object.fromEntries(Object.entries(own).map(([name, value]) => [name, name === "variance" ? value : abs(value)])),
    ),
    terms: layers.reduce((sum, layer, k) => sum + termsOf(layer, shapes[k], shapes[k + 1]), 0),
    push,
    pull,
  };
}
