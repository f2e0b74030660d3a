import { traceFlat } from "../compile/trace.js";
import { zerosLike } from "../construct.js";
import { isFloat } from "../dtype.js";
import type { Graph } from "../graph/graph.js";
import { add } from "../ops/elementwise.js";
import { sum } from "../ops/reduction.js";
import { bind, definePrimitive, type Primitive, type Spec } from "../primitive.js";
import { isTensor, type Tensor } from "../tensor.js";
import * as tree from "../tree.js";
import type { FlatRule } from "./custom-vjp.js";
import { lineariseFloats } from "./vjp.js";
import { vmap } from "./vmap.js";

/** Which value a residual is: an argument of the call, or one of its outputs. */
interface ResidualSource {
  readonly from: "argument" | "output";
  readonly index: number;
}

/**
 * Parameters of a function with its own gradient inside a graph. Inputs of the operation: the arguments, what the
 * forward graph captured, what the backward graph captured. Outputs: the results, then residuals that are neither
 * arguments nor results.
 */
export interface CustomCallParams {
  /** From arguments and captured values to the outputs. */
  readonly forward: Graph;
  /** From residuals, cotangents of the results and captured values to gradients. */
  readonly backward: Graph;
  readonly argumentCount: number;
  readonly forwardCaptures: number;
  readonly resultCount: number;
  readonly residuals: readonly ResidualSource[];
  /** For each argument the output of `backward` that is its gradient; null for none. */
  readonly gradients: readonly (number | null)[];
}

/**
 * Keeps a custom gradient alive in the body of a traced loop or branch, whose gradient is taken when the body's own
 * trace is over. Graphs for backends hold the operations of the forward graph instead; see `inlineCalls`.
 */
export const customCallP: Primitive<CustomCallParams> = definePrimitive<CustomCallParams>({
  name: "customCall",
  opaque: true,
  outputs: (_, { forward }) => forward.outputs.map(({ shape, dtype }) => ({ shape, dtype })),
  host: (inputs, params) => params.forward.apply(forwardInputs(inputs, params)),
  vjp(cotangents, { inputs, outputs, params }) {
    const { argumentCount, resultCount, gradients } = params;
    let byRule: Tensor[] | undefined;
    let byResiduals: (Tensor | null)[] | undefined;
    // Residuals have cotangents only where the gradient itself is differentiated.
    const further = cotangents.slice(resultCount).some((g) => !isZeroConstant(g));
    return inputs.map((x, i) => {
      const position = i < argumentCount ? gradients[i] : null;
      if (!isFloat(x.dtype) || (position === null && !further)) return null;
      return () => {
        if (position !== null) byRule ??= ruleGradients(cotangents, inputs, outputs, params);
        if (further) byResiduals ??= residualGradients(cotangents, inputs, params);
        const parts = [position === null ? null : (byRule?.[position] ?? null), byResiduals?.[i] ?? null];
        const [first, second] = parts.filter((g) => g !== null);
        return first === undefined ? zerosLike(x) : second === undefined ? first : add(first, second);
      };
    });
  },
  batch: batchedCall,
});

function forwardInputs<T>(inputs: readonly T[], { argumentCount, forwardCaptures }: CustomCallParams): T[] {
  return inputs.slice(0, argumentCount + forwardCaptures);
}

function backwardCaptures<T>(inputs: readonly T[], { argumentCount, forwardCaptures }: CustomCallParams): T[] {
  return inputs.slice(argumentCount + forwardCaptures);
}

function residualsOf<T>(inputs: readonly T[], outputs: readonly T[], { residuals }: CustomCallParams): T[] {
  return residuals.map(({ from, index }) => (from === "argument" ? inputs[index] : outputs[index]));
}

/** The gradients that the rule gives for the cotangents of the results. */
function ruleGradients(
  cotangents: readonly Tensor[],
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  params: CustomCallParams,
): Tensor[] {
  const ofResults = cotangents.slice(0, params.resultCount);
  return params.backward.apply([
    ...residualsOf(inputs, outputs, params),
    ...ofResults,
    ...backwardCaptures(inputs, params),
  ]);
}

/** What the cotangents of the residuals add: these are differentiated through the operations that made them. */
function residualGradients(
  cotangents: readonly Tensor[],
  inputs: readonly Tensor[],
  params: CustomCallParams,
): (Tensor | null)[] {
  const given = forwardInputs(inputs, params);
  const residuals = (inputs: Tensor[]) => params.forward.apply(inputs).slice(params.resultCount);
  return lineariseFloats(residuals, given).pullback(cotangents.slice(params.resultCount));
}

/** Whether a tensor is a constant zero, as stands for the cotangent of an output that has no influence. */
function isZeroConstant(x: Tensor): boolean {
  const { storage } = x;
  if (x.record !== null || storage.kind !== "host") return false;
  return x.size === 0 || (storage.strides.every((step) => step === 0) && storage.data[storage.offset] === 0);
}

/** The call for a batch, again with its own gradient. */
function batchedCall(
  inputs: readonly Tensor[],
  batched: readonly boolean[],
  params: CustomCallParams,
  size: number,
): Tensor[] {
  const { argumentCount, resultCount, gradients } = params;
  const axes = batched.map((b) => (b ? 0 : null));
  const mapped = (graph: Graph, inAxes: (number | null)[], shared: readonly number[]) => {
    const call = (v: readonly Tensor[]): Tensor[] =>
      inAxes.includes(0)
        ? vmap((...x: Tensor[]) => graph.apply(x), { inAxes })(...v)
        : graph.apply(v).map((y) => y.broadcastTo([size, ...y.shape]));
    const specs = graph.inputs.map(({ shape, dtype }, i) => ({
      shape: inAxes[i] === 0 ? [size, ...shape] : shape,
      dtype,
    }));
    // The gradient of an argument that all examples share is the sum of theirs.
    return traceFlat((v) => call(v).map((y, i) => (shared.includes(i) ? sum(y, { axis: 0 }) : y)), specs).graph;
  };
  const sharedGradients = gradients.flatMap((position, i) => (position !== null && !batched[i] ? [position] : []));
  const outputAxes = params.forward.outputs.map(() => 0);
  return bind(customCallP, inputs, {
    ...params,
    forward: mapped(params.forward, forwardInputs(axes, params), []),
    backward: mapped(
      params.backward,
      [
        ...residualsOf(axes, outputAxes, params),
        ...new Array<number>(resultCount).fill(0),
        ...backwardCaptures(axes, params),
      ],
      sharedGradients,
    ),
    argumentCount,
  });
}

/** Traces both parts of a rule for arguments like `inputs` and binds the call; gives its results. */
export function tracedCall(rule: FlatRule, inputs: readonly Tensor[]): Tensor[] {
  let results: Spec[] = [];
  let residuals: unknown;
  const sources: ResidualSource[] = [];
  const forward = traceFlat((variables) => {
    const { outputs, residuals: kept } = rule.forward(variables);
    const own: Tensor[] = [];
    results = outputs.map(({ shape, dtype }) => ({ shape, dtype }));
    residuals = kept;
    for (const leaf of tree.leaves<unknown>(kept)) {
      if (!isTensor(leaf)) continue;
      const [argument, output] = [variables.indexOf(leaf), outputs.indexOf(leaf)];
      if (argument >= 0) sources.push({ from: "argument", index: argument });
      else sources.push({ from: "output", index: output >= 0 ? output : outputs.length + own.push(leaf) - 1 });
    }
    return [...outputs, ...own];
  }, inputs);
  const gradients: (number | null)[] = [];
  const residualSpecs = sources.map(({ from, index }) =>
    from === "argument" ? inputs[index] : forward.graph.outputs[index],
  );
  const backward = traceFlat(
    (variables) => {
      let next = 0;
      const kept = tree.map((leaf) => (isTensor(leaf) ? variables[next++] : leaf), residuals);
      const present: Tensor[] = [];
      for (const g of rule.backward(kept, variables.slice(next))) {
        gradients.push(g === null || g === undefined ? null : present.push(g) - 1);
      }
      return present;
    },
    [...residualSpecs, ...results],
  );
  return bind(customCallP, [...inputs, ...forward.captured, ...backward.captured], {
    forward: forward.graph,
    backward: backward.graph,
    argumentCount: inputs.length,
    forwardCaptures: forward.captured.length,
    resultCount: results.length,
    residuals: sources,
    gradients,
  }).slice(0, results.length);
}
