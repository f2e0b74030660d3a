import { zeros } from "./construct.js";
import type { DType } from "./dtype.js";
import { UnsupportedError } from "./errors.js";
import type { GraphBuilder } from "./graph/builder.js";
import { recordingBelow } from "./levels.js";
import type { Shape } from "./shape.js";
import type { BatchedStorage, SymbolicStorage } from "./storage.js";
import { dependsOn, type Pullback, recorded } from "./tape.js";
import { Tensor } from "./tensor.js";

/** Shape and element type: all that is known of a value while tracing. */
export interface Spec {
  /** Extent along each axis. */
  readonly shape: Shape;
  /** Element type. */
  readonly dtype: DType;
}

/** What a vector-Jacobian rule may use. */
export interface VjpContext<P> {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly params: P;
}

/**
 * An operation that everything else is composed of, with all its rules side by side. Inputs are tensors whose
 * shapes the operation has already made to fit (no implicit broadcasting or dtype promotion in primitives).
 */
export interface Primitive<P = unknown> {
  /** Name in graphs and messages; unique. */
  readonly name: string;
  /** Shape and dtype of the outputs; throws a typed error for inputs that do not fit. */
  outputs(inputs: readonly Spec[], params: P): Spec[];
  /** Computes host tensors from host tensors. */
  host(inputs: readonly Tensor[], params: P, outputs: readonly Spec[]): Tensor[];
  /** Per input, the gradient given those of the outputs, written in operations so that it differentiates again. */
  vjp?(cotangents: readonly Tensor[], context: VjpContext<P>): Pullback;
  /**
   * The same operation on a batch: where `batched[i]`, axis 0 of input i is the batch of `size` examples.
   * Outputs have the batch at axis 0.
   */
  batch(inputs: readonly Tensor[], batched: readonly boolean[], params: P, size: number): Tensor[];
  /**
   * For elementwise primitives: the function of one element of each input, booleans as 0 and 1. Compilers call it where
   * they have no code of their own.
   */
  scalar?(params: P, dtype: DType): (...elements: number[]) => number;
  /**
   * The same in other operations: what a compiler without code of its own for this one is given instead. Undefined where
   * the kernel does better.
   */
  expand?(inputs: readonly Tensor[], params: P): Tensor[] | undefined;
  /** True for primitives whose parameters hold graphs; they are never merged with an equal one. */
  readonly opaque?: boolean;
}

/** Gives a primitive its type; the one way to define one. */
export function definePrimitive<P>(primitive: Primitive<P>): Primitive<P> {
  return primitive;
}

/** The level of the transformation that a tensor belongs to; 0 for plain values. */
export function levelOf(x: Tensor): number {
  const storage = x.storage;
  if (storage.kind === "batched") return storage.level;
  return storage.kind === "symbolic" ? storage.builder.level : 0;
}

/** The branch that is being traced, which takes in the operations on values that it closes over. */
let branch: GraphBuilder | undefined;

/** Runs `body` while operations on values of outer levels become part of the branch that `builder` traces. */
export function takingIn<R>(builder: GraphBuilder, body: () => R): R {
  const outer = branch;
  branch = builder;
  try {
    return body();
  } finally {
    branch = outer;
  }
}

/** Whether a value is known only while outer transformations run. */
function isOpen({ storage, record }: Tensor): boolean {
  return record !== null || storage.kind === "symbolic" || storage.kind === "batched";
}

/** Whether a value is in memory and no transformation looks at what becomes of it. */
export function isPlain(x: Tensor): boolean {
  return x.storage.kind === "host" && x.record === null;
}

/** Carries out a primitive at the level its inputs belong to, and records it for the gradients that need it. */
export function bind<P>(primitive: Primitive<P>, inputs: readonly Tensor[], params: P): Tensor[] {
  let top: Tensor | undefined;
  let level = 0;
  for (const input of inputs) {
    const l = levelOf(input);
    if (l > level) {
      level = l;
      top = input;
    }
  }
  const inBranch = branch !== undefined && level < branch.level && inputs.some(isOpen);
  if (inBranch) level = (branch as GraphBuilder).level;
  const outputs = inBranch
    ? (branch as GraphBuilder).add(primitive, inputs, params)
    : top === undefined
      ? bindHost(primitive, inputs, params)
      : top.storage.kind === "symbolic"
        ? (top.storage as SymbolicStorage).builder.add(primitive, inputs, params)
        : bindBatched(primitive, inputs, params, level);
  const levels = dependsOn(inputs, level);
  if (levels === 0) return outputs;
  if (primitive.vjp === undefined) return outputs;
  const vjp = primitive.vjp;
  return recorded(levels, inputs, outputs, (cotangents, record) =>
    vjp(cotangents, { inputs: record.inputs, outputs: record.outputs, params }),
  );
}

/** `bind` for primitives with one output. */
export function bindOne<P>(primitive: Primitive<P>, inputs: readonly Tensor[], params: P): Tensor {
  return bind(primitive, inputs, params)[0];
}

function bindHost<P>(primitive: Primitive<P>, inputs: readonly Tensor[], params: P): Tensor[] {
  for (const input of inputs) {
    if (input.storage.kind === "device") {
      throw new UnsupportedError(
        `${primitive.name}: a tensor is on ${input.storage.device}; pass it to a compiled function, or download it ` +
          'with "await x.host()" first',
      );
    }
  }
  return primitive.host(inputs, params, primitive.outputs(inputs, params));
}

function bindBatched<P>(primitive: Primitive<P>, inputs: readonly Tensor[], params: P, level: number): Tensor[] {
  // The rule sees the batch; errors about shapes should speak of one example.
  const specs = primitive.outputs(inputs, params);
  const batched = inputs.map((x) => x.storage.kind === "batched" && x.storage.level === level);
  const inner = inputs.map((x, i) => (batched[i] ? (x.storage as BatchedStorage).inner : x));
  const size = inner[batched.indexOf(true)].shape[0];
  // A batch without examples has shapes but no values, and rules divide by its size.
  if (size === 0) return specs.map(({ shape, dtype }) => asExample(zeros([0, ...shape], dtype), level));
  return recordingBelow(level, () => primitive.batch(inner, batched, params, size)).map((y) => asExample(y, level));
}

/** One example of the batch along axis 0 of `inner`, for `vmap` at `level`. */
export function asExample(inner: Tensor, level: number): Tensor {
  return new Tensor(inner.shape.slice(1), inner.dtype, { kind: "batched", inner, level });
}
