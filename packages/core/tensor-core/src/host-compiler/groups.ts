import { byteSize } from "../dtype.js";
import type { Equation, Variable } from "../graph/builder.js";
import { type Shape, sameShape, sizeOf } from "../shape.js";
import { isContiguous } from "../tensor.js";
import { identityOf } from "./accumulator.js";
import { writeColumns } from "./column-loops.js";
import type { Compilation } from "./compilation.js";
import { writeLoops } from "./loop-nest.js";
import {
  type Combination,
  goesDownColumns,
  isStreamed,
  type Operand,
  type Reduction,
  reducedStrides,
  type Step,
  type Store,
} from "./loop-plan.js";
import { Value, type View } from "./values.js";

interface PendingReduction {
  readonly equation: Equation;
  readonly combination: Combination;
  readonly source: Operand;
}

/** Elementwise operations over one shape, and the reductions of their results, that will be one nest of loops. */
export interface Group {
  readonly shape: Shape;
  readonly steps: Step[];
  readonly reductions: PendingReduction[];
}

/**
 * The groups that are not written yet, one a shape. A group is written when something needs one of its values other
 * than by an operation that joins it.
 */
export class Groups {
  private readonly open: Group[] = [];
  private readonly pending = new Map<Variable, Group>();

  constructor(private readonly c: Compilation) {}

  /** Adds an elementwise operation. */
  addStep(equation: Equation): void {
    const { shape } = equation.outputs[0];
    const group = this.groupFor(shape, equation.inputs);
    group.steps.push({ equation, operands: equation.inputs.map((v) => this.operand(group, v)) });
    this.pending.set(equation.outputs[0], group);
  }

  /** Adds a reduction. */
  addReduction(equation: Equation, combination: Combination): void {
    const [x] = equation.inputs;
    const group = this.groupFor(x.shape, [x]);
    group.reductions.push({ equation, combination, source: this.operand(group, x) });
    this.pending.set(equation.outputs[0], group);
  }

  /** The open group of a shape, after the others that compute the inputs are written. */
  private groupFor(shape: Shape, inputs: readonly Variable[]): Group {
    for (const v of inputs) {
      const group = this.pending.get(v);
      if (group === undefined) continue;
      const reduced = group.reductions.some((r) => r.equation.outputs[0] === v);
      if (reduced || !sameShape(group.shape, shape)) this.write(group);
    }
    let group = this.open.find((g) => sameShape(g.shape, shape));
    if (group === undefined) {
      group = { shape, steps: [], reductions: [] };
      this.open.push(group);
    }
    return group;
  }

  /** A variable as an operand; one from outside keeps its memory until the group is written. */
  private operand(group: Group, variable: Variable): Operand {
    if (this.pending.get(variable) === group) return variable;
    const value = this.c.find(variable);
    if (value.uniform === undefined) this.c.view(value);
    return value;
  }

  /** Writes the group that computes a variable, if one does. */
  require(variable: Variable): void {
    const group = this.pending.get(variable);
    if (group !== undefined) this.write(group);
  }

  /** Writes all groups. */
  writeAll(): void {
    while (this.open.length > 0) this.write(this.open[0]);
  }

  private write(group: Group): void {
    const { c } = this;
    this.open.splice(this.open.indexOf(group), 1);
    const inside = new Map<Variable, number>();
    const count = (v: Variable) => inside.set(v, (inside.get(v) ?? 0) + 1);
    for (const { equation } of [...group.steps, ...group.reductions]) equation.inputs.forEach(count);
    const stores: Store[] = [];
    for (const { equation } of group.steps) {
      const [y] = equation.outputs;
      this.pending.delete(y);
      if (c.usesOf(y) === (inside.get(y) ?? 0)) continue;
      const home = c.destinations.home(y, inside);
      const rows = c.destinations.takeRows(y);
      for (const view of rows) stores.push({ source: y, view, whole: false });
      const kept = home ?? rows[0];
      const view = kept === undefined ? c.allocate(y) : c.shareView(kept);
      if (view !== rows[0]) stores.push({ source: y, view, whole: true });
      this.noteReplaceable(group, y, view, inside);
      c.define(y, new Value(y.shape, y.dtype, { view }));
    }
    const plan = {
      shape: group.shape,
      steps: group.steps,
      stores,
      reductions: group.reductions.map((r) => this.place(r)),
    };
    if (goesDownColumns(plan)) writeColumns(c, plan);
    else {
      const gathered = plan.reductions.map((r) => this.gather(r, group.shape));
      writeLoops(c, { ...plan, reductions: gathered.map(({ reduction }) => reduction) });
      for (const { finish } of gathered) finish();
    }
    for (const [v, times] of inside) for (let i = 0; i < times; i++) c.release(v);
  }

  /** Notes the arguments in whose place a result may be written: each element is read for the last time before it is. */
  private noteReplaceable(group: Group, y: Variable, { buffer }: View, inside: ReadonlyMap<Variable, number>): void {
    const { c } = this;
    if (buffer.base.kind !== "slot" || c.depth > 0) return;
    const slots = new Set<number>();
    for (const { equation, operands } of group.steps) {
      operands.forEach((operand, i) => {
        const v = equation.inputs[i];
        if (!isStreamed(operand) || v.dtype !== y.dtype || c.usesOf(v) !== inside.get(v)) return;
        const { view, shape } = operand;
        const { base, references } = view.buffer;
        const same = view.offset === 0 && sameShape(shape, y.shape) && isContiguous(shape, view.strides);
        if (same && references === 1 && base.kind === "slot") slots.add(base.slot);
      });
    }
    c.replaceable.set(buffer.base.slot, [...slots]);
  }

  /** Lays out where a reduction's result goes. */
  private place({ equation, combination, source }: PendingReduction): Reduction {
    const { c } = this;
    const [y] = equation.outputs;
    const [x] = equation.inputs;
    const { axes } = equation.params as { axes: readonly number[] };
    this.pending.delete(y);
    const view = c.allocate(y);
    c.define(y, new Value(y.shape, y.dtype, { view }));
    const strides = reducedStrides(x.shape, axes);
    return { combination, source, dtype: x.dtype, view: { ...view, strides }, viewDType: y.dtype };
  }

  /** Where an axis that is kept lies inside one that is reduced, results gather in memory. */
  private gather(reduction: Reduction, shape: Shape): { reduction: Reduction; finish: () => void } {
    const { c } = this;
    const { view, viewDType: dtype, combination } = reduction;
    const reduced = (axis: number) => view.strides[axis] === 0;
    const first = shape.findIndex((n, axis) => n > 1 && reduced(axis));
    const gathers = first >= 0 && shape.some((n, axis) => axis > first && n > 1 && !reduced(axis));
    if (!gathers) return { reduction, finish: () => {} };
    const kept = shape.filter((_, axis) => !reduced(axis));
    const doubled = dtype === "float32" && (combination === "sum" || combination === "prod");
    const scratch = doubled ? c.allocateFor(kept, "float64") : undefined;
    const target: Reduction =
      scratch === undefined
        ? reduction
        : { ...reduction, view: { ...scratch, strides: view.strides }, viewDType: "float64" };
    this.fill(target.view, target, sizeOf(kept));
    const finish = () => {
      if (scratch === undefined) return;
      narrow(c, scratch, view, sizeOf(kept));
      c.arena.release(scratch.buffer);
    };
    return { reduction: target, finish };
  }

  /** Fills a result with what its reduction starts from. */
  private fill(view: View, reduction: Reduction, size: number): void {
    const { c } = this;
    const dtype = reduction.viewDType;
    const identity = identityOf(reduction);
    if (identity === 0) {
      c.pushAddress(view, dtype);
      c.writer.i32(0);
      c.writer.i32(size * byteSize(dtype));
      c.writer.memoryFill();
      return;
    }
    const source = new Value([size], dtype, { uniform: c.known(dtype, identity) });
    const stores = [{ source, view: { ...view, strides: [1] }, whole: true }];
    writeLoops(c, { shape: [size], steps: [], stores, reductions: [] });
  }
}

/** Rounds sums that were carried in float64. */
function narrow(c: Compilation, from: View, to: View, size: number): void {
  c.writer.temporary(() => writeNarrow(c, from, to, size));
}

function writeNarrow(c: Compilation, from: View, to: View, size: number): void {
  const { writer: w } = c;
  const [source, target] = [c.locate(from, "float64"), c.locate(to, "float32")];
  w.get(source.base);
  const read = w.keep("i32");
  w.get(target.base);
  const write = w.keep("i32");
  w.repeat(size, () => {
    w.get(write);
    w.get(read);
    w.access("f64.load", source.offset);
    w.op("f32.demote_f64");
    w.access("f32.store", target.offset);
    w.advance(read, 8);
    w.advance(write, 4);
  });
}

/** Copies or spreads a value into a window of memory of its shape. */
export function copyInto(c: Compilation, source: Value, view: View, whole: boolean): void {
  if (source.size === 0) return;
  if (source.uniform === undefined) c.view(source);
  writeLoops(c, { shape: source.shape, steps: [], stores: [{ source, view, whole }], reductions: [] });
}
