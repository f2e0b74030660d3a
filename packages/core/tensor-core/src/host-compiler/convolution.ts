/*
 * Convolutions and their gradients as matrix products whose rows and terms run along several axes of the images: nothing
 * is copied into matrices of patches. Vectors run along the channels of the result. Operands have the zeros around them.
 */
import { byteSize } from "../dtype.js";
import type { Equation, Variable } from "../graph/builder.js";
import type { ConvInputGradParams, ConvParams } from "../primitives/convolution.js";
import { missingPlaces, suitsVectors } from "../primitives/convolution-places.js";
import { sizeOf } from "../shape.js";
import { mergeAxes } from "../strided.js";
import type { Compilation } from "./compilation.js";
import { copyInto } from "./groups.js";
import { writeProducts } from "./product.js";
import type { ProductShape } from "./product-function.js";
import { Value, type View } from "./values.js";

/** An axis of a product: its extent, and the strides along it of two of its three matrices, in elements. */
type Axis = readonly [count: number, first: number, second: number];

/** A product for each group of channels. */
interface Contraction {
  readonly views: readonly [a: View, b: View, y: View];
  readonly dtype: "float32" | "float64";
  /** Strides of a and of y. */
  readonly rows: readonly Axis[];
  /** Strides of a and of b, in the order in which they are added. */
  readonly terms: readonly Axis[];
  /** Strides of b and of y. */
  readonly columns: Axis;
  /** How many groups, and the strides of a, b and y between them. */
  readonly groups: readonly [count: number, strides: readonly [number, number, number]];
}

/** Rows are computed in tiles of up to four. */
const ROWS = 3;

function write(c: Compilation, { views, dtype, rows, terms, columns, groups }: Contraction): void {
  const size = byteSize(dtype);
  const merged = (axes: readonly Axis[]): Axis[] => {
    const { shape, strides } = mergeAxes(
      axes.map(([n]) => n),
      [1, 2].map((i) => axes.map((axis) => axis[i] * size)),
    );
    return shape.length === 0 ? [[1, 0, 0]] : shape.map((n, i) => [n, strides[0][i], strides[1][i]]);
  };
  const outer = merged(rows);
  // Neighbours make a tile, unless there are too few.
  const longest = outer.reduce((best, axis, i) => (axis[0] > outer[best][0] ? i : best), 0);
  const tiled = outer[outer.length - 1][0] < ROWS ? longest : outer.length - 1;
  const [[m, a0, c0]] = outer.splice(tiled, 1);
  const sums = merged(terms);
  const [n, b1, c1] = columns;
  const shape: ProductShape = {
    dtype,
    m,
    n,
    k: sums.reduce((product, [count]) => product * count, 1),
    a: [a0, sums[0][1]],
    b: [sums[0][2], b1 * size],
    c: [c0, c1 * size],
    ...(outer.length > 0 && { rows: outer.map(([count, a, y]) => ({ count, a, c: y })) }),
    ...(sums.length > 1 && { terms: sums.map(([count, a, b]) => ({ count, a, b })) }),
  };
  const [count, strides] = groups;
  writeProducts(c, views, shape, { shape: [count], strides: strides.map((s) => [s]) });
}

/** The operands of an equation and its result in memory. */
function places(c: Compilation, { inputs, outputs: [y] }: Equation): [View, View, View] {
  const [a, b] = inputs.map((v) => c.view(c.find(v)));
  return [a, b, c.allocate(y)];
}

function finish(c: Compilation, { primitive, inputs, outputs: [y] }: Equation, to: View): void {
  const shapes = inputs.map((v) => `[${v.shape.join(", ")}]`);
  c.note(`${primitive.name} ${shapes.join(", ")}`, [to]);
  c.define(y, new Value(y.shape, y.dtype, { view: to }));
}

/** Whether an operation that may read outside of its operands, or whose result is too narrow or empty, is left to others. */
function isRefused(
  c: ConvParams,
  y: Variable,
  channels: number,
  rows: readonly number[],
  terms: readonly number[],
  outside: boolean,
): boolean {
  return outside || sizeOf(y.shape) === 0 || !suitsVectors(channels, rows, terms, c, y.dtype);
}

function isPadded({ padding }: ConvParams): boolean {
  return padding.some(([low, high]) => low + high > 0);
}

export function conv(c: Compilation, equation: Equation): boolean {
  const { inputs, outputs, params } = equation;
  const [[x, w], [y]] = [inputs, outputs];
  const { strides, dilation, groups } = params as ConvParams;
  const [channels, inner, ...kernel] = w.shape;
  if (
    isRefused(
      params as ConvParams,
      y,
      channels,
      [x.shape[0], ...y.shape.slice(2)],
      [inner, ...kernel],
      isPadded(params as ConvParams),
    )
  )
    return false;
  const views = places(c, equation);
  const [xs, ws, ys] = views.map((view) => view.strides);
  const each = channels / groups;
  write(c, {
    views,
    dtype: y.dtype as "float32" | "float64",
    rows: [[x.shape[0], xs[0], ys[0]], ...y.shape.slice(2).map((n, i): Axis => [n, xs[i + 2] * strides[i], ys[i + 2]])],
    terms: [[inner, xs[1], ws[1]], ...kernel.map((n, i): Axis => [n, xs[i + 2] * dilation[i], ws[i + 2]])],
    columns: [each, ws[0], ys[1]],
    groups: [groups, [inner * xs[1], each * ws[0], each * ys[1]]],
  });
  finish(c, equation, views[2]);
  return true;
}

export function convKernelGrad(c: Compilation, equation: Equation): boolean {
  const { inputs, outputs, params } = equation;
  const [[, g], [y]] = [inputs, outputs];
  const { strides, dilation, groups } = params as ConvParams;
  const [n, channels, ...out] = g.shape;
  const [, inner, ...kernel] = y.shape;
  if (isRefused(params as ConvParams, y, channels, [inner, ...kernel], [n, ...out], isPadded(params as ConvParams)))
    return false;
  const views = places(c, equation);
  const [xs, gs, ys] = views.map((view) => view.strides);
  const each = channels / groups;
  write(c, {
    views,
    dtype: y.dtype as "float32" | "float64",
    rows: [[inner, xs[1], ys[1]], ...kernel.map((m, i): Axis => [m, xs[i + 2] * dilation[i], ys[i + 2]])],
    terms: [[n, xs[0], gs[0]], ...out.map((m, i): Axis => [m, xs[i + 2] * strides[i], gs[i + 2]])],
    columns: [each, gs[1], ys[0]],
    groups: [groups, [inner * xs[1], each * gs[1], each * ys[0]]],
  });
  finish(c, equation, views[2]);
  return true;
}

/** Along one axis, the places of the input a stride apart: what they read of g and of the kernel. */
interface Phase {
  /** The first of them, and how many they are. */
  readonly first: number;
  readonly count: number;
  /** The entries of the kernel: how many, the last, and the distance between them; in g that of the places they meet. */
  readonly taps: number;
  readonly last: number;
  readonly apart: number;
  readonly step: number;
  /** The place of g that the last entry meets first. */
  readonly from: number;
}

function phasesOf(extent: number, kernel: number, stride: number, dilation: number, low: number): Phase[] {
  const phases: Phase[] = [];
  for (let first = 0; first < Math.min(stride, extent); first++) {
    const met = Array.from({ length: kernel }, (_, k) => k).filter((k) => (first + low - k * dilation) % stride === 0);
    const [taps, last] = [met.length, met[met.length - 1]];
    const apart = taps > 1 ? met[1] - met[0] : 0;
    const count = Math.ceil((extent - first) / stride);
    const from = (first + low - last * dilation) / stride;
    if (taps > 0) phases.push({ first, count, taps, last, apart, step: (apart * dilation) / stride, from });
  }
  return phases;
}

export function convInputGrad(c: Compilation, equation: Equation): boolean {
  const { inputs, outputs, params } = equation;
  const [[g, w], [y]] = [inputs, outputs];
  const { strides, dilation, groups, padding, inputSpatial } = params as ConvInputGradParams;
  const [channels, inner, ...kernel] = w.shape;
  const each = channels / groups;
  const missing = missingPlaces(g.shape.slice(2), kernel, params as ConvInputGradParams);
  const outside = missing.some(([low, high]) => low + high > 0);
  const rows = [g.shape[0], ...inputSpatial];
  if (isRefused(params as ConvParams, y, inner * groups, rows, [each, ...kernel], outside)) return false;
  const views = places(c, equation);
  const [gs, ws, ys] = views.map((view) => view.strides);
  const axes = strides.map((s, i) => phasesOf(inputSpatial[i], kernel[i], s, dilation[i], padding[i][0]));
  const covered = axes.map((phases) => phases.reduce((sum, { count }) => sum + count, 0));
  if (sizeOf(covered) < sizeOf(inputSpatial)) {
    copyInto(c, new Value(y.shape, y.dtype, { uniform: c.known(y.dtype, 0) }), views[2], true);
  }
  const ahead = (view: View, by: readonly number[]): View => ({
    ...view,
    offset: by.reduce((offset, n, i) => offset + n * view.strides[i + 2], view.offset),
  });
  const combinations = axes.reduce<Phase[][]>((all, phases) => all.flatMap((p) => phases.map((q) => [...p, q])), [[]]);
  for (const phases of combinations) {
    write(c, {
      views: [
        ahead(
          views[0],
          phases.map(({ from }) => from),
        ),
        ahead(
          views[1],
          phases.map(({ last }) => last),
        ),
        ahead(
          views[2],
          phases.map(({ first }) => first),
        ),
      ],
      dtype: y.dtype as "float32" | "float64",
      rows: [
        [g.shape[0], gs[0], ys[0]],
        ...phases.map(({ count }, i): Axis => [count, gs[i + 2], ys[i + 2] * strides[i]]),
      ],
      terms: [
        [each, gs[1], ws[0]],
        ...phases.map(({ taps, apart, step }, i): Axis => [taps, gs[i + 2] * step, -ws[i + 2] * apart]),
      ],
      columns: [inner, ws[1], ys[1]],
      groups: [groups, [each * gs[1], each * ws[0], inner * ys[1]]],
    });
  }
  finish(c, equation, views[2]);
  return true;
}
