import { add, cast, cumSum, type PrimitiveParams, pad, reshape, slice, sum, type Tensor } from "@offprint/tensor-core";
import { isOpen } from "../named-dimensions/formula.js";
import { type Composition, composed } from "./composed.js";
import { isForGpu, type Lowering } from "./lowering.js";

/** Numbers that are added one by one in float32; the engines' own sums go on like that for millions. */
const BLOCK = 32;
/** Sums of up to this many numbers are left to the engine. */
const SHORT = 4 * BLOCK;
/** The CPU adds numbers that lie side by side in at least eight sums at once. */
const SIDE_BY_SIDE = 8;

/** A composition that keeps what eager sums keep, for float32 where the sums are long; the plain lowering otherwise. */
export function inBlocks<P>(composition: BlockedSum<P>, plain: Lowering<P>): Lowering<P> {
  return (c, equation) => {
    const [x] = equation.inputs;
    const axes = composition.axes(equation.params);
    const count = axes.reduce((n, axis) => n * x.shape[axis], 1);
    const adjacent = axes.every((axis, i) => axis === x.shape.length - axes.length + i);
    const short = adjacent && composition.addsAdjacentTogether && !isForGpu(c) ? SIDE_BY_SIDE * SHORT : SHORT;
    const open = c.target.open === true && axes.some((axis) => isOpen(x.shape[axis]));
    const long = x.dtype === "float32" && (open || count > short) && !x.shape.includes(0);
    const lowering = isForGpu(c) ? composition.onGpu : open ? composition.ofAnyLength : composition.onCpu;
    (long ? lowering : plain)(c, equation);
  };
}

interface BlockedSum<P> {
  readonly axes: (params: P) => readonly number[];
  /** Whether numbers side by side are added in several sums at once. */
  readonly addsAdjacentTogether: boolean;
  /** With totals of blocks in float64. */
  readonly onCpu: Lowering<P>;
  /** With blocks of blocks: GPUs have no float64. */
  readonly onGpu: Lowering<P>;
  /** For lengths that are not known: all in float64. */
  readonly ofAnyLength: Lowering<P>;
}

/** `x` with one axis cut into `[blocks, BLOCK]`, filled up with zeros at the end. */
function blocks(x: Tensor, axis: number): Tensor {
  const n = x.shape[axis];
  const count = Math.ceil(n / BLOCK);
  const widths = x.shape.map((_, i): [number, number] => [0, i === axis ? count * BLOCK - n : 0]);
  const filled = count * BLOCK === n ? x : pad(x, widths);
  return reshape(filled, [...x.shape.slice(0, axis), count, BLOCK, ...x.shape.slice(axis + 1)]);
}

/** Sums over one axis after the other, the last first, the long ones in blocks. */
function summing(finish: (partial: Tensor, axis: number) => Tensor): Composition<PrimitiveParams<"sum">> {
  return ([x], { axes }) => {
    let rest = x;
    for (const run of runs(axes).reverse()) {
      const first = run[0];
      const n = run.reduce((count, axis) => count * x.shape[axis], 1);
      const merged = reshape(rest, [...rest.shape.slice(0, first), n, ...rest.shape.slice(run[run.length - 1] + 1)]);
      rest = n > SHORT ? finish(sum(blocks(merged, first), { axis: first + 1 }), first) : sum(merged, { axis: first });
    }
    return [rest];
  };
}

/** Axes that lie side by side, together. */
function runs(axes: readonly number[]): number[][] {
  const out: number[][] = [];
  for (const axis of axes) {
    const last = out[out.length - 1];
    if (last !== undefined && last[last.length - 1] === axis - 1) last.push(axis);
    else out.push([axis]);
  }
  return out;
}

export const sumInBlocks: BlockedSum<PrimitiveParams<"sum">> = {
  axes: ({ axes }) => axes,
  addsAdjacentTogether: true,
  onCpu: composed(summing((partial, axis) => cast(sum(cast(partial, "float64"), { axis }), "float32"))),
  ofAnyLength: composed(([x], { axes }) => [cast(sum(cast(x, "float64"), { axis: axes }), "float32")]),
  // Partial sums that are many are summed in blocks again.
  onGpu: composed(summing((partial, axis) => sum(partial, { axis }))),
};

const cumSumInFloat64 = composed<PrimitiveParams<"cumSum">>(([x], { axis }) => [
  cast(cumSum(cast(x, "float64"), axis), "float32"),
]);

export const cumSumInBlocks: BlockedSum<PrimitiveParams<"cumSum">> = {
  axes: ({ axis }) => [axis],
  addsAdjacentTogether: false,
  onCpu: cumSumInFloat64,
  ofAnyLength: cumSumInFloat64,
  onGpu: composed(([x], { axis }) => {
    const within = cumSum(blocks(x, axis), axis + 1);
    const totals = slice(
      within,
      within.shape.map((_, i) => (i === axis + 1 ? { start: BLOCK - 1 } : null)),
    );
    // What stands before each block: the running totals, one block later.
    const before = pad(
      cumSum(totals, axis),
      totals.shape.map((_, i): [number, number] => (i === axis ? [1, -1] : [0, 0])),
    );
    const whole = reshape(add(within, before), [...x.shape.slice(0, axis), -1, ...x.shape.slice(axis + 1)]);
    return [
      slice(
        whole,
        x.shape.map((n, i) => (i === axis ? { stop: n } : null)),
      ),
    ];
  }),
};
