import { type Spec, type Tensor, trace } from "@offprint/tensor-core";
import type { Value } from "../model/graph-builder.js";
import type { LoweringContext } from "./context.js";
import type { Lowering } from "./lowering.js";

/** A primitive written in other primitives, as a function of tensors. */
export type Composition<P = never> = (inputs: Tensor[], params: P) => readonly Tensor[];

/** The values of a composition of given operands; the composition is traced and its operations lowered in turn. */
function lowerComposition<P>(c: LoweringContext, f: Composition<P>, operands: readonly Value[], params: P): Value[] {
  const specs = operands.map(({ shape, type }) => ({ shape, dtype: type }) as Spec);
  const graph = trace((...inputs: Tensor[]) => f(inputs, params), ...specs);
  graph.inputs.forEach((v, i) => {
    c.define(v, operands[i]);
  });
  return c.lower(graph);
}

/** The lowering of a primitive that is composed of others. */
export function composed<P>(f: Composition<P>): Lowering<P> {
  return (c, equation) => {
    const results = lowerComposition(c, f, c.values(equation), equation.params);
    equation.outputs.forEach((y, i) => {
      c.define(y, results[i]);
    });
  };
}

/** `composed` for elementwise primitives, whose operands may stay as small as they are before broadcasting. */
export function composedElementwise(f: (...inputs: Tensor[]) => Tensor): Lowering<unknown> {
  return (c, equation) => {
    const operands = equation.inputs.map((v) => c.unexpanded(v));
    const [result] = lowerComposition(c, (inputs) => [f(...inputs)], operands, equation.params);
    c.define(equation.outputs[0], result);
  };
}
