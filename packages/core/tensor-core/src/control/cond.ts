import { requireFunction } from "../arguments.js";
import { traceFlat } from "../compile/trace.js";
import { asTensor, zeros, zerosLike } from "../construct.js";
import { isFloat } from "../dtype.js";
import { DTypeError, ShapeError } from "../errors.js";
import { Variable } from "../graph/builder.js";
import { Graph } from "../graph/graph.js";
import { isTracing, recordingAbove } from "../levels.js";
import { cast, logicalNot, where } from "../ops/elementwise.js";
import { take } from "../ops/indexing.js";
import { broadcastTo, reshape } from "../ops/movement.js";
import { any, argMax } from "../ops/reduction.js";
import { bind, definePrimitive, levelOf, type Primitive } from "../primitive.js";
import { formatShape, sameShape } from "../shape.js";
import { backward, dependenciesOutside, dependsOn, detached, recorded, type TapeSpan, tapeTime } from "../tape.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { stopGradient } from "../transforms/stop-gradient.js";
import { lineariseFloats } from "../transforms/vjp.js";
import { vmap } from "../transforms/vmap.js";
import * as tree from "../tree.js";
import { type FlatTree, flattenTensors } from "./loop-body.js";
import { forTaken } from "./taken-lanes.js";
import { anyExample } from "./while-loop.js";

/**
 * `onTrue(...operands)` or `onFalse(...operands)`, whichever the scalar `condition` says; both return trees of the same
 * structure, shapes and dtypes. Only the branch taken is computed, eagerly and in a traced graph; where `vmap` gives
 * each example its own condition, those that some example takes are computed and selected from. A loop in a branch ends
 * when it has for the examples that take it.
 * @throws ShapeError or DTypeError where the branches' results differ.
 */
export function cond<A extends unknown[], R>(
  condition: TensorLike,
  onTrue: (...operands: A) => R,
  onFalse: (...operands: A) => R,
  ...operands: A
): R {
  requireFunction("cond", "onTrue", onTrue);
  requireFunction("cond", "onFalse", onFalse);
  const test = cast(asTensor(condition), "bool");
  if (test.rank !== 0)
    throw new ShapeError(
      `cond: the condition has shape ${formatShape(test.shape)}; it must be a scalar: use any(), all() or where()`,
    );
  if (test.storage.kind === "host") return test.item() !== 0 ? onTrue(...operands) : onFalse(...operands);
  const level = levelOf(test);
  if (test.storage.kind === "batched" && !isTracing() && (recordingAbove(0) === 0 || recordingAbove(level) !== 0)) {
    const otherwise = logicalNot(test);
    if (!anyExample(otherwise)) return onTrue(...operands);
    if (!anyExample(test)) return onFalse(...operands);
    return selectTree(
      test,
      gated(test, () => onTrue(...operands)),
      gated(otherwise, () => onFalse(...operands)),
    );
  }
  const flat = flattenTensors(operands);
  const structures: tree.TreeStructure[] = [];
  const traceBranch = (branch: (...operands: A) => R) =>
    traceFlat(
      (v) => {
        const result = flattenTensors(branch(...tree.unflatten<A>(flat.structure, v)));
        structures.push(result.structure);
        return result.leaves;
      },
      flat.leaves,
      { isBranch: true },
    );
  const yes = traceBranch(onTrue);
  const no = traceBranch(onFalse);
  checkBranches(
    { leaves: yes.graph.outputs, structure: structures[0] },
    { leaves: no.graph.outputs, structure: structures[1] },
  );
  const n = flat.leaves.length;
  const params: CondParams = {
    onTrue: widen(yes.graph, n, [], unusedInputs(no.captured)),
    onFalse: widen(no.graph, n, unusedInputs(yes.captured), []),
  };
  return tree.unflatten<R>(structures[0], bind(condP, [test, ...flat.leaves, ...yes.captured, ...no.captured], params));
}

/** A branch's graph with further inputs, unused, before or after its captured values. */
function widen(graph: Graph, operandCount: number, before: readonly Variable[], after: readonly Variable[]): Graph {
  const inputs = [...graph.inputs.slice(0, operandCount), ...before, ...graph.inputs.slice(operandCount), ...after];
  return new Graph(inputs, graph.constants, graph.equations, graph.outputs);
}

function unusedInputs(captured: readonly Tensor[]): Variable[] {
  return captured.map((x, i) => new Variable(-1 - i, x.shape, x.dtype));
}

interface Branch {
  readonly leaves: readonly { readonly shape: readonly number[]; readonly dtype: string }[];
  readonly structure: tree.TreeStructure;
}

function checkBranches(yes: Branch, no: Branch): void {
  if (!tree.sameStructure(yes.structure, no.structure)) {
    throw new ShapeError(
      `cond: the branches return different structures ${tree.formatStructure(yes.structure)} and ${tree.formatStructure(no.structure)}`,
    );
  }
  yes.leaves.forEach((a, i) => {
    const b = no.leaves[i];
    if (!sameShape(a.shape, b.shape))
      throw new ShapeError(`cond: the branches return shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}`);
    if (a.dtype !== b.dtype)
      throw new DTypeError(`cond: the branches return dtypes ${a.dtype} and ${b.dtype}; cast one of them`);
  });
}

/**
 * The branch, through which gradients pass only for the examples that take it: where one does not, its slope may be
 * infinite.
 */
function gated(taken: Tensor, branch: () => unknown): FlatTree {
  const start = tapeTime();
  const { leaves, structure } = flattenTensors(forTaken(taken, branch));
  return { leaves: gate(taken, leaves, [[start, tapeTime()]]), structure };
}

/** `outputs`, recorded in the stretches `inside`, with a gate in front of and behind what is there. */
function gate(taken: Tensor, outputs: Tensor[], inside: readonly TapeSpan[]): Tensor[] {
  const inputs = dependenciesOutside(inside, outputs);
  const levels = dependsOn(inputs, levelOf(taken));
  if (levels === 0) return outputs;
  const pass = (g: Tensor) => (isFloat(g.dtype) ? where(taken, g, 0) : g);
  return recorded(levels, inputs, outputs.map(detached), (cotangents, _, level) => {
    let gradients: Tensor[] | undefined;
    const compute = () => {
      const start = tapeTime();
      const slopes = backward(outputs, cotangents.map(pass), inputs, level);
      const passed = slopes.map((g, i) => (g === null ? zerosLike(inputs[i]) : pass(g)));
      return gate(taken, passed, [...inside, [start, tapeTime()]]);
    };
    return inputs.map((_, i) => () => {
      gradients ??= compute();
      return gradients[i];
    });
  });
}

/** Whether a loop without a fixed number of steps is in a graph, or in one of its parts. */
function hasLoop({ equations }: Graph): boolean {
  return equations.some(({ primitive, params }) => {
    if (primitive.name === "whileLoop") return true;
    return Object.values((params ?? {}) as object).some((part) => part instanceof Graph && hasLoop(part));
  });
}

function selectTree<R>(test: Tensor, yes: FlatTree, no: FlatTree): R {
  checkBranches(yes, no);
  return tree.unflatten<R>(
    yes.structure,
    yes.leaves.map((x, i) => where(test, x, no.leaves[i])),
  );
}

/** Parameters of the branch in a graph; both graphs take the same inputs. */
export interface CondParams {
  readonly onTrue: Graph;
  readonly onFalse: Graph;
}

/** The branch as an operation: inputs are the condition, then the inputs of both graphs. */
export const condP: Primitive<CondParams> = definePrimitive<CondParams>({
  name: "cond",
  opaque: true,
  outputs: (_, { onTrue }) => onTrue.outputs.map(({ shape, dtype }) => ({ shape, dtype })),
  host: ([test, ...inputs], { onTrue, onFalse }) => (test.item() !== 0 ? onTrue : onFalse).apply(inputs),
  vjp(cotangents, { inputs: [test, ...inputs], params: { onTrue, onFalse } }) {
    let gradients: (Tensor | null)[] | undefined;
    const pull = (graph: Graph) => () => lineariseFloats((given) => graph.apply(given), inputs).pullback(cotangents);
    const compute = () => {
      gradients ??= cond(test, pull(onTrue), pull(onFalse));
      return gradients;
    };
    return [null, ...inputs.map((x, i) => (isFloat(x.dtype) ? () => compute()[i] ?? zerosLike(x) : null))];
  },
  batch([test, ...inputs], [testBatched, ...batched], { onTrue, onFalse }, size) {
    const axes = batched.map((b) => (b ? 0 : null));
    const whole = (graph: Graph, values: readonly Tensor[]) => {
      if (!axes.includes(0)) return graph.apply(values).map((y) => broadcastTo(y, [size, ...y.shape]));
      return vmap((...v: Tensor[]) => graph.apply(v), { inAxes: axes })(...values);
    };
    if (!testBatched) {
      return cond(
        test,
        () => whole(onTrue, inputs),
        () => whole(onFalse, inputs),
      );
    }
    const alike = (mask: Tensor, x: Tensor) => reshape(mask, [size, ...new Array<number>(x.rank - 1).fill(1)]);
    // A branch may have an infinite slope for an example that does not take it: there it is given the
    // values of one that does. Where none does, nothing of it may reach the gradient of what all examples share.
    const taken = (mask: Tensor) => {
      const [first, some] = [argMax(mask, { axis: 0 }), any(mask)];
      return inputs.map((x, i) => {
        if (batched[i]) return where(alike(mask, x), x, stopGradient(take(x, first, { axis: 0 })));
        return isFloat(x.dtype) ? where(some, x, stopGradient(x)) : x;
      });
    };
    const branchOf = (graph: Graph, mask: Tensor) => {
      const compute = () => whole(graph, taken(mask));
      // What nobody takes would be given the values of the first example, with which a loop may never end.
      if (!hasLoop(graph)) return compute();
      return cond(any(mask), compute, () => graph.outputs.map(({ shape, dtype }) => zeros([size, ...shape], dtype)));
    };
    const yes = branchOf(onTrue, test);
    const no = branchOf(onFalse, logicalNot(test));
    return yes.map((x, i) => where(alike(test, x), x, no[i]));
  },
});
