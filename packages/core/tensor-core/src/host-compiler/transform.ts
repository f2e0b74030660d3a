import { byteSize } from "../dtype.js";
import { wasmPlan } from "../fft/axis.js";
import { type FftParams, type InverseRealFftParams, layoutOf, type RealFftParams } from "../fft/primitive.js";
import type { Equation } from "../graph/builder.js";
import { type FftKernels, type FftKind, fftKernelsIn } from "../kernels/fft.js";
import { hostFunction, importHost } from "./call-out.js";
import type { Compilation } from "./compilation.js";
import { rowMajor } from "./rows.js";
import type { SharedMemory } from "./shared-memory.js";
import { Value } from "./values.js";

/** The transforms that work in a shared memory; undefined where there are none. */
const kernelsOf = new WeakMap<SharedMemory, FftKernels | undefined>();

function kernelsIn(memory: SharedMemory): FftKernels | undefined {
  if (!kernelsOf.has(memory)) {
    const room = { memory: memory.memory, allocate: (bytes: number) => memory.allocate(bytes)?.address };
    kernelsOf.set(memory, fftKernelsIn(room));
  }
  return kernelsOf.get(memory);
}

/** The transform of complex numbers; of real ones where the imaginary part is known to be 0. */
export function fft(c: Compilation, equation: Equation): boolean {
  const { axis, inverse } = equation.params as FftParams;
  const [re, im] = equation.inputs;
  const n = re.shape[axis];
  const real = !inverse && c.isUniform(im) && c.find(im).uniform?.constant === 0;
  if (real) return writeTransform(c, equation, axis, n, "realOf", [0], [0, 1], n);
  // The inverse is the forward transform with the parts exchanged before and after.
  const order = inverse ? [1, 0] : [0, 1];
  return writeTransform(c, equation, axis, n, "complex", order, order, inverse ? 1 / n : 1);
}

/** The transform of real numbers to half of its terms. */
export function rfft(c: Compilation, equation: Equation): boolean {
  const { axis } = equation.params as RealFftParams;
  const n = equation.inputs[0].shape[axis];
  return writeTransform(c, equation, axis, n, "realOf", [0], [0, 1], equation.outputs[0].shape[axis]);
}

/** And back. */
export function irfft(c: Compilation, equation: Equation): boolean {
  const { axis, n } = equation.params as InverseRealFftParams;
  return writeTransform(c, equation, axis, n, "realFrom", [0, 1], [0], 0);
}

/**
 * One call of the kernel, in this memory; of the host's where it does not run.
 * @param given the operands that the kernel takes, in its order
 * @param written the results likewise
 */
function writeTransform(
  c: Compilation,
  equation: Equation,
  axis: number,
  n: number,
  kind: FftKind,
  given: readonly number[],
  written: readonly number[],
  last: number,
): boolean {
  const { inputs, outputs, primitive } = equation;
  const layout = { ...layoutOf(inputs[0].shape, axis), n };
  const plan = wasmPlan(kind, layout);
  if (plan === undefined) return false;
  const { dtype } = inputs[0];
  const { writer: w, memory } = c;
  const { views, free } = rowMajor(c, inputs);
  const results = outputs.map((v) => c.allocate(v));
  c.note(`${primitive.name} of ${layout.outer * layout.inner} sequences of ${n}`, results);
  const host = hostFunction(
    c,
    equation,
    views.map((view) => view.strides),
  );
  const call = (...signed: number[]) => {
    const addresses = signed.map((address) => address >>> 0);
    const ports = [...given.map((i) => addresses[i]), ...written.map((i) => addresses[inputs.length + i])];
    const kernels = kernelsIn(memory.memory as SharedMemory);
    if (!kernels?.run(kind, byteSize(dtype) === 8, ports, layout, plan, last)) host(...signed);
  };
  for (const view of [...views, ...results]) c.pushAddress(view, dtype);
  w.call(importHost(c, equation, call));
  free();
  outputs.forEach((v, i) => {
    c.define(v, new Value(v.shape, v.dtype, { view: results[i] }));
  });
  return true;
}
