import {
  asTensor,
  checkOptions,
  expandDims,
  matmul,
  mul,
  relu,
  requireFinite,
  requireNonNegative,
  ShapeError,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";

/** h, which makes the pooled tokens `[n, d]` into predictions `[n]`. */
export type Head =
  | {
      /** `h(x) = v^T x`. */
      readonly kind: "linear";
      /** v, `[d]`. */
      readonly v: TensorLike;
    }
  | {
      /** `h(x) = 1^T relu(V^T x)`. */
      readonly kind: "relu";
      /** V, `[d, width]`. */
      readonly v: TensorLike;
    }
  | {
      /** `h(x) = v^T x - lambda ||x||^2`, which favours averages of tokens. */
      readonly kind: "quadratic";
      /** v, `[d]`. */
      readonly v: TensorLike;
      /** lambda >= 0. */
      readonly lambda: number;
    }
  | {
      /** Any other. */
      readonly kind: "custom";
      /** In operations of tensors: `[n, d]` to `[n]`. */
      readonly predict: (pooled: Tensor) => Tensor;
    };

/** A checked head: what it computes, and its weights apart, so that heads of one kind can be stacked. */
export interface ReadHead {
  /** v or V; a scalar 0 for a custom head. */
  readonly v: Tensor;
  /** Predictions `[n]` of pooled tokens `[n, d]` with such weights. */
  readonly predict: (pooled: Tensor, v: Tensor) => Tensor;
  /** Equal for heads that differ in their weights only. */
  readonly kind: unknown;
}

/** @throws ValueError, ShapeError that name what is wrong. */
export function readHead(owner: string, head: Head, dimension: number): ReadHead {
  if (head === null || typeof head !== "object")
    throw new ValueError(`${owner}: head is missing; give { kind: "linear", v }`);
  if (head.kind === "custom") {
    const { predict } = head;
    if (typeof predict !== "function")
      throw new ValueError(`${owner}: head.predict must be a function of pooled tokens`);
    return { v: asTensor(0, "float64"), predict: (pooled) => predict(pooled), kind: predict };
  }
  if (!["linear", "relu", "quadratic"].includes(head.kind)) {
    throw new ValueError(
      `${owner}: head.kind is "${String(head.kind)}"; it must be "linear", "relu", "quadratic" or "custom"`,
    );
  }
  checkOptions(`${owner}: head`, head, head.kind === "quadratic" ? ["kind", "v", "lambda"] : ["kind", "v"]);
  const v = asTensor(head.v, "float64");
  requireFinite(owner, "head.v", v);
  if (v.shape[0] !== dimension || v.rank !== (head.kind === "relu" ? 2 : 1)) {
    throw new ShapeError(
      `${owner}: head.v has shape [${v.shape}]; it must be [${dimension}${head.kind === "relu" ? ", width" : ""}]`,
    );
  }
  if (head.kind === "relu") {
    return { v, predict: (pooled, own) => sum(relu(matmul(pooled, own)), 1), kind: `relu ${v.shape[1]}` };
  }
  const linear = (pooled: Tensor, own: Tensor) => sum(matmul(pooled, expandDims(own, 1)), 1);
  if (head.kind === "linear") return { v, predict: linear, kind: "linear" };
  const { lambda } = head;
  requireNonNegative(owner, "head.lambda", lambda);
  return {
    v,
    predict: (pooled, own) => sub(linear(pooled, own), mul(sum(square(pooled), 1), lambda)),
    kind: `quadratic ${lambda}`,
  };
}

/** l, a decreasing function of the margin m. */
export type LossName = "logistic" | "exponential" | "linear";
