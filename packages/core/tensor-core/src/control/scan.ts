import { requireFunction } from "../arguments.js";
import { checkOptions } from "../check-options.js";
import { traceFlat } from "../compile/trace.js";
import { zeros, zerosLike } from "../construct.js";
import { isFloat } from "../dtype.js";
import { ShapeError, ValueError } from "../errors.js";
import type { Graph } from "../graph/graph.js";
import { isTracing, recordingAbove } from "../levels.js";
import { add } from "../ops/elementwise.js";
import { broadcastTo, moveAxis, slice, stack } from "../ops/movement.js";
import { bind, definePrimitive, type Primitive, type Spec } from "../primitive.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { lineariseFloats } from "../transforms/vjp.js";
import { vmap } from "../transforms/vmap.js";
import * as tree from "../tree.js";
import { flattenTensors, keepState } from "./loop-body.js";

/** Options of `scan`. */
export interface ScanOptions {
  /** Number of steps; needed only where there are no inputs to step over. */
  length?: number;
  /** Step from the last input to the first; outputs keep the order of the inputs. Default false. */
  reverse?: boolean;
}

/**
 * Carries a state through a loop: `body(state, x)` returns `[state, y]`, `x` runs over axis 0 of the tensors in `xs`
 * (a tree; null for none), and the `y` are stacked along a new axis 0. A JavaScript loop when run eagerly, one Loop in
 * a traced graph; a single step is traced as it is.
 * @returns the last state and the stacked outputs.
 * @throws ShapeError where the inputs differ in length or the body changes the state's shapes.
 * @example const [total, running] = scan((s, x) => [add(s, x), add(s, x)], tensor(0), tensor([1, 2, 3]));
 */
export function scan<S, X, Y>(
  body: (state: S, x: X) => [state: S, y: Y],
  init: S,
  xs: X,
  options: ScanOptions = {},
): [state: S, ys: Y] {
  requireFunction("scan", "the body", body);
  checkOptions("scan", options, ["length", "reverse"]);
  const state = flattenTensors(init);
  const inputs = flattenTensors(xs);
  const length = scanLength(inputs.leaves, options.length);
  let outputs: tree.TreeStructure | undefined;
  const flatBody: FlatBody = (carry, x) => {
    const result = body(tree.unflatten<S>(state.structure, carry), tree.unflatten<X>(inputs.structure, x));
    if (!Array.isArray(result) || result.length !== 2) throw new ValueError("scan: the body must return [state, y]");
    const y = flattenTensors(result[1]);
    outputs = y.structure;
    return { carry: keepState("scan", result[0], state), y: y.leaves };
  };
  const { carry, ys } = flatScan(flatBody, state.leaves, inputs.leaves, length, options.reverse ?? false);
  if (outputs === undefined) {
    // No step was taken: the outputs' structure comes from a trace of the body.
    traceFlat(
      (v) => flatBody(v.slice(0, carry.length), v.slice(carry.length)).y,
      [...state.leaves, ...inputs.leaves.map(stepSpec)],
    );
  }
  return [tree.unflatten<S>(state.structure, carry), tree.unflatten<Y>(outputs as unknown as tree.TreeStructure, ys)];
}

type FlatBody = (carry: Tensor[], x: Tensor[]) => { carry: readonly Tensor[]; y: readonly Tensor[] };

function stepSpec(x: Spec): Spec {
  return { shape: x.shape.slice(1), dtype: x.dtype };
}

function scanLength(xs: readonly Tensor[], given: number | undefined): number {
  let length = given;
  for (const x of xs) {
    if (x.rank === 0) throw new ShapeError("scan: an input is a scalar; inputs are stepped over along axis 0");
    if (length !== undefined && x.shape[0] !== length) {
      throw new ShapeError(
        `scan: inputs have ${length} and ${x.shape[0]} steps (shape ${formatShape(x.shape)}); make them equal`,
      );
    }
    length = x.shape[0];
  }
  if (length === undefined || !Number.isInteger(length) || length < 0) {
    throw new ValueError("scan: without inputs to step over give { length }, an integer >= 0");
  }
  return length;
}

function flatScan(body: FlatBody, init: readonly Tensor[], xs: readonly Tensor[], length: number, reverse: boolean) {
  // One step is no loop: traced as what it is, the state need not be copied into a loop's memory and out of it.
  if (length === 1 || (length > 0 && !isTracing())) return eagerScan(body, init, xs, length, reverse);
  const { graph, captured } = traceFlat(
    (v) => {
      const result = body(v.slice(0, init.length), v.slice(init.length));
      return [...result.carry, ...result.y];
    },
    [...init, ...xs.map(stepSpec)],
  );
  const carries = recordingAbove(0) !== 0;
  const params: ScanParams = { body: graph, carryCount: init.length, inputCount: xs.length, length, reverse, carries };
  const outputs = bind(scanP, [...init, ...xs, ...captured], params);
  return { carry: outputs.slice(0, init.length), ys: outputs.slice(init.length, graph.outputs.length) };
}

function eagerScan(body: FlatBody, init: readonly Tensor[], xs: readonly Tensor[], length: number, reverse: boolean) {
  let carry = [...init];
  const rows: (readonly Tensor[])[] = new Array(length);
  for (let step = 0; step < length; step++) {
    const t = reverse ? length - 1 - step : step;
    const result = body(
      carry,
      xs.map((x) => slice(x, [t])),
    );
    carry = [...result.carry];
    rows[t] = result.y;
  }
  return { carry, ys: rows[0].map((_, k) => stack(rows.map((row) => row[k]))) };
}

/** Parameters of the loop in a graph. */
export interface ScanParams {
  /** Inputs: state, one step of the inputs, captured values. Outputs: state, one step of the outputs. */
  readonly body: Graph;
  readonly carryCount: number;
  readonly inputCount: number;
  readonly length: number;
  readonly reverse: boolean;
  /** Whether the states before every step are outputs too, stacked, for the gradient. */
  readonly carries: boolean;
}

/** The loop as an operation: inputs are the first state, the inputs, captured values. */
export const scanP: Primitive<ScanParams> = definePrimitive<ScanParams>({
  name: "scan",
  opaque: true,
  outputs(inputs, { body, carryCount, length, carries }) {
    const stacked = (v: Spec): Spec => ({ shape: [length, ...v.shape], dtype: v.dtype });
    const carry = inputs.slice(0, carryCount).map(({ shape, dtype }) => ({ shape, dtype }));
    return [...carry, ...body.outputs.slice(carryCount).map(stacked), ...(carries ? carry.map(stacked) : [])];
  },
  host(inputs, { body, carryCount, inputCount, length, reverse, carries }, specs) {
    if (length === 0) return [...inputs.slice(0, carryCount), ...specs.slice(carryCount).map(zerosLike)];
    const captured = inputs.slice(carryCount + inputCount);
    const result = eagerScan(
      (carry, x) => {
        const outputs = body.apply([...carry, ...x, ...captured]);
        return { carry: outputs.slice(0, carryCount), y: [...outputs.slice(carryCount), ...(carries ? carry : [])] };
      },
      inputs.slice(0, carryCount),
      inputs.slice(carryCount, carryCount + inputCount),
      length,
      reverse,
    );
    return [...result.carry, ...result.ys];
  },
  vjp(cotangents, { inputs, outputs, params }) {
    let gradients: (Tensor | null)[] | undefined;
    const compute = () => {
      gradients ??= scanGradient(cotangents, inputs, outputs, params);
      return gradients;
    };
    return inputs.map((x, i) => (isFloat(x.dtype) ? () => compute()[i] ?? zerosLike(x) : null));
  },
  batch(inputs, batched, params, size) {
    const { body, carryCount, inputCount, length, reverse, carries } = params;
    const xs = inputs
      .slice(carryCount, carryCount + inputCount)
      .map((x, i) => (batched[carryCount + i] ? moveAxis(x, 0, 1) : x));
    const captured = inputs.slice(carryCount + inputCount);
    const axes = [
      ...new Array<number>(carryCount).fill(0),
      ...body.inputs.slice(carryCount).map((_, i) => (batched[carryCount + i] ? 0 : null)),
    ];
    const step = vmap((...v: Tensor[]) => body.apply(v), { inAxes: axes });
    const init = inputs.slice(0, carryCount).map((x, i) => (batched[i] ? x : broadcastTo(x, [size, ...x.shape])));
    const { graph, captured: outer } = traceFlat((v) => step(...v), [...init, ...xs.map(stepSpec), ...captured]);
    const results = bind(scanP, [...init, ...xs, ...captured, ...outer], {
      body: graph,
      carryCount,
      inputCount,
      length,
      reverse,
      carries,
    });
    return results.map((y, i) => (i < carryCount ? y : moveAxis(y, 1, 0)));
  },
});

function scanGradient(
  cotangents: readonly Tensor[],
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  params: ScanParams,
): (Tensor | null)[] {
  const { body, carryCount, inputCount, reverse, length } = params;
  const full = params.carries ? outputs : bind(scanP, inputs, { ...params, carries: true });
  const stateHistory = full.slice(body.outputs.length);
  const xs = inputs.slice(carryCount, carryCount + inputCount);
  const captured = inputs.slice(carryCount + inputCount);
  const yCount = body.outputs.length - carryCount;
  const yCotangents = cotangents.slice(carryCount, carryCount + yCount);
  const historyCotangents = params.carries ? cotangents.slice(carryCount + yCount) : stateHistory.map(zerosLike);
  // Integers have no gradient; they are passed by.
  const floatInputs = [...inputs.slice(0, carryCount), ...xs.map(stepSpec), ...captured].map((v) => isFloat(v.dtype));
  const n = carryCount;
  const backwardStep = (
    state: { carry: Tensor[]; captured: Tensor[] },
    x: { state: Tensor[]; xs: Tensor[]; y: Tensor[]; history: Tensor[] },
  ) => {
    const point = [...x.state, ...x.xs, ...captured];
    const parts = lineariseFloats((given) => body.apply(given), point).pullback([...state.carry, ...x.y]);
    const all = point.map((v, i) => parts[i] ?? zerosLike(v));
    const carry = all.slice(0, n).map((g, i) => (floatInputs[i] ? add(g, x.history[i]) : g));
    const sums = state.captured.map((s, i) => (floatInputs[n + inputCount + i] ? add(s, all[n + inputCount + i]) : s));
    return [{ carry, captured: sums }, all.slice(n, n + inputCount)] as [typeof state, Tensor[]];
  };
  const [last, dxs] = scan(
    backwardStep,
    { carry: cotangents.slice(0, n), captured: captured.map((c) => zeros(c.shape, c.dtype)) },
    { state: stateHistory, xs, y: yCotangents, history: historyCotangents },
    { reverse: !reverse, length },
  );
  return [...last.carry, ...dxs, ...last.captured];
}
