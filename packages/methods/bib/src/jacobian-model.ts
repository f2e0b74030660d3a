import {
  add,
  asTensor,
  checkOptions,
  concatenate,
  grad,
  matmul,
  mul,
  random,
  requireInteger,
  reshape,
  slice,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tree,
  ValueError,
  vmap,
} from "@offprint/tensor-core";
import { relaxation } from "./fit-table.js";
import type { RelaxedModel } from "./relaxed-model.js";

/** Options of {@link jacobianModel}. */
export interface JacobianOptions {
  /** The linear head `[d]` of the function that is linearised, such as a forward map's `weights`. Default drawn, normal over sqrt(d). */
  readonly head?: TensorLike;
  /** Which parameters move beside the head, by their paths, such as `(path) => path.startsWith("h.1.")` for the second block. Default all. */
  readonly choose?: (path: string) => boolean;
  /** Numbers that a gradient is projected to by random signs. Default no projection. */
  readonly projection?: number;
  /** Decides head and signs. Default 0. */
  readonly seed?: number | string;
}

/** What the chosen model's features are computed with. */
export interface JacobianParameters<P> {
  /** Of the model. */
  readonly model: P;
  /** `[d]` */
  readonly head: Tensor;
  /** Signs over sqrt(k), `[all, k]`; null for no projection. */
  readonly signs: Tensor | null;
}

/**
 * The empirical tangent kernel of a model with a linear head: its features are the derivatives of `head . features + bias` in the head, the
 * bias and the chosen parameters. With none chosen they are the features themselves and a column of ones.
 * @param length letters of a sequence; needed to know how many features there are
 * @throws ValueError where nothing fits.
 */
export function jacobianModel<P>(
  model: RelaxedModel<P>,
  length: number,
  options: JacobianOptions = {},
): RelaxedModel<JacobianParameters<P>> {
  const owner = "jacobianModel";
  checkOptions(owner, options, ["head", "choose", "projection", "seed"]);
  requireInteger(owner, "length", length, 1);
  const { choose = () => true, projection, seed = 0 } = options;
  const parameters = (model.parameters ?? null) as P;
  const paths = tree.paths(parameters);
  const flat = tree.flatten(parameters);
  const moving = paths.flatMap((path, i) => (choose(path) ? [i] : []));
  const sample = random.rng(`${seed}/sample`).normal([1, length, model.alphabet.length], { dtype: "float64" });
  const d = model.features(relaxation(model)(sample), parameters).shape[1];
  const head =
    options.head === undefined
      ? random.rng(`${seed}/head`).normal([d], { std: 1 / Math.sqrt(d), dtype: "float64" })
      : asTensor(options.head, "float64");
  if (head.shape.join() !== `${d}`) {
    throw new ValueError(`${owner}: head has shape [${head.shape}]; the model has ${d} features`);
  }
  const columns = d + 1 + moving.reduce((total, i) => total + asTensor(flat.leaves[i] as TensorLike).size, 0);
  let signs: Tensor | null = null;
  if (projection !== undefined) {
    requireInteger(owner, "projection", projection, 1);
    const drawn = random.rng(`${seed}/signs`).bernoulli([columns, projection], { probability: 0.5 });
    signs = mul(sub(mul(2, drawn.cast("float64")), 1), 1 / Math.sqrt(projection));
  }
  return {
    alphabet: model.alphabet,
    ...(model.kmer !== undefined && { kmer: model.kmer }),
    parameters: { model: parameters, head, signs },
    features(oneHot, given) {
      const all = tree.flatten(given.model);
      const chosen = moving.map((i) => asTensor(all.leaves[i] as TensorLike));
      const withChosen = (parts: readonly Tensor[]): P => {
        const leaves = [...all.leaves];
        for (const [k, i] of moving.entries()) leaves[i] = parts[k];
        return tree.unflatten<P>(all.structure, leaves);
      };
      const derivatives = vmap((row: Tensor) => {
        const one = reshape(row, [1, ...row.shape]);
        const own = slice(model.features(one, given.model), [0]);
        const output = (parts: Tensor[]) => sum(matmul(model.features(one, withChosen(parts)), given.head));
        const gradients = chosen.length === 0 ? [] : grad(output)(chosen);
        const flatParts = gradients.map((g: Tensor) => reshape(g, [-1]).cast("float64"));
        return concatenate([own, add(mul(0, slice(own, [{ stop: 1 }])), 1), ...flatParts], 0);
      })(oneHot);
      return given.signs === null ? derivatives : matmul(derivatives, given.signs);
    },
  };
}
