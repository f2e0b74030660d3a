import {
  add,
  asTensor,
  checkOptions,
  matmul,
  mul,
  requireChoice,
  requireFinite,
  requirePositive,
  ShapeError,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";

/** The matrices of a head that may have adapters. */
export const projectionNames = ["q", "k", "v"] as const;

/** Queries, keys or values. */
export type ProjectionName = (typeof projectionNames)[number];

/** A weight `W* + (alpha / r) B A` with its low-rank adapter. */
export interface LoraProjection {
  /** W*, frozen, `[D, d]`: tokens are rows and multiply it from the left. */
  readonly weight: TensorLike;
  /** Added to every row, `[d]`. Default none. */
  readonly bias?: TensorLike;
  /** B, `[D, r]`, which begins at 0. */
  readonly b: TensorLike;
  /** A, `[r, d]`. */
  readonly a: TensorLike;
  /** alpha > 0. Default r, so that the adapter is B A. */
  readonly alpha?: number;
  /** `"lora"` scales by alpha / r, `"rslora"` by alpha / sqrt(r). Default `"lora"`. */
  readonly scaling?: "lora" | "rslora";
}

/** A weight without an adapter: the matrix `[D, d]`, or with its bias `[d]`. */
export type FrozenProjection = TensorLike | { readonly weight: TensorLike; readonly bias?: TensorLike };

/** One attention head. */
export interface Head {
  /** W_Q, D by d. */
  readonly q: LoraProjection | FrozenProjection;
  /** W_K, D by d. */
  readonly k: LoraProjection | FrozenProjection;
  /** W_V, D by d. */
  readonly v: LoraProjection | FrozenProjection;
  /** Factor of the scores `beta Q K^T`, > 0. Default `1 / sqrt(d)`. */
  readonly beta?: number;
  /** Whether a token sees itself and earlier ones only. Default `false`. */
  readonly causal?: boolean;
}

/** An adapter as numbers. */
export interface ReadAdapter {
  readonly b: Tensor;
  readonly a: Tensor;
  readonly scale: number;
}

/** One projection, checked. */
export interface ReadProjection {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  readonly adapter: ReadAdapter | undefined;
}

/** A head and its tokens, checked, in one dtype. */
export interface ReadHead {
  readonly x: Tensor;
  readonly projections: Readonly<Record<ProjectionName, ReadProjection>>;
  readonly beta: number;
  readonly causal: boolean;
  readonly dtype: "float32" | "float64";
}

/** Queries, keys and values, `[L, d]` each. */
export type Projected = Readonly<Record<ProjectionName, Tensor>>;

/** @throws ShapeError, ValueError that name what does not fit. */
export function readHead(owner: string, x: TensorLike, head: Head): ReadHead {
  if (head === null || typeof head !== "object") {
    throw new ValueError(`${owner}: head is ${String(head)}; give { q, k, v }, a weight or an adapted weight each`);
  }
  checkOptions(`${owner}: head`, head, ["q", "k", "v", "beta", "causal"]);
  const dtype =
    isFloat32(x) && projectionNames.every((name) => isFloat32(weightOf(head[name]))) ? "float32" : "float64";
  const tokens = readMatrix(owner, "x", x, dtype);
  const [length, dimension] = tokens.shape;
  if (length === 0) throw new ShapeError(`${owner}: x has no token; give [length, ${dimension}] with length >= 1`);
  const projections = {} as Record<ProjectionName, ReadProjection>;
  for (const name of projectionNames) projections[name] = readProjection(owner, name, head[name], dimension, dtype);
  const width = projections.q.weight.shape[1];
  for (const name of projectionNames) {
    const { shape } = projections[name].weight;
    if (shape[1] === width) continue;
    throw new ShapeError(`${owner}: the weight of ${name} has shape [${shape}] and that of q [${[dimension, width]}]`);
  }
  const { beta = 1 / Math.sqrt(width), causal = false } = head;
  requirePositive(owner, "head.beta", beta);
  requireChoice(owner, "head.causal", causal, [true, false]);
  return { x: tokens, projections, beta, causal, dtype };
}

/** What is odd about the adapters of a head. */
export function headWarnings({ projections }: Pick<ReadHead, "projections">): string[] {
  return projectionNames.flatMap((name) => {
    const { weight, adapter } = projections[name];
    const [rank, most] = [adapter?.a.shape[0] ?? 0, Math.min(...weight.shape)];
    if (rank < most) return [];
    return [
      `the adapter of ${name} has rank ${rank}, as much as the weight [${weight.shape}] itself: it is not of low rank; below ${most} it saves work`,
    ];
  });
}

/** `X (W* + scale B A) + bias` of all three. */
export function project({ x, projections }: Pick<ReadHead, "x" | "projections">): Projected {
  const projected = (name: ProjectionName) => {
    const { bias } = projections[name];
    const rows = matmul(x, effectiveWeight(projections[name]));
    return bias === undefined ? rows : add(rows, bias);
  };
  return { q: projected("q"), k: projected("k"), v: projected("v") };
}

/** `W* + scale B A`. */
export function effectiveWeight({ weight, adapter }: ReadProjection): Tensor {
  return adapter === undefined ? weight : add(weight, mul(matmul(adapter.b, adapter.a), adapter.scale));
}

/** A checked matrix of a dtype. */
export function readMatrix(owner: string, name: string, value: TensorLike, dtype: "float32" | "float64"): Tensor {
  if (value === undefined || value === null) {
    throw new ValueError(`${owner}: ${name} is missing; give a matrix`);
  }
  const matrix = asTensor(value, dtype);
  if (matrix.rank !== 2) throw new ShapeError(`${owner}: ${name} has shape [${matrix.shape}]; give a matrix`);
  requireFinite(owner, name, matrix);
  return matrix;
}

function readProjection(
  owner: string,
  name: ProjectionName,
  value: LoraProjection | FrozenProjection,
  dimension: number,
  dtype: "float32" | "float64",
): ReadProjection {
  const weight = readMatrix(owner, `the weight of ${name}`, weightOf(value), dtype);
  const [rows, width] = weight.shape;
  if (rows !== dimension || width === 0) {
    throw new ShapeError(
      `${owner}: the weight of ${name} has shape [${weight.shape}]; tokens of ${dimension} numbers need [${dimension}, d]`,
    );
  }
  if (!isRecord(value)) return { weight, bias: undefined, adapter: undefined };
  let bias: Tensor | undefined;
  if (value.bias !== undefined) {
    bias = asTensor(value.bias, dtype);
    if (bias.shape.join() !== String(width)) {
      throw new ShapeError(`${owner}: the bias of ${name} has shape [${bias.shape}]; it must be [${width}]`);
    }
    requireFinite(owner, `the bias of ${name}`, bias);
  }
  checkOptions(`${owner}: ${name}`, value, ["weight", "bias", "b", "a", "alpha", "scaling"]);
  return {
    weight,
    bias,
    adapter: "b" in value || "a" in value ? readAdapter(owner, name, value as LoraProjection, weight) : undefined,
  };
}

function readAdapter(owner: string, name: string, value: LoraProjection, weight: Tensor): ReadAdapter {
  const { dtype } = weight as { dtype: "float32" | "float64" };
  const b = readMatrix(owner, `b of ${name}`, value.b, dtype);
  const a = readMatrix(owner, `a of ${name}`, value.a, dtype);
  const [rows, width] = weight.shape;
  const rank = a.shape[0];
  if (rank < 1) throw new ShapeError(`${owner}: the adapter of ${name} has rank 0; it must be 1 at least`);
  if (b.shape[0] !== rows || b.shape[1] !== rank || a.shape[1] !== width) {
    throw new ShapeError(
      `${owner}: the adapter of ${name} has b [${b.shape}] and a [${a.shape}]; a weight [${weight.shape}] needs ` +
        `[${rows}, r] and [r, ${width}]`,
    );
  }
  const { alpha = rank, scaling = "lora" } = value;
  requirePositive(owner, `alpha of ${name}`, alpha);
  if (scaling !== "lora" && scaling !== "rslora") {
    throw new ValueError(`${owner}: scaling of ${name} is "${String(scaling)}"; it must be "lora" or "rslora"`);
  }
  return { b, a, scale: alpha / (scaling === "lora" ? rank : Math.sqrt(rank)) };
}

function weightOf(value: LoraProjection | FrozenProjection): TensorLike {
  return isRecord(value) ? value.weight : value;
}

function isRecord(value: LoraProjection | FrozenProjection): value is Exclude<typeof value, TensorLike> {
  return typeof value === "object" && value !== null && "weight" in value;
}

function isFloat32(value: TensorLike): boolean {
  return (value as Partial<Tensor> | null | undefined)?.dtype === "float32";
}
