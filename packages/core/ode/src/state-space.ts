import { asVariables, type Raveling, raveling } from "@offprint/solvers";
import {
  cast,
  isTensor,
  reshape,
  ShapeError,
  stack,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  ValueError,
  zeros,
} from "@offprint/tensor-core";
import { plainFunction } from "./callback.js";
import { columnsTogether, plainSlopes, separately, timeDifference } from "./differences.js";
import { checkedFactors } from "./sde/noise-form.js";
import { makeSystem, type NormScope, type Rate, type System, sampleNorms, treeSystem } from "./system.js";

/** How a user's states are vectors, and back. */
export interface StateSpace {
  /** The first state as a vector, `[n]`. */
  readonly initial: Tensor;
  /** Its size and type. */
  readonly state: Raveling<unknown>;
  /** The system for parameters; of plain numbers with the columns that differences find together. */
  readonly system: (parameters: unknown, together?: Tensor) => System;
  /** Which columns of the Jacobian one difference finds together: near the first state, at a time. */
  readonly together: (parameters: unknown, t: number) => Tensor;
  /** A function of time and state, such as an event's, of vectors: `[]`. */
  readonly scalar: (f: (...args: never[]) => unknown, what: string) => (t: Tensor, y: Tensor, p: unknown) => Tensor;
  /** The factors of shared noise as a function of time and state, of vectors. */
  readonly factors: (
    diffusion: (...args: never[]) => unknown,
    extents: readonly number[],
    owner: string,
  ) => (t: Tensor, y: Tensor, p: unknown) => Tensor;
  /** Extents of the state, where it is one tensor. */
  readonly extents: readonly number[] | undefined;
  /** A vector as a state of the user's kind. */
  readonly one: (y: Tensor) => unknown;
  /** Vectors, one after the other, as the user's kind of many states. */
  readonly many: (rows: Float64Array | Float32Array, count: number) => unknown;
  /** The structure and shapes, to know the same kind again. */
  readonly key: string;
}

/** What a user may say about a right-hand side. */
export interface SpaceOptions {
  readonly norm: NormScope;
  readonly jacobian?: (...args: never[]) => unknown;
}

function isPlain(y0: unknown): y0 is number | ArrayLike<number> {
  if (typeof y0 === "number") return true;
  if (y0 instanceof DataView || y0 instanceof BigInt64Array || y0 instanceof BigUint64Array) return false;
  return ArrayBuffer.isView(y0) || (Array.isArray(y0) && y0.length > 0 && y0.every((v) => typeof v === "number"));
}

/** @internal The space of states like `y0`: plain numbers, or trees of tensors. @throws ValueError, ShapeError */
export function stateSpace(
  owner: string,
  f: (...args: never[]) => unknown,
  y0: unknown,
  options: SpaceOptions,
): StateSpace {
  if (typeof f !== "function")
    throw new ValueError(`${owner}: the right-hand side is ${String(f)}; give a function (t, y)`);
  if (y0 === undefined || y0 === null) {
    throw new ValueError(`${owner}: y0 is ${String(y0)}; give numbers, a tensor, or a tree of tensors`);
  }
  return isPlain(y0) ? plainSpace(owner, f, y0, options) : treeSpace(owner, f, y0, options);
}

/** States are numbers or arrays of them; the right-hand side is called from compiled code. */
function plainSpace(
  owner: string,
  f: (...args: never[]) => unknown,
  y0: number | ArrayLike<number>,
  { norm, jacobian }: SpaceOptions,
): StateSpace {
  if (norm !== "state")
    throw new ValueError(`${owner}: norm "samples" needs a state of tensors, whose rows are the samples`);
  const single = typeof y0 === "number";
  const initial = tensor(single ? [y0] : Float64Array.from(y0), { dtype: "float64" });
  const state = raveling(owner, initial) as Raveling<unknown>;
  const size = initial.size;
  const given = (y: Float64Array) => (single ? y[0] : y);
  const plain =
    (g: (...args: never[]) => unknown, parameters: unknown, count: number) => (t: number, y: Float64Array) => {
      const value = (g as (...args: unknown[]) => unknown)(t, given(y), parameters);
      return (typeof value === "number" && count === 1 ? [value] : value) as ArrayLike<number>;
    };
  const call = (g: (...args: never[]) => unknown, parameters: unknown, count: number, what: string) =>
    plainFunction(plain(g, parameters, count), count, what);
  const what = `${owner}: the right-hand side`;
  const rightHandSide = (parameters: unknown) => ({ call: plain(f, parameters, size), size, what });
  return {
    initial,
    state,
    key: `plain ${single ? "number" : size}`,
    system(parameters, together = separately()) {
      const rate = call(f, parameters, size, what);
      if (jacobian === undefined) return makeSystem(state, rate, plainSlopes(rightHandSide(parameters), together));
      const rows = call(flattened(jacobian), parameters, size * size, `${owner}: jacobian`);
      return makeSystem(state, rate, (of, t, y, first) => ({
        state: reshape(rows(t, y), [size, size]),
        time: timeDifference(of, t, y, first),
      }));
    },
    together: (parameters, t) =>
      jacobian === undefined
        ? columnsTogether(rightHandSide(parameters), t, initial.data() as Float64Array)
        : separately(),
    scalar: (g, of) => (t, y, parameters) => reshape(call(g, parameters, 1, of)(t, y), []),
    factors: (g, extents, of) => (t, y, parameters) => {
      const count = extents.reduce((a, b) => a * b, 1);
      return reshape(call(flattened(g), parameters, count, `${of}: the diffusion`)(t, y), extents);
    },
    extents: [size],
    one: (y) => given(Float64Array.from(y.data())),
    many(rows, count) {
      if (single) return Float64Array.from(rows);
      return Array.from({ length: count }, (_, i) => Float64Array.from(rows.subarray(i * size, (i + 1) * size)));
    },
  };
}

function flattened(jacobian: (...args: never[]) => unknown): (...args: never[]) => unknown {
  return (...args) => {
    const rows = jacobian(...args);
    return Array.isArray(rows) && rows.some((row) => typeof row === "object")
      ? (rows as ArrayLike<number>[]).flatMap((r) => Array.from(r))
      : rows;
  };
}

/** States are trees of tensors. */
function treeSpace(
  owner: string,
  f: (...args: never[]) => unknown,
  y0: unknown,
  { norm, jacobian }: SpaceOptions,
): StateSpace {
  const example = asVariables(y0);
  const state = raveling(owner, example);
  const samples = norm === "samples" ? sampleNorms(owner, state, example) : undefined;
  const shapes = tree.leaves<Tensor>(example).map((x) => `${x.dtype}[${x.shape}]`);
  return {
    initial: state.ravel(example),
    state,
    key: `${tree.formatStructure(tree.structure(example))} ${shapes.join(" ")}`,
    system: (parameters) =>
      treeSystem(
        owner,
        f as unknown as Rate<unknown, unknown>,
        parameters,
        state,
        samples,
        jacobian as unknown as (t: Tensor, y: unknown, p: unknown) => TensorLike,
      ),
    together: separately,
    scalar: (g, what) => (t, y, parameters) => {
      const value = (g as unknown as Rate<unknown, unknown>)(t, state.unravel(y), parameters);
      const number = tensor(value as TensorLike, { dtype: "float64" });
      if (number.size === 1) return reshape(number, []);
      throw new ShapeError(`${what} gave shape [${number.shape}]; it must give one number`);
    },
    factors: (g, extents, of) => (t, y, parameters) => {
      const value = (g as unknown as Rate<unknown, unknown>)(cast(t, state.dtype), state.unravel(y), parameters);
      return checkedFactors(of, value as TensorLike, extents, state.dtype);
    },
    extents: isTensor(example) ? example.shape : undefined,
    one: (y) => state.unravel(y),
    many(rows, count) {
      const all = tensor(rows, { dtype: state.dtype }).reshape([count, state.size]);
      if (count === 0) return tree.map((leaf: Tensor) => zeros([0, ...leaf.shape], leaf.dtype), example);
      const parts = Array.from({ length: count }, (_, i) => state.unravel(all.slice([i])));
      return tree.map((...leaves: Tensor[]) => stack(leaves), parts[0], ...parts.slice(1));
    },
  };
}
