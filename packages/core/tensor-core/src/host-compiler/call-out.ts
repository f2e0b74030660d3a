import { byteSize, type TypedArray } from "../dtype.js";
import type { Equation } from "../graph/builder.js";
import { type Shape, sizeOf } from "../shape.js";
import { contiguousData, Tensor } from "../tensor.js";
import type { Compilation } from "./compilation.js";
import type { Callee } from "./function-writer.js";
import type { SharedMemory } from "./shared-memory.js";
import { Value, type View } from "./values.js";

/** Set when the module gets its memory. */
export interface MemoryReference {
  memory: SharedMemory | undefined;
}

/** Has the host's kernel compute an operation, on windows of the arena. */
export function writeCall(c: Compilation, equation: Equation): void {
  const { inputs, outputs } = equation;
  const views = inputs.map((v) => c.view(c.find(v)));
  const results = outputs.map((v) => c.allocate(v));
  c.note(`call of the host: ${equation.primitive.name}`, results);
  callHost(c, equation, views, results);
  outputs.forEach((v, i) => {
    c.define(v, new Value(v.shape, v.dtype, { view: results[i] }));
  });
}

/** Calls the host's kernel for an operation whose operands and results lie in memory. */
export function callHost(
  c: Compilation,
  equation: Equation,
  operands: readonly View[],
  results: readonly View[],
): void {
  const { inputs, outputs } = equation;
  operands.forEach((view, i) => {
    c.pushAddress(view, inputs[i].dtype);
  });
  results.forEach((view, i) => {
    c.pushAddress(view, outputs[i].dtype);
  });
  const strides = operands.map((view) => view.strides);
  c.writer.call(importHost(c, equation, hostFunction(c, equation, strides)));
}

/** Imports a function of the addresses of operands and results. */
export function importHost(
  c: Compilation,
  { inputs, outputs }: Equation,
  call: (...addresses: number[]) => void,
): Callee {
  c.mayFail = true;
  return c.module.import(call, new Array<"i32">(inputs.length + outputs.length).fill("i32"), []);
}

/** The host's kernel as a function of the addresses of operands and results. */
export function hostFunction(
  c: Compilation,
  equation: Equation,
  strides: readonly (readonly number[])[],
): (...addresses: number[]) => void {
  const { primitive, params, inputs, outputs } = equation;
  const reference = c.memory;
  const specs = outputs.map(({ shape, dtype }) => ({ shape, dtype }));
  const sizes = outputs.map(({ shape }) => sizeOf(shape));
  return (...signed: number[]) => {
    const given = signed.map((address) => address >>> 0);
    const { views } = reference.memory as SharedMemory;
    // New tensors at every call: kernels may remember what they found out about one.
    const operands = inputs.map(({ shape, dtype }, i) =>
      window(views[dtype], given[i] / byteSize(dtype), shape, strides[i], dtype),
    );
    const results = primitive.host(operands, params, specs);
    outputs.forEach(({ dtype }, i) => {
      if (sizes[i] === 0) return;
      (views[dtype] as Float64Array).set(
        contiguousData(results[i]) as Float64Array,
        given[inputs.length + i] / byteSize(dtype),
      );
    });
  };
}

function window(
  data: TypedArray,
  offset: number,
  shape: Shape,
  strides: readonly number[],
  dtype: Tensor["dtype"],
): Tensor {
  return new Tensor(shape, dtype, { kind: "host", data, strides, offset });
}
