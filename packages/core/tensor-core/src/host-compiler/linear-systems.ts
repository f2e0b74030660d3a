import type { Equation } from "../graph/builder.js";
import type { TriangularForm } from "../primitives/linear-algebra.js";
import { rowMajorStrides } from "../shape.js";
import { callHost } from "./call-out.js";
import type { Compilation } from "./compilation.js";
import type { FunctionWriter } from "./function-writer.js";
import { copyInto } from "./groups.js";
import { below, copyOf, DOUBLE, endOf, pushDot, pushNotFinite, subtractRun, turns } from "./number-runs.js";
import { rowMajor } from "./rows.js";
import { Value, type View } from "./values.js";

/** Larger matrices are factorised in blocks by the host's kernel. */
const LARGEST = 96;

/** What is no number, or singular, goes to the host's kernel, which throws the error that says so. */
function leaveToHost(c: Compilation, equation: Equation, views: readonly View[], results: readonly View[]): void {
  c.writer.if(() => callHost(c, equation, views, results));
}

/** LU factors with row exchanges of one float64 matrix. */
export function lu(c: Compilation, equation: Equation): boolean {
  const [a] = equation.inputs;
  const [packed, order] = equation.outputs;
  const [n] = a.shape;
  if (a.dtype !== "float64" || a.shape.length !== 2 || n === 0 || n > LARGEST) return false;
  const value = c.find(a);
  const views = [c.view(value)];
  const [to, rows] = [c.allocate(packed), c.allocate(order)];
  c.note(`lu of ${n} x ${n}`, [to, rows]);
  copyInto(c, value, { ...to, strides: rowMajorStrides(a.shape) }, true);
  c.writer.temporary(() => writeFactors(c, n, to, rows));
  pushNotFinite(c, to, n * n);
  leaveToHost(c, equation, views, [to, rows]);
  c.define(packed, new Value(packed.shape, packed.dtype, { view: to }));
  c.define(order, new Value(order.shape, order.dtype, { view: rows }));
  return true;
}

/** The factors in place, by columns: the largest pivot, the exchange of rows, the rows below less multiples of it. */
function writeFactors(c: Compilation, n: number, matrix: View, order: View): void {
  const { writer: w } = c;
  const rowBytes = n * DOUBLE;
  c.pushAddress(order, "int32");
  const place = w.keep("i32");
  for (let i = 0; i < n; i++) {
    w.get(place);
    w.i32(i);
    w.access("i32.store", 4 * i);
  }
  c.pushAddress(matrix, "float64");
  const row = w.keep("i32");
  const end = endOf(w, row, n * rowBytes);
  const diagonal = copyOf(w, row);
  turns(
    w,
    () => {
      const next = copyOf(w, row, rowBytes);
      exchangeRows(w, n, row, diagonal, end, place);
      w.get(diagonal);
      w.access("f64.load");
      const pivot = w.keep("f64");
      w.get(pivot);
      w.f64(0);
      w.op("f64.ne");
      w.get(next);
      w.get(end);
      w.op("i32.lt_u", "i32.and");
      w.if(() => eliminate(w, rowBytes, diagonal, next, end, pivot));
      w.advance(diagonal, rowBytes + DOUBLE);
      w.advance(row, rowBytes);
      w.advance(place, 4);
    },
    () => below(w, row, end),
  );
}

/** Puts the row with the largest number in the column of the diagonal where the row is. */
function exchangeRows(w: FunctionWriter, n: number, row: number, diagonal: number, end: number, place: number): void {
  const rowBytes = n * DOUBLE;
  const magnitude = (at: number) => {
    w.get(at);
    w.access("f64.load");
    w.op("f64.abs");
    return w.keep("f64");
  };
  const largest = magnitude(diagonal);
  const [best, bestPlace] = [copyOf(w, row), copyOf(w, place)];
  const [candidate, at, where] = [copyOf(w, row, rowBytes), copyOf(w, diagonal, rowBytes), copyOf(w, place, 4)];
  w.block(() => {
    w.loop(() => {
      below(w, candidate, end);
      w.op("i32.eqz");
      w.branchIf(1);
      const size = magnitude(at);
      w.get(size);
      w.get(largest);
      w.op("f64.gt");
      w.if(() => {
        for (const [to, from] of [
          [largest, size],
          [best, candidate],
          [bestPlace, where],
        ]) {
          w.get(from);
          w.set(to);
        }
      });
      w.advance(candidate, rowBytes);
      w.advance(at, rowBytes);
      w.advance(where, 4);
      w.branch(0);
    });
  });
  const exchange = (a: number, b: number, load: string, store: string, type: "i32" | "f64") => {
    w.get(a);
    w.access(load);
    const kept = w.keep(type);
    w.get(a);
    w.get(b);
    w.access(load);
    w.access(store);
    w.get(b);
    w.get(kept);
    w.access(store);
  };
  w.get(best);
  w.get(row);
  w.op("i32.ne");
  w.if(() => {
    const here = copyOf(w, row);
    w.repeat(n, () => {
      exchange(here, best, "f64.load", "f64.store", "f64");
      w.advance(here, DOUBLE);
      w.advance(best, DOUBLE);
    });
    exchange(place, bestPlace, "i32.load", "i32.store", "i32");
  });
}

/** The rows from `next` on less multiples of the row above it, whose factors stay in their place. */
function eliminate(w: FunctionWriter, rowBytes: number, diagonal: number, next: number, end: number, pivot: number) {
  const under = copyOf(w, diagonal, rowBytes);
  const rowEnd = copyOf(w, next);
  const [factor, splat] = [w.local("f64"), w.local("v128")];
  const [source, target] = [w.local("i32"), w.local("i32")];
  const candidate = copyOf(w, next);
  turns(
    w,
    () => {
      w.get(under);
      w.get(under);
      w.access("f64.load");
      w.get(pivot);
      w.op("f64.div");
      w.tee(factor);
      w.access("f64.store");
      w.get(factor);
      w.f64(0);
      w.op("f64.ne");
      w.if(() => {
        w.get(factor);
        w.op("f64x2.splat");
        w.set(splat);
        for (const [to, from] of [
          [source, diagonal],
          [target, under],
        ]) {
          w.get(from);
          w.i32(DOUBLE);
          w.op("i32.add");
          w.set(to);
        }
        subtractRun(w, source, rowEnd, target, factor, splat);
      });
      w.advance(under, rowBytes);
      w.advance(candidate, rowBytes);
    },
    () => below(w, candidate, end),
  );
}

/** A triangular system with one float64 right-hand side. */
export function triangularSolve(c: Compilation, equation: Equation): boolean {
  const [a, b] = equation.inputs;
  const [y] = equation.outputs;
  const [n, columns] = b.shape;
  if (a.dtype !== "float64" || a.shape.length !== 2 || columns !== 1 || n === 0 || n > LARGEST) return false;
  const { views, free } = rowMajor(c, [a]);
  const right = c.find(b);
  const given = [views[0], c.view(right)];
  const to = c.allocate(y);
  c.note(`triangular system of ${n}`, [to]);
  copyInto(c, right, { ...to, strides: rowMajorStrides(b.shape) }, true);
  c.writer.temporary(() => writeSubstitution(c, n, given[0], to, equation.params as TriangularForm));
  pushNotFinite(c, to, n);
  leaveToHost(c, equation, given, [to]);
  free();
  c.define(y, new Value(y.shape, y.dtype, { view: to }));
  return true;
}

function writeSubstitution(c: Compilation, n: number, matrix: View, solution: View, form: TriangularForm): void {
  const { writer: w } = c;
  c.pushAddress(solution, "float64");
  const start = w.keep("i32");
  c.pushAddress(matrix, "float64");
  const rows = w.keep("i32");
  const blocks = form.transposeA ? 0 : Math.floor(n / BLOCK);
  if (blocks > 0) substituteBlocks(w, n, blocks, rows, start, form);
  if (n > blocks * BLOCK) substituteRows(w, n, blocks * BLOCK, rows, start, form);
}

/** Rows that are done together: their sums do not wait for each other. */
const BLOCK = 4;

/** The first rows in the order of substitution, four by four: what is known of the solution, then the triangle in locals. */
function substituteBlocks(
  w: FunctionWriter,
  n: number,
  blocks: number,
  matrix: number,
  start: number,
  { lower, unitDiagonal }: TriangularForm,
): void {
  const rowBytes = n * DOUBLE;
  const sign = lower ? 1 : -1;
  const first = lower ? 0 : n - BLOCK;
  const row = copyOf(w, matrix, first * rowBytes);
  const corner = copyOf(w, row, first * DOUBLE);
  const x = copyOf(w, start, first * DOUBLE);
  const end = endOf(w, start, rowBytes);
  const members = Array.from({ length: BLOCK }, (_, i) => ({ i, sum: w.local("v128"), value: w.local("f64") }));
  const [at, known, solved] = [w.local("i32"), w.local("i32"), w.local("v128")];
  const place = (pointer: number, from: number, ahead: number) => {
    w.get(from);
    w.i32(ahead);
    w.op("i32.add");
    w.set(pointer);
  };
  w.repeat(blocks, () => {
    for (const { sum } of members) {
      w.vector("f64x2", 0);
      w.set(sum);
    }
    place(at, lower ? row : corner, lower ? 0 : BLOCK * DOUBLE);
    place(known, lower ? start : x, lower ? 0 : BLOCK * DOUBLE);
    w.block(() => {
      w.loop(() => {
        below(w, known, lower ? x : end);
        w.op("i32.eqz");
        w.branchIf(1);
        w.get(known);
        w.access("v128.load");
        w.set(solved);
        for (const { i, sum } of members) {
          w.get(sum);
          w.get(at);
          w.access("v128.load", i * rowBytes);
          w.get(solved);
          w.op("f64x2.mul", "f64x2.add");
          w.set(sum);
        }
        w.advance(at, 2 * DOUBLE);
        w.advance(known, 2 * DOUBLE);
        w.branch(0);
      });
    });
    const order = lower ? members : [...members].reverse();
    order.forEach(({ i, sum, value }, turn) => {
      w.get(x);
      w.access("f64.load", i * DOUBLE);
      for (const lane of [0, 1]) {
        w.get(sum);
        w.lane("f64x2.extract_lane", lane);
      }
      w.op("f64.add", "f64.sub");
      for (const before of order.slice(0, turn)) {
        w.get(corner);
        w.access("f64.load", i * rowBytes + before.i * DOUBLE);
        w.get(before.value);
        w.op("f64.mul", "f64.sub");
      }
      if (!unitDiagonal) {
        w.get(corner);
        w.access("f64.load", i * (rowBytes + DOUBLE));
        w.op("f64.div");
      }
      w.set(value);
    });
    // Pairs, as they are read.
    for (let i = 0; i < BLOCK; i += 2) {
      w.get(x);
      w.get(members[i].value);
      w.op("f64x2.splat");
      w.get(members[i + 1].value);
      w.lane("f64x2.replace_lane", 1);
      w.access("v128.store", i * DOUBLE);
    }
    w.advance(row, sign * BLOCK * rowBytes);
    w.advance(corner, sign * BLOCK * (rowBytes + DOUBLE));
    w.advance(x, sign * BLOCK * DOUBLE);
  });
}

/** Rows one by one, from the one after the first `done` in the order of substitution. */
function substituteRows(
  w: FunctionWriter,
  n: number,
  done: number,
  matrix: number,
  start: number,
  { lower, transposeA, unitDiagonal }: TriangularForm,
): void {
  const forward = lower !== transposeA;
  const rowBytes = n * DOUBLE;
  const sign = forward ? 1 : -1;
  const first = forward ? done : n - 1 - done;
  const x = copyOf(w, start, first * DOUBLE);
  const row = copyOf(w, matrix, first * rowBytes);
  const diagonal = copyOf(w, row, first * DOUBLE);
  const [at, other, stop] = [w.local("i32"), w.local("i32"), w.local("i32")];
  const divide = () => {
    if (unitDiagonal) return;
    w.get(x);
    w.get(x);
    w.access("f64.load");
    w.get(diagonal);
    w.access("f64.load");
    w.op("f64.div");
    w.access("f64.store");
  };
  /** The run of the row before the diagonal, or behind it, with the solution beside it. */
  const run = (before: boolean) => {
    w.get(before ? row : diagonal);
    w.i32(before ? 0 : DOUBLE);
    w.op("i32.add");
    w.set(at);
    w.get(before ? start : x);
    w.i32(before ? 0 : DOUBLE);
    w.op("i32.add");
    w.set(other);
    if (before) w.get(diagonal);
    else {
      w.get(row);
      w.i32(rowBytes);
      w.op("i32.add");
    }
    w.set(stop);
  };
  w.repeat(n - done, () => {
    if (transposeA) {
      // Row i of the matrix is a column of its transpose: what it contributes to the numbers that are left.
      divide();
      run(!forward);
      w.get(x);
      w.access("f64.load");
      const factor = w.keep("f64");
      w.get(factor);
      w.op("f64x2.splat");
      const splat = w.keep("v128");
      subtractRun(w, at, stop, other, factor, splat);
    } else {
      run(forward);
      w.get(x);
      w.get(x);
      w.access("f64.load");
      pushDot(w, at, stop, other);
      w.op("f64.sub");
      w.access("f64.store");
      divide();
    }
    w.advance(x, sign * DOUBLE);
    w.advance(row, sign * rowBytes);
    w.advance(diagonal, sign * (rowBytes + DOUBLE));
  });
}
