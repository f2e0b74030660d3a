import { axisOptions } from "../axes.js";
import { checkOptions } from "../check-options.js";
import { asTensor } from "../construct.js";
import { allocate, type DType } from "../dtype.js";
import { ValueError } from "../errors.js";
import { take } from "../ops/indexing.js";
import { requireInteger } from "../option-checks.js";
import { normalizeAxis, type Shape, sizeOf } from "../shape.js";
import { hostTensor, type Tensor, type TensorLike } from "../tensor.js";
import { ContinuousDraws } from "./continuous-draws.js";
import {
  type CategoricalOptions,
  categorical,
  choiceWeights,
  distinct,
  range,
  shuffleFront,
  WeightTable,
  weightedDistinct,
} from "./discrete.js";
import * as check from "./parameter.js";
import { at } from "./parameter.js";

/** Options of `Rng.choice`. */
export interface ChoiceOptions {
  /** Shape of the result; default `[]`, one index. */
  shape?: Shape;
  /** Whether an index may come more than once; default true. */
  replace?: boolean;
  /** Non-negative weights, one per index; default all equal. */
  weights?: TensorLike;
}

/** What a generator draws besides: truth values, categories, whole numbers and orders, as host tensors. */
export class DiscreteDraws extends ContinuousDraws {
  /** True with the given probability (default 1/2); `dtype` defaults to bool. */
  bernoulli(shape: Shape, options: { probability?: TensorLike; dtype?: DType } = {}): Tensor {
    checkOptions("bernoulli", options, ["probability", "dtype"]);
    check.requireShape("bernoulli", shape);
    const p = check.parameter("bernoulli", "probability", options.probability ?? 0.5, shape, check.probability);
    const dtype = options.dtype ?? "bool";
    const out = allocate(dtype, sizeOf(shape));
    for (let i = 0; i < out.length; i++) out[i] = this.source.uniform() < at(p, i) ? 1 : 0;
    return hostTensor(out, [...shape], dtype);
  }

  /** Signs -1 and 1 with equal probability; `dtype` defaults to float32. */
  rademacher(shape: Shape, options: { dtype?: "float32" | "float64" | "int32" } = {}): Tensor {
    checkOptions("rademacher", options, ["dtype"]);
    check.requireShape("rademacher", shape);
    const dtype = options.dtype ?? "float32";
    const out = allocate(dtype, sizeOf(shape));
    for (let i = 0; i < out.length; i++) out[i] = this.source.word() < 0 ? -1 : 1;
    return hostTensor(out, [...shape], dtype);
  }

  /**
   * Category indices (int32) drawn from `logits` or `probabilities` of shape `[..., categories]`, whose leading axes
   * broadcast to `shape`.
   */
  categorical(shape: Shape, options: CategoricalOptions): Tensor {
    check.requireOptions("categorical", options, "logits or probabilities");
    checkOptions("categorical", options, ["logits", "probabilities"]);
    check.requireShape("categorical", shape);
    return hostTensor(categorical(this.source, shape, options), [...shape], "int32");
  }

  /** Integers (int32) uniform on low, ..., high - 1, without bias; `low` defaults to 0. */
  randint(shape: Shape, options: { low?: number; high: number }): Tensor {
    check.requireOptions("randint", options, "high");
    checkOptions("randint", options, ["low", "high"]);
    check.requireShape("randint", shape);
    const { low = 0, high } = options;
    requireInteger("randint", "low", low, -2147483648, 2147483647);
    requireInteger("randint", "high", high, low + 1, 2147483648);
    const out = new Int32Array(sizeOf(shape));
    for (let i = 0; i < out.length; i++) out[i] = low + this.source.below(high - low);
    return hostTensor(out, [...shape], "int32");
  }

  /** The numbers 0, ..., n - 1 (int32) in random order. */
  permutation(n: number): Tensor {
    requireInteger("permutation", "n", n, 0, 2147483647);
    const out = range(n);
    shuffleFront(this.source, out);
    return hostTensor(out, [n], "int32");
  }

  /** `x` with its slices along `axis` (default 0) in random order. */
  shuffle(x: TensorLike, axis?: number | { axis?: number }): Tensor {
    const values = asTensor(x);
    const { axis: named = 0 } = axisOptions<{ axis?: number }>("shuffle", ["axis"], axis);
    const along = normalizeAxis("shuffle", named, values.rank);
    return take(values, this.permutation(values.shape[along]), { axis: along });
  }

  /** Indices (int32) below `n`, with or without replacement, equally likely or by weights. */
  choice(n: number, options: ChoiceOptions = {}): Tensor {
    checkOptions("choice", options, ["shape", "replace", "weights"]);
    const { shape = [], replace = true } = options;
    check.requireShape("choice", shape);
    requireInteger("choice", "n", n, 1, 2147483647);
    const count = sizeOf(shape);
    const weights = options.weights === undefined ? undefined : choiceWeights(options.weights, n);
    const available = weights?.reduce((k, w) => k + (w > 0 ? 1 : 0), 0) ?? n;
    if (!replace && count > available) {
      throw new ValueError(`choice: ${count} indices without replacement from ${available}; ask for fewer or replace`);
    }
    let out: Int32Array;
    if (!replace)
      out = weights === undefined ? distinct(this.source, n, count) : weightedDistinct(this.source, weights, count);
    else {
      out = new Int32Array(count);
      const table = weights === undefined ? undefined : new WeightTable("choice", "weights", weights, n);
      for (let i = 0; i < count; i++) out[i] = table?.draw(this.source, 0) ?? this.source.below(n);
    }
    return hostTensor(out, [...shape], "int32");
  }
}
