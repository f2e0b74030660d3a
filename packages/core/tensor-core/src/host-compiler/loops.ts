import type { ScanParams } from "../control/scan.js";
import type { WhileParams } from "../control/while-loop.js";
import { byteSize } from "../dtype.js";
import type { Equation, Variable } from "../graph/builder.js";
import type { Graph } from "../graph/graph.js";
import type { Compilation } from "./compilation.js";
import { copyInto } from "./groups.js";
import { LoopState } from "./loop-state.js";
import { type Buffer, Value, type View } from "./values.js";

/** Outermost loops of fewer steps are not worth a function of their own. */
const FEW_STEPS = 16;
/** The parameter of a loop that is a function of its own: how many steps to take at most. */
const STEPS = 0;

/** The rows along axis 0 of a tensor in memory: at every step one of them. */
class Rows {
  private readonly pointer: number;

  constructor(
    private readonly c: Compilation,
    private readonly variable: Variable,
    private readonly view: View,
  ) {
    this.pointer = c.writer.local("i32");
  }

  /** Goes to the row whose number is in a local. */
  select(row: number): void {
    const { writer: w } = this.c;
    const { dtype } = this.variable;
    this.c.pushAddress(this.view, dtype);
    w.get(row);
    w.i32(this.view.strides[0] * byteSize(dtype));
    w.op("i32.mul", "i32.add");
    w.set(this.pointer);
  }

  get row(): View {
    const buffer: Buffer = {
      base: { kind: "register", local: this.pointer },
      address: 0,
      bytes: 0,
      references: 1,
      loops: 0,
    };
    return { buffer, offset: 0, strides: this.view.strides.slice(1) };
  }

  get value(): Value {
    return new Value(this.variable.shape.slice(1), this.variable.dtype, { view: this.row });
  }
}

/** Writes a value where a row lies. */
function writeRow(c: Compilation, value: Value, row: View): void {
  if (value.elements !== undefined && value.view === undefined) c.store(row, value.dtype, value.elements);
  else copyInto(c, value, row, false);
}

/** Keeps small values that a loop uses in locals. */
function preload(c: Compilation, values: readonly Value[]): void {
  for (const value of values) if (value.size <= c.small) c.elements(value);
}

/** A loop with a known number of steps. */
export function writeScan(c: Compilation, equation: Equation): boolean {
  const { carryCount, length, inputCount } = equation.params as ScanParams;
  if (length === 0) return false;
  c.groups.writeAll();
  const values = equation.inputs.map((v) => c.find(v));
  const init = values.slice(0, carryCount);
  for (const x of values.slice(carryCount, carryCount + inputCount)) c.view(x);
  const stacked = equation.outputs.slice(carryCount).map((v) => c.allocate(v));
  const own = c.depth === 0 && length > FEW_STEPS;
  const state = new LoopState(c, equation.inputs.slice(0, carryCount), own);
  c.note(`loop of ${length} steps`);
  if (own) {
    const counter = c.allocateFor([], "int32");
    state.save(init);
    c.store(counter, "int32", [c.known("int32", 0)]);
    inFunction(c, () => {
      const { writer: w } = c;
      preload(c, values.slice(carryCount + inputCount));
      state.resume();
      const place = c.locate(counter, "int32");
      w.get(place.base);
      w.access("i32.load", place.offset);
      const step = w.keep("i32");
      // The last step of this call, or of all.
      w.get(step);
      w.get(STEPS);
      w.op("i32.add");
      const wanted = w.keep("i32");
      w.get(wanted);
      w.i32(length);
      w.get(wanted);
      w.i32(length);
      w.op("i32.lt_s", "select");
      const end = w.keep("i32");
      scanSteps(c, equation, values, state, stacked, step, () => w.get(end));
      state.suspend();
      w.get(place.base);
      w.get(step);
      w.access("i32.store", place.offset);
      w.get(step);
      w.i32(length);
      w.op("i32.lt_s");
    });
    state.end();
    defineResults(c, equation, [...state.savedValues(), ...stackedValues(equation, carryCount, stacked)]);
    return true;
  }
  preload(c, values.slice(carryCount + inputCount));
  state.start(init);
  const { writer: w } = c;
  w.i32(0);
  const step = w.keep("i32");
  scanSteps(c, equation, values, state, stacked, step, () => w.i32(length));
  state.end();
  defineResults(c, equation, [...state.values(), ...stackedValues(equation, carryCount, stacked)]);
  return true;
}

function stackedValues(equation: Equation, carryCount: number, views: readonly View[]): Value[] {
  return equation.outputs.slice(carryCount).map((v, i) => new Value(v.shape, v.dtype, { view: views[i] }));
}

function defineResults(c: Compilation, { outputs }: Equation, results: readonly Value[]): void {
  outputs.forEach((v, i) => {
    c.define(v, results[i]);
  });
}

/** The steps of a scan from the number in `step`, at least one, to below the number that `pushEnd` leaves. */
function scanSteps(
  c: Compilation,
  equation: Equation,
  values: readonly Value[],
  state: LoopState,
  stacked: readonly View[],
  step: number,
  pushEnd: () => void,
): void {
  const { writer: w } = c;
  const { body, carryCount, inputCount, length, reverse, carries } = equation.params as ScanParams;
  const inputs = equation.inputs.slice(carryCount, carryCount + inputCount);
  const rowsIn = inputs.map((v, i) => new Rows(c, v, values[carryCount + i].view as View));
  const rowsOut = equation.outputs.slice(carryCount).map((v, i) => new Rows(c, v, stacked[i]));
  const yCount = body.outputs.length - carryCount;
  w.loop(() => {
    let row = step;
    if (reverse) {
      w.i32(length - 1);
      w.get(step);
      w.op("i32.sub");
      row = w.keep("i32");
    }
    for (const rows of [...rowsIn, ...rowsOut]) rows.select(row);
    c.scope(() => {
      const before = state.values();
      c.enter(body);
      const captured = values.slice(carryCount + inputCount);
      c.bind(body.inputs, [...before, ...rowsIn.map((rows) => rows.value), ...captured]);
      // The body may overwrite the state.
      if (carries) {
        before.forEach((value, i) => {
          writeRow(c, value, rowsOut[yCount + i].row);
        });
      }
      const ys = body.outputs.slice(carryCount);
      ys.forEach((v, i) => {
        c.destinations.addRow(v, rowsOut[i].row);
      });
      writeBody(c, body, state);
      for (const v of ys) for (const row of c.destinations.takeRows(v)) writeRow(c, c.find(v), row);
      state.replace(body.outputs.slice(0, carryCount).map((v) => c.find(v)));
      for (const v of body.outputs) c.release(v);
    });
    w.advance(step, 1);
    w.get(step);
    pushEnd();
    w.op("i32.lt_s");
    w.branchIf(0);
  });
}

/** The body of a loop, whose first results are the next state. */
function writeBody(c: Compilation, body: Graph, state: LoopState): void {
  const homes = state.homes();
  const next = body.outputs.slice(0, homes.length);
  c.destinations.setHomes(next, homes);
  c.writeGraph(body);
  c.groups.writeAll();
  c.destinations.clearHomes(next);
}

/** Writes a function of its own, which takes the number of steps and returns whether there are more. */
function inFunction(c: Compilation, body: () => void): void {
  c.spill();
  c.closeFunction("code");
  c.openFunction(["i32"], ["i32"]);
  body();
  c.spill();
  c.closeFunction("loop");
  c.openFunction([], []);
}

/** A loop that goes on while a condition holds. */
export function writeWhile(c: Compilation, equation: Equation): boolean {
  const { carryCount, conditionCaptures, condition, body } = equation.params as WhileParams;
  c.groups.writeAll();
  const values = equation.inputs.map((v) => c.find(v));
  const init = values.slice(0, carryCount);
  const captured = values.slice(carryCount);
  const own = c.depth === 0;
  const state = new LoopState(c, equation.inputs.slice(0, carryCount), own);
  c.note("loop while a condition holds");
  /** Leaves the condition on the stack. */
  const test = () => {
    c.scope(() => {
      c.enter(condition);
      c.bind(condition.inputs, [...state.values(), ...captured.slice(0, conditionCaptures)]);
      c.writeGraph(condition);
      c.groups.writeAll();
      c.push(c.element(c.find(condition.outputs[0])));
      c.release(condition.outputs[0]);
    });
  };
  const step = () => {
    c.scope(() => {
      c.enter(body);
      c.bind(body.inputs, [...state.values(), ...captured.slice(conditionCaptures)]);
      writeBody(c, body, state);
      state.replace(body.outputs.map((v) => c.find(v)));
      for (const v of body.outputs) c.release(v);
    });
  };
  if (!own) {
    preload(c, captured);
    state.start(init);
    const { writer: w } = c;
    w.block(() => {
      w.loop(() => {
        test();
        w.op("i32.eqz");
        w.branchIf(1);
        step();
        w.branch(0);
      });
    });
    state.end();
    defineResults(c, equation, state.values());
    return true;
  }
  state.save(init);
  inFunction(c, () => {
    const { writer: w } = c;
    preload(c, captured);
    state.resume();
    w.block(() => {
      w.loop(() => {
        test();
        w.op("i32.eqz");
        w.branchIf(1);
        step();
        w.advance(STEPS, -1);
        w.get(STEPS);
        w.branchIf(0);
        state.suspend();
        w.i32(1);
        w.return();
      });
    });
    state.suspend();
    w.i32(0);
  });
  state.end();
  defineResults(c, equation, state.savedValues());
  return true;
}
