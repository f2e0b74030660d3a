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

/** A head as a function of pooled tokens. */
export function readHead(owner: string, head: Head, dimension: number): (pooled: Tensor) => Tensor {
  if (head === null || typeof head !== "object")
    throw new ValueError(`${owner}: head is missing; give { kind: "linear", v }`);
  if (head.kind === "custom") {
    if (typeof head.predict !== "function")
      throw new ValueError(`${owner}: head.predict must be a function of pooled tokens`);
    return head.predict;
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
  if (head.kind === "relu") return (pooled) => sum(relu(matmul(pooled, v)), 1);
  const linear = (pooled: Tensor) => sum(matmul(pooled, expandDims(v, 1)), 1);
  if (head.kind === "linear") return linear;
  const { lambda } = head;
  requireNonNegative(owner, "head.lambda", lambda);
  return (pooled) => sub(linear(pooled), mul(sum(square(pooled), 1), lambda));
}

/** l, a decreasing function of the margin m. */
export type LossName = "logistic" | "exponential" | "linear";
