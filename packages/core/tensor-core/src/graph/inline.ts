import { traceFlat } from "../compile/trace.js";
import { bind } from "../primitive.js";
import type { Tensor } from "../tensor.js";
import { type CustomCallParams, customCallP } from "../transforms/custom-call.js";
import { stopGradientP } from "../transforms/stop-gradient.js";
import type { Equation } from "./builder.js";
import { Graph } from "./graph.js";

/**
 * The graph without the operations that matter to gradients only: calls with their own gradient become the operations
 * they stand for, a stopped gradient its operand, in the bodies of loops and branches too. What a backend is given.
 */
export function inlineCalls(graph: Graph): Graph {
  if (!holdsCalls(graph)) return graph;
  const inlined = traceFlat((inputs) => graph.carryOut(inputs, inlineEquation), graph.inputs).graph;
  const { inputs, constants, equations, outputs } = inlined;
  return new Graph(inputs, constants, equations, outputs, graph.inputStructure, graph.outputStructure);
}

function inlineEquation({ primitive, params }: Equation, inputs: readonly Tensor[]): Tensor[] {
  if (primitive === stopGradientP) return [inputs[0]];
  if (primitive === customCallP) {
    const { forward } = params as CustomCallParams;
    return forward.carryOut(inputs.slice(0, forward.inputs.length), inlineEquation);
  }
  return bind(primitive, inputs, primitive.opaque ? inlineBodies(params as object) : params);
}

/** Parameters with every graph among them inlined. */
function inlineBodies(params: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(params).map(([key, value]) => [key, value instanceof Graph ? inlineCalls(value) : value]),
  );
}

function holdsCalls(graph: Graph): boolean {
  return graph.equations.some(
    ({ primitive, params }) =>
      primitive === stopGradientP ||
      primitive === customCallP ||
      (primitive.opaque === true &&
        Object.values(params as object).some((value) => value instanceof Graph && holdsCalls(value))),
  );
}
