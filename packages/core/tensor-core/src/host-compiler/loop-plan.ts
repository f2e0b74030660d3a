import { byteSize, type DType } from "../dtype.js";
import type { Equation, Variable } from "../graph/builder.js";
import { rowMajorStrides, type Shape } from "../shape.js";
import { mergeAxes } from "../strided.js";
import type { Element, Value, View } from "./values.js";

/** What a loop reads: a value from outside, or the result of one of its own steps. */
export type Operand = Value | Variable;

/** An elementwise operation of a loop. */
export interface Step {
  readonly equation: Equation;
  readonly operands: readonly Operand[];
}

/** Elements that a loop writes. */
export interface Store {
  readonly source: Operand;
  readonly view: View;
  /** Whether the view is a buffer of its own, whose padding may be written too. */
  readonly whole: boolean;
}

/** How elements are combined along axes. */
export type Combination = "sum" | "prod" | "max" | "min";

/** A reduction in a loop. */
export interface Reduction {
  readonly combination: Combination;
  readonly source: Operand;
  readonly dtype: DType;
  /** Where results go: strides over the axes of the loop, 0 at those reduced. Float sums lie there in float64. */
  readonly view: View;
  readonly viewDType: DType;
}

/** A nest of loops over one shape: what it computes, writes and reduces. */
export interface LoopPlan {
  readonly shape: Shape;
  readonly steps: readonly Step[];
  readonly stores: readonly Store[];
  readonly reductions: readonly Reduction[];
}

/** A window of memory that a loop walks over; strides count bytes along the merged axes. */
export interface Stream {
  readonly view: View;
  readonly dtype: DType;
  strides: readonly number[];
}

/** The loop's axes, merged where all streams allow it, and its streams. */
export interface Walk {
  readonly shape: readonly number[];
  readonly loads: ReadonlyMap<Value, Stream>;
  readonly stores: readonly Stream[];
  readonly reductions: readonly Stream[];
}

/** Whether an operand is a value that lies in memory. */
export function isStreamed(operand: Operand): operand is Value & { view: View } {
  return "view" in operand && operand.uniform === undefined && operand.view !== undefined;
}

/** Lays out how a plan walks over memory. */
export function walkOf(plan: LoopPlan): Walk {
  const loads = new Map<Value, Stream>();
  const operands = [
    ...plan.steps.flatMap((s) => s.operands),
    ...plan.stores.map((s) => s.source),
    ...plan.reductions.map((r) => r.source),
  ];
  for (const operand of operands) {
    if (isStreamed(operand)) loads.set(operand, stream(operand.view, operand.dtype));
  }
  const stores = plan.stores.map(({ source, view }) => stream(view, source.dtype));
  const reductions = plan.reductions.map(({ view, viewDType }) => stream(view, viewDType));
  const all = [...loads.values(), ...stores, ...reductions];
  const merged = mergeAxes(
    plan.shape,
    all.map((s) => s.strides),
  );
  all.forEach((s, i) => {
    s.strides = merged.strides[i];
  });
  const shape = merged.shape.length > 0 ? merged.shape : [1];
  if (merged.shape.length === 0) for (const s of all) s.strides = [0];
  return { shape, loads, stores, reductions };
}

function stream(view: View, dtype: DType): Stream {
  const size = byteSize(dtype);
  return { view, dtype, strides: view.strides.map((s) => s * size) };
}

/** How many elements a loop can do at once: 2 or 4, or 1 where its types or strides do not suit vectors. */
export function vectorWidth(plan: LoopPlan, walk: Walk): 1 | 2 | 4 {
  const dtypes = new Set<DType>();
  const note = ({ dtype }: { readonly dtype: DType }) => {
    if (dtype !== "bool") dtypes.add(dtype);
  };
  for (const { equation } of plan.steps) [...equation.inputs, ...equation.outputs].forEach(note);
  for (const { source } of [...plan.stores, ...plan.reductions]) note(source);
  if (dtypes.size === 0) return 1;
  if (dtypes.has("float64") && dtypes.size > 1) return 1;
  const width = dtypes.has("float64") ? 2 : 4;
  const inner = walk.shape.length - 1;
  if (walk.shape[inner] < (leavesMasks(walk) ? width : 2)) return 1;
  const adjacent = (s: Stream) => s.strides[inner] === byteSize(s.dtype);
  const gathered = gatheredLoads(walk);
  // To gather elements pays where something is computed of them. Booleans are bytes, and offsets have no sign.
  const suits =
    gathered.every((s) => s.dtype !== "bool" && s.strides[inner] > 0) &&
    gathered.length <= plan.steps.length &&
    walk.stores.every(adjacent) &&
    walk.reductions.every((s) => s.strides[inner] === 0 || (adjacent(s) && s.dtype !== "bool"));
  return suits ? width : 1;
}

/** What a walk reads in steps along its innermost axis: vectors of it are gathered element by element. */
export function gatheredLoads({ shape, loads }: Walk): Stream[] {
  return [...loads.values()].filter(({ strides, dtype }) => {
    const step = strides[shape.length - 1];
    return step !== 0 && step !== byteSize(dtype);
  });
}

/** Whether a walk writes booleans, of which a vector stores all: the last elements of a row may be fewer of other types only. */
export function leavesMasks({ stores, reductions }: Walk): boolean {
  return [...stores, ...reductions].some(({ dtype }) => dtype === "bool");
}

/** What is read of so many rows for some columns stays in the second-level cache. */
const MOST_ROWS = 1024;

/**
 * Whether a plan only reduces matrices to rows, or stacks of these: then it goes down the columns, and results gather in
 * registers.
 */
export function goesDownColumns(plan: LoopPlan): boolean {
  const walk = walkOf(plan);
  const inner = walk.shape.length - 1;
  const width = vectorWidth(plan, walk);
  const whole = walk.shape[inner] % width === 0 || !leavesMasks(walk);
  if (walk.shape[inner - 1] > MOST_ROWS || gatheredLoads(walk).length > 0) return false;
  const gathers = ({ strides }: Stream) => strides.every((s, axis) => (s === 0) === (axis === inner - 1));
  return plan.reductions.length > 0 && inner > 0 && width > 1 && whole && walk.reductions.every(gathers);
}

/** Strides that write a result of `shape` with `axes` dropped, over all axes. */
export function reducedStrides(shape: Shape, axes: readonly number[]): number[] {
  const kept = shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
  return rowMajorStrides(kept).map((s, axis) => (axes.includes(axis) ? 0 : s));
}

/** What an element of an operand is where it is the same everywhere. */
export function uniformOf(operand: Operand): Element | undefined {
  return "uniform" in operand ? operand.uniform : undefined;
}
