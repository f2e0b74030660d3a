import {
  add,
  asTensor,
  cast,
  div,
  grad,
  matmul,
  mul,
  reshape,
  ShapeError,
  square,
  stack,
  stopGradient,
  sub,
  sum,
  type Tensor,
  transpose,
  tree,
  UnsupportedError,
  vmap,
  zeros,
} from "@offprint/tensor-core";

/** The loss of every sample of a batch, `[b]`. */
export type SampleLoss<P, B> = (params: P, batch: B) => Tensor;

/** What a micro-batch of `count` real samples says; the others are padding. */
export interface Moments<P> {
  /** Sum of the losses, a scalar. */
  readonly loss: Tensor;
  /** Mean gradient, a tree like the parameters. */
  readonly mean: P;
  /** Sums of squares about the mean, a tree like the parameters. */
  readonly squares: P;
}

/**
 * How statistics of per-sample gradients are computed. All functions are traceable; `mask` is `[b]`, 1 for samples that
 * count and 0 for padding, and `count` is its sum, a scalar.
 */
export interface SampleStatistics<P, B> {
  /** Losses, mean gradient and squares. */
  moments(params: P, batch: B, mask: Tensor, count: Tensor): Moments<P>;
  /** <g_i, direction> within each leaf of the parameters, `[b, leaves]`. */
  innerProducts(params: P, batch: B, direction: P): Tensor;
}

/**
 * Statistics by a gradient for every sample, `[b, ...]` for each parameter: for any model whose samples do not depend on
 * each other.
 *
 * @param perSampleGradients in place of `vmap(grad)` of the loss: a tree like the parameters, leaves `[b, ...shape]`.
 */
export function perSampleStatistics<P, B>(
  sampleLoss: SampleLoss<P, B>,
  perSampleGradients: (params: P, batch: B) => P = perSampleGradientsOf(sampleLoss),
): SampleStatistics<P, B> {
  const alongSamples = (mask: Tensor, g: Tensor) => reshape(mask, [mask.shape[0], ...g.shape.slice(1).map(() => 1)]);
  return {
    moments(params, batch, mask, count) {
      const gradients = perSampleGradients(params, batch);
      const mean = tree.map((g: Tensor) => div(sum(mul(g, alongSamples(mask, g)), { axis: 0 }), count), gradients);
      const squares = tree.map(
        (g: Tensor, m: Tensor) => sum(mul(square(sub(g, m)), alongSamples(mask, g)), { axis: 0 }),
        gradients,
        mean,
      );
      return { loss: totalLoss(sampleLoss(params, batch), mask), mean, squares };
    },
    innerProducts(params, batch, direction) {
      const gradients = tree.leaves<Tensor>(perSampleGradients(params, batch));
      const along = tree.leaves<Tensor>(direction);
      const products = gradients.map((g, l) => sum(reshape(mul(g, along[l]), [g.shape[0], -1]), { axis: 1 }));
      return stack(products, 1);
    },
  };
}

/** `vmap(grad)` of the loss, each sample being a batch of one. */
function perSampleGradientsOf<P, B>(sampleLoss: SampleLoss<P, B>): (params: P, batch: B) => P {
  const alone = (params: P, sample: B) => {
    const batch = tree.map((x: Tensor) => reshape(x, [1, ...x.shape]), sample);
    return sum(sampleLoss(params, batch));
  };
  return vmap(grad(alone), { inAxes: [null, 0] });
}

/** A dense layer of `denseStatistics`: `x W + b`, with the weight `[inputs, outputs]`. */
export interface DenseParams {
  /** `[inputs, outputs]`. */
  readonly weight: Tensor;
  /** `[outputs]`. */
  readonly bias?: Tensor;
}

/** Applies a dense layer to `[b, inputs]`; gives `[b, outputs]`. */
export type DenseLayer = (params: DenseParams, x: Tensor) => Tensor;

/**
 * Statistics of a model whose parameters all belong to dense layers, without a gradient for every sample: the norms and
 * inner products follow from the layers' inputs and the derivatives by their outputs. Sums are in float64.
 *
 * @param loss the loss of every sample; it must apply each layer through `layer`, once.
 * @throws UnsupportedError for parameters that no layer was applied with, that several were, or that the loss uses beside
 * their layer, as a penalty of the weights does.
 * @example denseStatistics((params, { x, y }, layer) => crossEntropyRows(layer(params, x), y))
 */
export function denseStatistics<P, B>(
  loss: (params: P, batch: B, layer: DenseLayer) => Tensor,
): SampleStatistics<P, B> {
  const plain: DenseLayer = ({ weight, bias }, x) => (bias ? add(matmul(x, weight), bias) : matmul(x, weight));
  let looked = false;
  /** Losses; of each layer its parameters, its inputs, and the losses' derivatives by its outputs. */
  const run = (params: P, batch: B) => {
    const layers: { params: DenseParams; inputs: Tensor; outputs: Tensor }[] = [];
    const losses = loss(params, batch, (p, x) => {
      const outputs = plain(p, x);
      layers.push({ params: p, inputs: x, outputs });
      return outputs;
    });
    const taps = layers.map(({ outputs }) => zeros(outputs.shape, outputs.dtype));
    const total = (moved: readonly Tensor[]) => {
      let next = 0;
      return sum(loss(params, batch, (p, x) => add(plain(p, x), moved[next++])));
    };
    const deltas = grad(total)(taps);
    if (!looked) requireLayersAlone(loss, plain, params, batch);
    looked = true;
    return { losses, layers: layers.map((layer, l) => ({ ...layer, deltas: deltas[l] })) };
  };
  const wide = (x: Tensor) => cast(x, "float64");
  const leafwise = (
    params: P,
    layers: ReturnType<typeof run>["layers"],
    rule: (kind: "bias" | "weight", inputs: Tensor, deltas: Tensor, leaf: number) => Tensor,
  ): Tensor[] =>
    tree.leaves<Tensor>(params).map((leaf, i) => {
      const [found, again] = layers.filter(({ params: p }) => p.weight === leaf || p.bias === leaf);
      if (found === undefined || again !== undefined) {
        const path = tree.paths(params)[i];
        throw new UnsupportedError(
          found === undefined
            ? `denseStatistics: no dense layer was applied with the parameter ${path}; apply it through layer, or use perSampleStatistics`
            : `denseStatistics: the parameter ${path} belongs to more than one application of a layer; use perSampleStatistics`,
        );
      }
      return rule(found.params.weight === leaf ? "weight" : "bias", wide(found.inputs), wide(found.deltas), i);
    });
  return {
    moments(params, batch, mask, count) {
      const { losses, layers } = run(params, batch);
      const rows = reshape(wide(mask), [mask.shape[0], 1]);
      const n = wide(count);
      const means = leafwise(params, layers, (kind, a, delta) => {
        const counted = mul(delta, rows);
        return div(kind === "weight" ? matmul(transpose(a), counted) : sum(counted, { axis: 0 }), n);
      });
      const squares = leafwise(params, layers, (kind, a, delta, i) => {
        const counted = mul(square(delta), rows);
        const raw = kind === "weight" ? matmul(transpose(square(a)), counted) : sum(counted, { axis: 0 });
        return sub(raw, mul(n, square(means[i])));
      });
      const { structure } = tree.flatten(params);
      return {
        loss: totalLoss(losses, mask),
        mean: tree.unflatten<P>(structure, means),
        squares: tree.unflatten<P>(structure, squares),
      };
    },
    innerProducts(params, batch, direction) {
      const { layers } = run(params, batch);
      const along = tree.leaves<Tensor>(direction).map(wide);
      const products = leafwise(params, layers, (kind, a, delta, i) =>
        kind === "weight" ? sum(mul(matmul(a, along[i]), delta), { axis: 1 }) : matmul(delta, along[i]),
      );
      return stack(products, 1);
    },
  };
}

/** @throws UnsupportedError for a parameter that the losses depend on other than through its layer. */
function requireLayersAlone<P, B>(
  loss: (params: P, batch: B, layer: DenseLayer) => Tensor,
  plain: DenseLayer,
  params: P,
  batch: B,
): void {
  const beside = grad((p: P) => sum(loss(p, batch, (q, x) => stopGradient(plain(q, x)))))(params);
  // What is not used has zeros for its gradient, which a trace knows too.
  const used = tree.leaves<Tensor>(beside).findIndex((g) => g.storage.kind !== "host" || g.data().some((v) => v !== 0));
  if (used < 0) return;
  throw new UnsupportedError(
    `denseStatistics: the loss uses the parameter ${tree.paths(params)[used]} beside its layer, so that its statistics are not those of the layer; use perSampleStatistics`,
  );
}

/** The mean gradient and the sum of the losses, without statistics. */
export function meanGradient<P, B>(sampleLoss: SampleLoss<P, B>) {
  return (params: P, batch: B, mask: Tensor, count: Tensor): Omit<Moments<P>, "squares"> => {
    const total = (p: P) => totalLoss(sampleLoss(p, batch), mask);
    const sums: P = grad(total)(params);
    return { loss: total(params), mean: tree.map((g: Tensor) => div(g, count), sums) };
  };
}

/** Sum of the losses that count. @throws ShapeError for losses that are not one for each sample. */
function totalLoss(given: Tensor, mask: Tensor): Tensor {
  const losses = asTensor(given);
  if (losses.rank !== 1 || losses.shape[0] !== mask.shape[0]) {
    throw new ShapeError(
      `sampleLoss: gave [${losses.shape}] for ${mask.shape[0]} samples; it must give a loss for each, [${mask.shape[0]}]`,
    );
  }
  return sum(mul(losses, mask));
}
