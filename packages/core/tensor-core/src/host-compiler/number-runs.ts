import type { Compilation } from "./compilation.js";
import type { FunctionWriter } from "./function-writer.js";
import type { View } from "./values.js";

/* Loops over runs of float64 numbers that lie one after another, two at a time. */

/** Bytes of a number. */
export const DOUBLE = 8;

/** A loop over code that leaves on the stack whether it goes on; at least one turn. */
export function turns(w: FunctionWriter, body: () => void, goesOn: () => void): void {
  w.loop(() => {
    body();
    goesOn();
    w.branchIf(0);
  });
}

/** Whether the address in one local is below that in another, or one that many bytes on. */
export function below(w: FunctionWriter, a: number, b: number, ahead = 0): void {
  w.get(a);
  if (ahead > 0) {
    w.i32(ahead);
    w.op("i32.add");
  }
  w.get(b);
  w.op(ahead > 0 ? "i32.le_u" : "i32.lt_u");
}

/** Walks the elements from `from` to below `end` two vectors, one vector, one number at a time; pointers go on. */
function walk(
  w: FunctionWriter,
  from: number,
  end: number,
  pointers: readonly number[],
  vector: (offset: number, part: number) => void,
  single: () => void,
): void {
  const step = (bytes: number, body: () => void) =>
    w.block(() => {
      w.loop(() => {
        below(w, from, end, bytes);
        w.op("i32.eqz");
        w.branchIf(1);
        body();
        for (const pointer of pointers) w.advance(pointer, bytes);
        w.branch(0);
      });
    });
  step(32, () => {
    vector(0, 0);
    vector(16, 1);
  });
  step(16, () => vector(0, 0));
  step(DOUBLE, single);
}

/** `target -= factor source` along a run of numbers. */
export function subtractRun(
  w: FunctionWriter,
  source: number,
  end: number,
  target: number,
  factor: number,
  splat: number,
) {
  const term = (type: "f64" | "f64x2", by: number, load: string, store: string, offset: number) => {
    w.get(target);
    w.get(target);
    w.access(load, offset);
    w.get(source);
    w.access(load, offset);
    w.get(by);
    w.op(`${type}.mul`, `${type}.sub`);
    w.access(store, offset);
  };
  walk(
    w,
    source,
    end,
    [source, target],
    (offset) => term("f64x2", splat, "v128.load", "v128.store", offset),
    () => term("f64", factor, "f64.load", "f64.store", 0),
  );
}

/** Leaves the product of two runs of numbers on the stack. */
export function pushDot(w: FunctionWriter, a: number, end: number, b: number): void {
  pushSum(w, a, end, [a, b], (load, offset) => {
    w.get(a);
    w.access(load, offset);
    w.get(b);
    w.access(load, offset);
    return "mul";
  });
}

/** Leaves on the stack whether a number among so many is not finite. */
export function pushNotFinite(c: Compilation, view: View, count: number): void {
  const { writer: w } = c;
  c.pushAddress(view, "float64");
  const at = w.keep("i32");
  // x - x is 0, or NaN.
  pushSum(w, at, endOf(w, at, count * DOUBLE), [at], (load, offset) => {
    for (let operand = 0; operand < 2; operand++) {
      w.get(at);
      w.access(load, offset);
    }
    return "sub";
  });
  w.f64(0);
  w.op("f64.ne");
}

/** Leaves the sum over a run on the stack; a term loads two operands and says what joins them. */
function pushSum(
  w: FunctionWriter,
  from: number,
  end: number,
  pointers: readonly number[],
  term: (load: string, offset: number) => "mul" | "sub",
): void {
  const parts = [w.local("v128"), w.local("v128")];
  for (const part of parts) {
    w.vector("f64x2", 0);
    w.set(part);
  }
  const sum = w.local("f64");
  w.f64(0);
  w.set(sum);
  const add = (type: "f64" | "f64x2", to: number, load: string, offset: number) => {
    w.get(to);
    w.op(`${type}.${term(load, offset)}`, `${type}.add`);
    w.set(to);
  };
  walk(
    w,
    from,
    end,
    pointers,
    (offset, part) => add("f64x2", parts[part], "v128.load", offset),
    () => add("f64", sum, "f64.load", 0),
  );
  w.get(parts[0]);
  w.get(parts[1]);
  w.op("f64x2.add");
  const both = w.keep("v128");
  w.get(sum);
  for (const lane of [0, 1]) {
    w.get(both);
    w.lane("f64x2.extract_lane", lane);
    w.op("f64.add");
  }
}

/** A new local with the address so many bytes after that in another. */
export function endOf(w: FunctionWriter, start: number, bytes: number): number {
  w.get(start);
  w.i32(bytes);
  w.op("i32.add");
  return w.keep("i32");
}

/** The same, for a pointer that walks; by default it begins where the other is. */
export function copyOf(w: FunctionWriter, local: number, ahead = 0): number {
  return endOf(w, local, ahead);
}
