import { type Graph, type Variable, zeros } from "@offprint/tensor-core";
import type { Value } from "../model/graph-builder.js";
import type { LoweringContext } from "./context.js";
import { toType } from "./elementwise.js";
import { lowerings } from "./lowering.js";
import { slice } from "./movement.js";

/** Names of Loop and If outputs must be made in their graph, so values from outside pass through Identity. */
function outputs(c: LoweringContext, values: readonly Value[]): void {
  for (const v of values) c.graph.outputs.push(c.emit("Identity", [v], { shape: v.shape, type: v.type }));
}

/** Loop's body starts with the step number and the condition to go on. */
function loopBody(c: LoweringContext): { body: LoweringContext; step: Value; goOn: Value } {
  const body = c.nested();
  return { body, step: body.graph.input("int64", []), goOn: body.graph.input("bool", []) };
}

function bindAll(
  from: LoweringContext,
  to: LoweringContext,
  graph: Graph,
  offset: number,
  sources: readonly Variable[],
): void {
  sources.forEach((source, i) => {
    to.define(graph.inputs[offset + i], from.value(source));
  });
}

export const controlLowerings = lowerings({
  scan: (c, { inputs, outputs: results, params }) => {
    const { body: graph, carryCount, inputCount, length, reverse, carries } = params;
    const first = inputs.slice(0, carryCount).map((v) => c.value(v));
    if (length === 0) {
      results.slice(0, carryCount).forEach((v, i) => {
        c.define(v, first[i]);
      });
      results.slice(carryCount).forEach((v) => {
        c.defineConstant(v, zeros(v.shape, v.dtype));
      });
      return;
    }
    const { body, step, goOn } = loopBody(c);
    const state = first.map((v) => body.graph.input(v.type, v.shape));
    state.forEach((v, i) => {
      body.define(graph.inputs[i], v);
    });
    const position = reverse
      ? body.emit("Sub", [body.graph.integer(length - 1), step], { shape: [], type: "int64" })
      : step;
    inputs.slice(carryCount, carryCount + inputCount).forEach((source, i) => {
      const row = body.emit(
        "Gather",
        [c.value(source), position],
        { shape: source.shape.slice(1), type: source.dtype },
        { axis: 0 },
      );
      body.define(graph.inputs[carryCount + i], row);
    });
    bindAll(c, body, graph, carryCount + inputCount, inputs.slice(carryCount + inputCount));
    const next = body.lower(graph);
    outputs(body, [goOn, ...next, ...(carries ? state : [])]);
    const loop = c.graph.nodeWithOutputs(
      "Loop",
      [c.graph.integer(length), null, ...first],
      results.map(({ shape, dtype }) => ({ shape, type: dtype })),
      { body: body.graph },
    );
    results.forEach((v, i) => {
      const stacked = loop[i];
      const turn = reverse && i >= carryCount && length > 1;
      const steps = v.shape.map((_, axis) => (axis === 0 ? -1 : 1));
      c.define(
        v,
        turn
          ? slice(
              c,
              stacked,
              v.shape.map((_, axis) => (axis === 0 ? length - 1 : 0)),
              v.shape,
              steps,
            )
          : stacked,
      );
    });
  },

  whileLoop: (c, { inputs, outputs: results, params }) => {
    const { condition, body: graph, carryCount, conditionCaptures } = params;
    const first = inputs.slice(0, carryCount).map((v) => c.value(v));
    const forCondition = inputs.slice(carryCount, carryCount + conditionCaptures);
    const test = (context: LoweringContext, state: readonly Value[]): Value => {
      state.forEach((v, i) => {
        context.define(condition.inputs[i], v);
      });
      bindAll(c, context, condition, carryCount, forCondition);
      return context.lower(condition)[0];
    };
    const start = test(c, first);
    const { body } = loopBody(c);
    const state = first.map((v) => body.graph.input(v.type, v.shape));
    state.forEach((v, i) => {
      body.define(graph.inputs[i], v);
    });
    bindAll(c, body, graph, carryCount, inputs.slice(carryCount + conditionCaptures));
    const next = body.lower(graph);
    outputs(body, [test(body, next), ...next]);
    const loop = c.graph.nodeWithOutputs(
      "Loop",
      [null, toType(c, start, "bool"), ...first],
      results.map(({ shape, dtype }) => ({ shape, type: dtype })),
      { body: body.graph },
    );
    results.forEach((v, i) => {
      c.define(v, loop[i]);
    });
  },

  cond: (c, { inputs: [condition, ...operands], outputs: results, params }) => {
    const branch = (graph: Graph) => {
      const context = c.nested();
      bindAll(c, context, graph, 0, operands);
      outputs(context, context.lower(graph));
      return context.graph;
    };
    const taken = c.graph.nodeWithOutputs(
      "If",
      [c.value(condition)],
      results.map(({ shape, dtype }) => ({ shape, type: dtype })),
      { then_branch: branch(params.onTrue), else_branch: branch(params.onFalse) },
    );
    results.forEach((v, i) => {
      c.define(v, taken[i]);
    });
  },
});
