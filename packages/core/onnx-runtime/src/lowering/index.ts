import { type Equation, type Graph, type PrimitiveName, UnsupportedError, zeros } from "@offprint/tensor-core";
import { GraphBuilder, type Value } from "../model/graph-builder.js";
import { LoweringContext, type Target } from "./context.js";
import { contractionLowerings } from "./contraction.js";
import { controlLowerings } from "./control.js";
import { convolutionLowerings } from "./convolution.js";
import { countedFromEnd } from "./counted-indices.js";
import { elementwiseLowerings } from "./elementwise.js";
import { hostOnlyPrimitives } from "./host-only.js";
import { indexingLowerings } from "./indexing.js";
import { linearAlgebraLowerings } from "./linear-algebra.js";
import type { HostOnly, Lowering, Lowerings } from "./lowering.js";
import { movementLowerings } from "./movement.js";
import { leftOut } from "./no-ops.js";
import { reductionLowerings } from "./reduction.js";
import { specialLowerings } from "./special.js";
import { spectralLowerings } from "./spectral.js";

/** Every primitive has a lowering or a reason for having none: a missing one does not compile. */
export const lowerings: { readonly [N in PrimitiveName]: Lowerings<N>[N] | HostOnly } = {
  ...elementwiseLowerings,
  ...specialLowerings,
  ...contractionLowerings,
  ...movementLowerings,
  ...reductionLowerings,
  ...convolutionLowerings,
  ...indexingLowerings,
  ...spectralLowerings,
  ...linearAlgebraLowerings,
  ...controlLowerings,
  ...hostOnlyPrimitives,
};

/** Products of nothing are sums over nothing; ONNX Runtime's kernels never end for some of them. */
const LINEAR = ["matmul", "conv", "convInputGrad", "convKernelGrad"];

function isEmpty(equation: Equation): boolean {
  const empty = ({ shape }: { readonly shape: readonly number[] }) => shape.includes(0);
  if (equation.outputs.every(empty)) return true;
  return LINEAR.includes(equation.primitive.name) && equation.inputs.some(empty);
}

function lowerEquation(context: LoweringContext, equation: Equation): void {
  const { name } = equation.primitive;
  const lowering: Lowering | HostOnly | undefined = lowerings[name as PrimitiveName];
  if (lowering === undefined) {
    throw new UnsupportedError(`${name}: this primitive has no ONNX lowering; run the function without a backend`);
  }
  if (typeof lowering !== "function") throw context.unsupported(name, equation.inputs[0].dtype, lowering.hostOnly);
  if (isEmpty(equation)) {
    for (const v of equation.outputs) context.defineConstant(v, zeros(v.shape, v.dtype));
    return;
  }
  if (!leftOut(context, equation) && !countedFromEnd(context, equation)) lowering(context, equation as Equation<never>);
}

/** A graph and its inputs and outputs by name, in the order of the traced function's. */
export function lowerGraph(graph: Graph, target: Target): GraphBuilder {
  const onnx = new GraphBuilder();
  const context = new LoweringContext(onnx, target, lowerEquation);
  graph.inputs.forEach((v, i) => {
    context.define(v, onnx.input(v.dtype, v.shape, `input${i}`));
  });
  nameOutputs(onnx, context.lower(graph));
  return onnx;
}

/** Calls the results `output0, output1, ...`; an input, a constant or a repeated result goes through Identity. */
function nameOutputs(onnx: GraphBuilder, results: readonly Value[]): void {
  const made = new Set(onnx.nodes.flatMap((node) => node.outputs));
  const names = new Map<string, string>();
  results.forEach((value, i) => {
    const name = `output${i}`;
    if (made.has(value.name) && !names.has(value.name)) names.set(value.name, name);
    else onnx.nodes.push({ operator: "Identity", domain: "", inputs: [value.name], outputs: [name], attributes: {} });
    onnx.outputs.push({ ...value, name });
  });
  onnx.rename(names);
}
