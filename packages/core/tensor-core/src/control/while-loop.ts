import { requireFunction } from "../arguments.js";
import { traceFlat } from "../compile/trace.js";
import { asTensor } from "../construct.js";
import { ShapeError, UnsupportedError } from "../errors.js";
import type { Graph } from "../graph/graph.js";
import { isTracing } from "../levels.js";
import { where } from "../ops/elementwise.js";
import { broadcastTo, reshape } from "../ops/movement.js";
import { any } from "../ops/reduction.js";
import { bind, definePrimitive, type Primitive } from "../primitive.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { vmap } from "../transforms/vmap.js";
import * as tree from "../tree.js";
import { flattenTensors, keepState } from "./loop-body.js";
import { goesOnFor } from "./taken-lanes.js";

/**
 * Applies `body` to a state (a tree) while `condition` of it is true. A JavaScript loop when run eagerly, one Loop in
 * a traced graph. Under `vmap` the loop runs until no example goes on; finished ones keep their state. Eager loops
 * differentiate; traced ones do not: use `scan` with a fixed number of steps where a gradient is needed.
 * @example whileLoop((x) => less(x, 100), (x) => mul(x, 2), tensor(1)) // 128
 */
export function whileLoop<S>(condition: (state: S) => TensorLike, body: (state: S) => S, init: S): S {
  requireFunction("whileLoop", "the condition", condition);
  requireFunction("whileLoop", "the body", body);
  const state = flattenTensors(init);
  const pack = (leaves: readonly Tensor[]) => tree.unflatten<S>(state.structure, leaves);
  const flatCondition = (leaves: readonly Tensor[]) => checkedCondition(condition(pack(leaves)));
  const flatBody = (leaves: readonly Tensor[]) => keepState("whileLoop", body(pack(leaves)), state);
  if (!isTracing()) return pack(eagerWhile(flatCondition, flatBody, state.leaves));
  const test = traceFlat((v) => [flatCondition(v)], state.leaves);
  const step = traceFlat(flatBody, state.leaves);
  const params: WhileParams = {
    condition: test.graph,
    body: step.graph,
    carryCount: state.leaves.length,
    conditionCaptures: test.captured.length,
  };
  return pack(bind(whileP, [...state.leaves, ...test.captured, ...step.captured], params));
}

function checkedCondition(value: TensorLike): Tensor {
  const t = asTensor(value);
  if (t.rank !== 0)
    throw new ShapeError(
      `whileLoop: the condition has shape [${t.shape.join(", ")}]; it must be a scalar: use any() or all()`,
    );
  return t;
}

/** Reads a condition through the batches that it stands for; true while one example goes on. */
export function anyExample(condition: Tensor): boolean {
  return condition.storage.kind === "batched" ? anyExample(any(condition.storage.inner)) : condition.item() !== 0;
}

function eagerWhile(
  condition: (s: readonly Tensor[]) => Tensor,
  body: (s: readonly Tensor[]) => Tensor[],
  init: readonly Tensor[],
): Tensor[] {
  let state = [...init];
  const goOn = (s: readonly Tensor[]) => goesOnFor(condition(s));
  for (let go = goOn(state); anyExample(go); go = goOn(state)) {
    const next = body(state);
    state = go.storage.kind === "batched" ? next.map((x, i) => where(go, x, state[i])) : next;
  }
  return state;
}

/** Parameters of the loop in a graph. */
export interface WhileParams {
  /** Inputs: state, its captured values. Output: whether to go on. */
  readonly condition: Graph;
  /** Inputs: state, its captured values. Outputs: state. */
  readonly body: Graph;
  readonly carryCount: number;
  /** How many of the inputs after the state belong to the condition; the rest belong to the body. */
  readonly conditionCaptures: number;
}

/** The loop as an operation: inputs are the first state, the condition's captured values, the body's. */
export const whileP: Primitive<WhileParams> = definePrimitive<WhileParams>({
  name: "whileLoop",
  opaque: true,
  outputs: (inputs, { carryCount }) => inputs.slice(0, carryCount).map(({ shape, dtype }) => ({ shape, dtype })),
  host(inputs, { condition, body, carryCount, conditionCaptures }) {
    const forCondition = inputs.slice(carryCount, carryCount + conditionCaptures);
    const forBody = inputs.slice(carryCount + conditionCaptures);
    return eagerWhile(
      (s) => condition.apply([...s, ...forCondition])[0],
      (s) => body.apply([...s, ...forBody]),
      inputs.slice(0, carryCount),
    );
  },
  vjp() {
    throw new UnsupportedError(
      "whileLoop: a traced while loop has no reverse gradient, since its number of steps is not known; use scan with a fixed number of steps",
    );
  },
  batch(inputs, batched, { condition, body, carryCount, conditionCaptures }, size) {
    const init = inputs.slice(0, carryCount).map((x, i) => (batched[i] ? x : broadcastTo(x, [size, ...x.shape])));
    const captured = inputs.slice(carryCount);
    const axes = (from: number, count: number) =>
      captured.slice(from, from + count).map((_, i) => (batched[carryCount + from + i] ? 0 : null));
    const bodyCaptures = captured.length - conditionCaptures;
    const carryAxes = new Array<number>(carryCount).fill(0);
    const goOn = vmap((...v: Tensor[]) => condition.apply(v)[0], {
      inAxes: [...carryAxes, ...axes(0, conditionCaptures)],
    });
    const step = vmap((...v: Tensor[]) => body.apply(v), {
      inAxes: [...carryAxes, ...axes(conditionCaptures, bodyCaptures)],
    });
    const forCondition = captured.slice(0, conditionCaptures);
    const forBody = captured.slice(conditionCaptures);
    return whileLoop(
      (s: Tensor[]) => any(goOn(...s, ...forCondition)),
      (s: Tensor[]) => {
        const go = goOn(...s, ...forCondition);
        return step(...s, ...forBody).map((x, i) =>
          where(reshape(go, [size, ...new Array<number>(x.rank - 1).fill(1)]), x, s[i]),
        );
      },
      init,
    );
  },
});
