import {
  cast,
  checkOptions,
  div,
  isTensor,
  jitSync,
  onesLike,
  requireFunction,
  requireInteger,
  requireObject,
  reshape,
  ShapeError,
  slice,
  stack,
  type Tensor,
  tree,
  vjp,
  zeros,
} from "@offprint/tensor-core";
import { type FloatType, floatOf, requireExtents } from "./batch.js";
import { isLpn, type LpnParams, type ProxModel } from "./network.js";

/** A denoiser in the place of a proximal operator: batches `[n, ...shape]` to the same. `proximal.l1(0.1)` of solvers is one. */
export interface Prox {
  /** The denoised batch. */
  (y: Tensor): Tensor | Promise<Tensor>;
  /** Of learned proximal networks also `psi(y)`, `[n]`, with which the objective of a reconstruction can be followed. */
  readonly withPotential?: (y: Tensor) => { readonly x: Tensor; readonly psi: Tensor };
}

/** A trained model as a compiled denoiser. */
export interface CompiledProx extends Prox {
  /** At once. */
  (y: Tensor): Tensor;
  /** Frees what was compiled. */
  release(): void;
}

/**
 * A trained model as the denoiser of {@link pnpGradientDescent} and {@link pnpAdmm}: compiled, in the precision of its
 * parameters, whatever that of its input.
 * @throws ValueError, ShapeError for parameters of an `lpn` that are not convex or not finite.
 */
export function proxOf<P>(model: ProxModel<P>, params: P): CompiledProx {
  requireObject("proxOf", "model", model, "a ProxModel");
  if (isLpn(model)) model.assertConvex(params as LpnParams);
  const dtype = tree.leaves<Tensor>(params)[0].dtype as FloatType;
  const run = jitSync((y: Tensor, p: P) => cast(model.prox(p, cast(y, dtype)), floatOf(y, dtype)));
  const denoise = (y: Tensor) => run(y, params);
  if (!isLpn(model)) return Object.assign(denoise, { release: () => run.release() });
  const convex = params as LpnParams;
  const both = jitSync((y: Tensor, p: LpnParams) => {
    const at = cast(y, dtype);
    const to = floatOf(y, dtype);
    return { x: cast(model.prox(p, at), to), psi: cast(model.potential(p, at), to) };
  });
  return Object.assign(denoise, {
    withPotential: (y: Tensor) => both(y, convex),
    release() {
      run.release();
      both.release();
    },
  });
}

/** Settings of {@link patchProx}. */
export interface PatchOptions {
  /** `[channels, height, width]` of the whole images. */
  readonly shape: readonly [channels: number, height: number, width: number];
  /** Height and width of a patch. */
  readonly patch: number;
  /** Distance of neighbouring patches, at most `patch`. Default half of it. */
  readonly stride?: number;
}

/**
 * A denoiser of patches applied to larger images: patches overlap, and where they do their results are averaged. The last row
 * and column of patches end at the border. The whole is **not exactly a proximal operator** any more, and has no potential.
 * @param prox A denoiser of `[n, channels, patch, patch]`.
 * @throws ValueError, ShapeError
 */
export function patchProx(prox: Prox, options: PatchOptions): Prox {
  requireFunction("patchProx", "prox", prox);
  const owner = "patchProx";
  checkOptions(owner, options, ["shape", "patch", "stride"], ["shape", "patch"]);
  const { shape, patch, stride = Math.max(1, Math.floor(patch / 2)) } = options;
  requireExtents(owner, "shape", shape);
  if (shape.length !== 3) throw new ShapeError(`${owner}: shape is [${shape}]; give [channels, height, width]`);
  const [channels, height, width] = shape;
  requireInteger(owner, "patch", patch, 1, Math.min(height, width));
  requireInteger(owner, "stride", stride, 1, patch);
  const places = (extent: number) => {
    const last = extent - patch;
    return [...Array.from({ length: Math.ceil(last / stride) }, (_, i) => i * stride), last];
  };
  const corners = places(height).flatMap((top) => places(width).map((left) => [top, left] as const));
  const cut = (images: Tensor) =>
    stack(corners.map(([top, left]) => slice(images, [null, null, range(top, patch), range(left, patch)])));
  const extract = jitSync(cut);
  // The adjoint of cutting puts patches back and adds where they overlap.
  const putBack = jitSync((patches: Tensor) => {
    const blank = zeros([patches.shape[1], channels, height, width], patches.dtype as "float64");
    const [, pullback] = vjp(cut, blank);
    return div(pullback(patches)[0] as Tensor, pullback(onesLike(patches))[0] as Tensor);
  });
  return (images) => {
    if (!isTensor(images) || String(images.shape.slice(1)) !== String(shape)) {
      throw new ShapeError(`${owner}: images have shape [${images?.shape}]; give [n, ${shape.join(", ")}]`);
    }
    const count = images.shape[0];
    const patches = reshape(extract(images), [corners.length * count, channels, patch, patch]);
    const back = (denoised: Tensor) => putBack(reshape(denoised, [corners.length, count, channels, patch, patch]));
    const denoised = prox(patches);
    return denoised instanceof Promise ? denoised.then(back) : back(denoised);
  };
}

function range(start: number, length: number) {
  return { start, stop: start + length };
}
