import {
  add,
  asTensor,
  cast,
  checkOptions,
  clip,
  expandDims,
  greater,
  matmul,
  min,
  mul,
  relu,
  reshape,
  ShapeError,
  sub,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { features, type Primitive } from "./features.js";
import { type Phase, requirePhase } from "./phase.js";

/** A primitive belongs to a convex where their connection is larger. */
export const CONNECTED = 0.01;

/** A point is inside a convex where C* is smaller. */
export const INSIDE = 0.01;

/** What is added to C* of a convex that is switched off. */
const FAR = 1e6;

/** What the tree of layers 2 and 3 gives. */
export interface BspOutput {
  /** `[batch, n, convexes]`: C+ (1 inside, 0 outside) in phase 0, else C* (0 inside, growing outside). */
  readonly convexes: Tensor;
  /** `[batch, n, 1]`: S+ (1 inside) in phase 0, else S* (0 inside). */
  readonly occupancy: Tensor;
}

/** Options of `bspDecode`. */
export interface DecodeOptions {
  /** `[convexes]`: 1 keeps a convex, 0 switches it off. Default all 1. */
  convexMask?: TensorLike;
  /** What the columns of `planes` are. Default `plane`. */
  primitive?: Primitive;
}

/** T_b: 1 where a connection is larger than 0.01, else 0, in the dtype of T. It has no gradient. */
export function binaryConnections(T: TensorLike): Tensor {
  const t = asTensor(T);
  return cast(greater(t, CONNECTED), t.dtype);
}

function checkShapes(points: Tensor, planes: Tensor, T: Tensor, W: Tensor | null, rows: number): void {
  if (points.rank !== 3 || planes.rank !== 3 || points.shape[0] !== planes.shape[0]) {
    throw new ShapeError(
      `bspDecode: points [${points.shape}] and planes [${planes.shape}] must be [batch, n, d] and [batch, ${rows}, p]`,
    );
  }
  if (planes.shape[1] !== rows) {
    throw new ShapeError(`bspDecode: planes have shape [${planes.shape}]; these points need [batch, ${rows}, p]`);
  }
  if (T.rank !== 2 || T.shape[0] !== planes.shape[2]) {
    throw new ShapeError(
      `bspDecode: T has shape [${T.shape}]; for planes [${planes.shape}] give [${planes.shape[2]}, c]`,
    );
  }
  if (W !== null && (W.rank !== 2 || W.shape[0] !== T.shape[1] || W.shape[1] !== 1)) {
    throw new ShapeError(`bspDecode: W has shape [${W.shape}]; for T [${T.shape}] give [${T.shape[1]}, 1]`);
  }
}

/** Throws for a mask with entries beside 0 and 1, where they are known and not of a trace. */
function requireSwitches(mask: Tensor): void {
  if (mask.storage.kind !== "host") return;
  const bad = mask.data().find((x) => Number(x) !== 0 && Number(x) !== 1);
  if (bad !== undefined)
    throw new ValueError(`bspDecode: convexMask holds ${bad}; give 1 to keep a convex and 0 to switch it off`);
}

/**
 * The decoder: layer 1 measures how far points are outside each half-space, layer 2 joins half-spaces to convexes,
 * layer 3 convexes to the shape. A point is inside a convex where `x Q_j <= 0` for all its planes. Pure and traceable.
 * @param points `[batch, n, d]`, in [-1/2, 1/2]^d
 * @param planes Q, `[batch, d + 1, p]`
 * @param T connections `[p, c]`
 * @param W weights of convexes `[c, 1]`; used in phase 0 only, null for none
 * @throws ShapeError where shapes do not fit; ValueError for a phase that does not exist, or phase 0 without W.
 * @see equations 1 to 5 of the paper
 */
export function bspDecode(
  points: TensorLike,
  planes: TensorLike,
  T: TensorLike,
  W: TensorLike | null,
  phase: Phase,
  options: DecodeOptions = {},
): BspOutput {
  checkOptions("bspDecode", options, ["convexMask", "primitive"]);
  const rule = requirePhase("bspDecode", phase);
  const x = features(points, options.primitive ?? "plane");
  const q = asTensor(planes);
  const t = asTensor(T);
  const w = W === null ? null : asTensor(W);
  checkShapes(x, q, t, w, x.shape[x.rank - 1]);
  const mask = options.convexMask === undefined ? null : cast(asTensor(options.convexMask), t.dtype);
  if (mask !== null && (mask.rank !== 1 || mask.shape[0] !== t.shape[1])) {
    throw new ShapeError(`bspDecode: convexMask has shape [${mask.shape}]; give [${t.shape[1]}], one per convex`);
  }
  if (mask !== null) requireSwitches(mask);
  const [batch, n] = x.shape;
  const [p, c] = t.shape;
  const d = reshape(relu(matmul(x, q)), [batch * n, p]);
  const shaped = (y: Tensor) => reshape(y, [batch, n, y.shape[1]]);
  if (rule.continuous) {
    if (w === null) throw new ShapeError(`bspDecode: phase 0 sums convexes with W; give it as [${c}, 1], not null`);
    const inside = clip(sub(1, matmul(d, t)), 0, 1);
    const convexes = mask === null ? inside : mul(inside, mask);
    return { convexes: shaped(convexes), occupancy: shaped(clip(matmul(convexes, w), 0, 1)) };
  }
  const outside = matmul(d, rule.binary ? binaryConnections(t) : t);
  const convexes = mask === null ? outside : add(outside, mul(sub(1, mask), FAR));
  return { convexes: shaped(convexes), occupancy: shaped(expandDims(min(convexes, { axis: 1 }), 1)) };
}
