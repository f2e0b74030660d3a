import { readSafetensors, writeSafetensors } from "@offprint/data";
import {
  asTensor,
  cast,
  FormatError,
  isTensor,
  OffprintError,
  Rng,
  random,
  type Tensor,
  type TensorLike,
  tree,
} from "@offprint/tensor-core";

/** Number of scalars in a tree of parameters. */
export function countParameters(params: unknown): number {
  return tree.leaves<TensorLike>(params).reduce<number>((total, x) => total + asTensor(x).size, 0);
}

/**
 * The bytes of a safetensors file with the leaves of a tree, named by their paths: `layers.0.weight`.
 * @param metadata texts to keep in the file
 */
export function saveParameters(params: unknown, metadata?: Readonly<Record<string, string>>): Uint8Array {
  const names = tree.paths(params);
  const leaves = tree.leaves<TensorLike>(params).map((leaf) => asTensor(leaf));
  const tensors = Object.fromEntries(leaves.map((leaf, i) => [names[i] === "" ? "value" : names[i], leaf]));
  return writeSafetensors(tensors, metadata === undefined ? {} : { metadata });
}

/**
 * The tree of a safetensors file, in the structure, the shapes and the dtypes of `like`, such as freshly drawn
 * parameters of the same model. Tensors of the file that `like` does not have are left out.
 * @throws FormatError where a tensor is missing or has another shape, or the file is damaged.
 */
export function loadParameters<P>(bytes: Uint8Array, like: P): P {
  const { tensors } = readSafetensors(bytes);
  const names = tree.paths(like);
  let next = 0;
  return tree.map((leaf: Tensor | TensorLike) => {
    const name = names[next++] || "value";
    const expected = isTensor(leaf) ? leaf : asTensor(leaf);
    const found = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    if (found === undefined) {
      const present = Object.keys(tensors).slice(0, 8).join(", ");
      throw new FormatError(`loadParameters: the file has no tensor ${name}; it has ${present || "none"}`);
    }
    if (found.shape.join() !== expected.shape.join()) {
      throw new FormatError(
        `loadParameters: ${name} has shape [${found.shape}] in the file and [${expected.shape}] in the model`,
      );
    }
    return cast(found, expected.dtype);
  }, like);
}

/**
 * Parameters of a model that a file describes, freshly drawn, for `loadParameters` to compare the file with. Drawing
 * ends where the model has more numbers than the file: a description must not take memory that the tensors do not
 * account for.
 * @param init draws the parameters, such as `model.init`
 * @throws FormatError for a model that is larger than the file, or that cannot be made.
 * @example loadParameters(bytes, drawParameters(bytes, (rng) => model.init(rng)))
 */
export function drawParameters<P>(bytes: Uint8Array, init: (rng: Rng) => P): P {
  const numbers = Object.values(readSafetensors(bytes).tensors).reduce((total, x) => total + x.size, 0);
  try {
    return init(measured(random.rng(0), { left: numbers }));
  } catch (cause) {
    if (!(cause instanceof OffprintError) || cause instanceof FormatError) throw cause;
    throw new FormatError(`the file describes no model that can be made: ${cause.message}`, { cause });
  }
}

/** A generator that draws no more numbers than are left; its parts share what is left. */
function measured(rng: Rng, budget: { left: number }): Rng {
  return new Proxy(rng, {
    get(target, key) {
      const member = Reflect.get(target, key, target) as unknown;
      if (typeof member !== "function") return member;
      return (first: unknown, ...rest: unknown[]) => {
        if (Array.isArray(first)) {
          budget.left -= first.reduce<number>((size, n) => size * Number(n), 1);
          if (budget.left < 0) {
            throw new FormatError("the model that the file describes has more parameters than the file; it is damaged");
          }
        }
        const made = Reflect.apply(member, target, [first, ...rest]) as unknown;
        if (made instanceof Rng) return measured(made, budget);
        return Array.isArray(made) && made.every((part) => part instanceof Rng)
          ? made.map((part: Rng) => measured(part, budget))
          : made;
      };
    },
  });
}
