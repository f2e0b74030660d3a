import { isTensor, ShapeError, type Tensor, type TensorLike, tensor, tree, ValueError } from "@offprint/tensor-core";

/** A smooth function of `[n]` numbers: writes its gradient into `gradient` and returns, or promises, its value. */
export type VectorObjective = (x: Float64Array, gradient: Float64Array) => number | Promise<number>;

/** {@link VectorObjective} that returns at once. */
export type ObjectiveWithGradient = (x: Float64Array, gradient: Float64Array) => number;

/**
 * A smooth function of a tree of tensors: its value and its gradient, a tree alike, or a promise of them. That is what
 * `valueAndGrad(f)` gives, and `jit(valueAndGrad(f))`.
 */
export type TreeObjective<P> = (params: P) => ValueAndGradient<P> | Promise<ValueAndGradient<P>>;

/** What a {@link TreeObjective} gives. */
export type ValueAndGradient<P> = readonly [value: TensorLike, gradient: P];

/** A value and the gradient there. */
export interface Evaluated {
  readonly value: number;
  readonly gradient: Float64Array;
}

/** @internal What minimisers know of the user's variables: a vector, how to evaluate it, and how to give it back. */
export interface SearchSpace<X> {
  readonly start: Float64Array;
  /** Relative rounding error of values: that of the least precise of the variables. */
  readonly epsilon: number;
  /** Rounds a point, in place, to what the variables can hold. */
  round(x: Float64Array): void;
  evaluate(x: Float64Array): Evaluated | Promise<Evaluated>;
  /** The variables as the user gave them. */
  restore(x: Float64Array): X;
}

/** Whether variables are a plain vector of numbers and not a tree of tensors. */
export function isVector(initial: unknown): initial is ArrayLike<number> {
  if (ArrayBuffer.isView(initial)) return true;
  return Array.isArray(initial) && initial.every((v) => typeof v === "number");
}

/** @internal The space that `initial` lies in. @throws ValueError for variables that are empty or not finite. */
export function searchSpace<X>(
  owner: string,
  objective: VectorObjective | TreeObjective<X>,
  initial: unknown,
): SearchSpace<X> {
  if (typeof objective !== "function") {
    throw new ValueError(`${owner}: the objective is ${String(objective)}; it must be a function`);
  }
  const space = isVector(initial)
    ? (vectorSpace(owner, objective as VectorObjective, initial) as SearchSpace<unknown> as SearchSpace<X>)
    : treeSpace(owner, objective as TreeObjective<X>, initial as X);
  if (space.start.length === 0) throw new ValueError(`${owner}: initial must not be empty`);
  const wrong = space.start.findIndex((v) => !Number.isFinite(v));
  if (wrong >= 0) throw new ValueError(`${owner}: initial must be finite, got ${space.start[wrong]} at ${wrong}`);
  return space;
}

function vectorSpace(owner: string, objective: VectorObjective, initial: ArrayLike<number>): SearchSpace<Float64Array> {
  const checked = (value: unknown, gradient: Float64Array): Evaluated => {
    if (typeof value === "number") return { value, gradient };
    throw new ValueError(
      `${owner}: the objective gave ${isTensor(value) ? "a tensor" : typeof value}; a function of a vector writes its ` +
        "gradient into its second argument and returns a number. For functions of tensors give valueAndGrad(f) and " +
        "tensors as initial",
    );
  };
  return {
    start: Float64Array.from(initial),
    epsilon: 2 ** -52,
    round: () => undefined,
    evaluate(x) {
      const gradient = new Float64Array(x.length);
      const value = objective(x, gradient);
      return value instanceof Promise ? value.then((v) => checked(v, gradient)) : checked(value, gradient);
    },
    restore: (x) => x,
  };
}

function treeSpace<P>(owner: string, objective: TreeObjective<P>, initial: P): SearchSpace<P> {
  const { leaves, structure } = tree.flatten(initial);
  const tensors = leaves.map((leaf) =>
    isTensor(leaf) ? leaf : tensor(leaf as TensorLike, typeof leaf === "number" ? { dtype: "float64" } : {}),
  );
  const offsets = [0];
  for (const { size } of tensors) offsets.push(offsets[offsets.length - 1] + size);
  const flat = new Float64Array(offsets[tensors.length]);
  tensors.forEach((x, i) => {
    if (x.dtype !== "float32" && x.dtype !== "float64") {
      throw new ValueError(`${owner}: initial holds a tensor of ${x.dtype}; variables must be float32 or float64`);
    }
    flat.set(x.data(), offsets[i]);
  });
  const single = tensors.map(({ dtype }) => dtype === "float32");
  const restore = (x: Float64Array): P =>
    tree.unflatten<P>(
      structure,
      tensors.map(({ shape, dtype }, i) => tensor(x.slice(offsets[i], offsets[i + 1]), { shape, dtype })),
    );
  const read = (value: Tensor, gradients: readonly Tensor[]): Evaluated => {
    const gradient = new Float64Array(flat.length);
    gradients.forEach((g, i) => {
      if (g.size !== tensors[i].size) {
        throw new ShapeError(
          `${owner}: the gradient of variable ${i} has shape [${g.shape}], the variable [${tensors[i].shape}]`,
        );
      }
      gradient.set(g.data(), offsets[i]);
    });
    return { value: value.item(), gradient };
  };
  const received = (result: ValueAndGradient<P>): Evaluated | Promise<Evaluated> => {
    const parts = Array.isArray(result) && result.length === 2 ? tree.leaves<TensorLike>(result[1]) : [];
    if (parts.length !== tensors.length) {
      throw new ValueError(
        `${owner}: the objective must give [value, gradient], the gradient a tree like initial; give valueAndGrad(f)`,
      );
    }
    const [value, ...gradients] = [result[0], ...parts].map((x) => (isTensor(x) ? x : tensor(x)));
    if ([value, ...gradients].every(({ storage }) => storage.kind === "host")) return read(value, gradients);
    return Promise.all([value, ...gradients].map((x) => x.host())).then(([v, ...g]) => read(v, g));
  };
  return {
    start: flat,
    epsilon: single.includes(true) ? 2 ** -23 : 2 ** -52,
    round(x) {
      single.forEach((is, i) => {
        if (is) for (let j = offsets[i]; j < offsets[i + 1]; j++) x[j] = Math.fround(x[j]);
      });
    },
    evaluate(x) {
      const result = objective(restore(x));
      return result instanceof Promise ? result.then(received) : received(result);
    },
    restore,
  };
}
