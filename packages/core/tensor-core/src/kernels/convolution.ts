import { type FloatArray, rowMajor, transposed, zerosLike } from "./arrays.js";
import { type Axes, addFromColumns, axesOf, toColumns } from "./columns.js";
import { matmul } from "./matmul.js";

/** Sizes of a convolution over 1, 2 or 3 spatial axes; the arrays of one entry per axis have the same length. */
export interface ConvGeometry {
  readonly batch: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** Divides both numbers of channels. */
  readonly groups: number;
  readonly inSpatial: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilation: readonly number[];
  /** Zeros before and after the input along each axis. */
  readonly padding: readonly (readonly [low: number, high: number])[];
  /** floor((in + low + high - dilation (kernel - 1) - 1) / stride) + 1 along each axis. */
  readonly outSpatial: readonly number[];
}

/** Elements of the matrix of input patches that is built at a time. */
const PATCH_ELEMENTS = 1 << 20;

interface Plan {
  readonly axes: Axes;
  /** Channels of one group. */
  readonly inGroup: number;
  readonly outGroup: number;
  /** Elements of one channel. */
  readonly inPlane: number;
  readonly outPlane: number;
  /** Elements of one patch: input channels of a group times kernel size. */
  readonly patch: number;
  /** Images whose patches form one matrix. */
  readonly images: number;
}

function product(values: readonly number[]): number {
  return values.reduce((result, value) => result * value, 1);
}

function planOf(g: ConvGeometry): Plan {
  const inGroup = g.inChannels / g.groups;
  const outPlane = product(g.outSpatial);
  const patch = inGroup * product(g.kernel);
  const images = Math.max(1, Math.min(g.batch, Math.floor(PATCH_ELEMENTS / Math.max(1, patch * outPlane))));
  return {
    axes: axesOf(g),
    inGroup,
    outGroup: g.outChannels / g.groups,
    inPlane: product(g.inSpatial),
    outPlane,
    patch,
    images,
  };
}

/** Calls `body` with every run of images and every group. */
function forBlocks(g: ConvGeometry, plan: Plan, body: (first: number, images: number, group: number) => void): void {
  for (let first = 0; first < g.batch; first += plan.images) {
    for (let group = 0; group < g.groups; group++) body(first, Math.min(plan.images, g.batch - first), group);
  }
}

/** The patches of some images side by side: [patch, images * outPlane]. */
function gatherPatches(
  x: FloatArray,
  g: ConvGeometry,
  plan: Plan,
  first: number,
  images: number,
  group: number,
  to: FloatArray,
): void {
  const width = images * plan.outPlane;
  for (let i = 0; i < images; i++) {
    const image = ((first + i) * g.inChannels + group * plan.inGroup) * plan.inPlane;
    toColumns(x, image, plan.inGroup, plan.axes, to, i * plan.outPlane, width);
  }
}

/** The output channels of one group of some images, [outGroup, images * outPlane], from or to [batch, channels, plane]. */
function moveOutputs(
  outputs: FloatArray,
  matrix: FloatArray,
  g: ConvGeometry,
  plan: Plan,
  first: number,
  images: number,
  group: number,
  gather: boolean,
): void {
  const { outPlane, outGroup } = plan;
  for (let i = 0; i < images; i++) {
    for (let c = 0; c < outGroup; c++) {
      const at = ((first + i) * g.outChannels + group * outGroup + c) * outPlane;
      const inMatrix = (c * images + i) * outPlane;
      if (gather) matrix.set(outputs.subarray(at, at + outPlane), inMatrix);
      else outputs.set(matrix.subarray(inMatrix, inMatrix + outPlane), at);
    }
  }
}

/**
 * Cross-correlation of x[batch, inChannels, ...inSpatial] with w[outChannels, inChannels / groups, ...kernel], both
 * contiguous.
 *
 * @returns [batch, outChannels, ...outSpatial]
 */
export function convForward<A extends FloatArray>(x: A, w: A, geometry: ConvGeometry): A {
  const plan = planOf(geometry);
  const { outGroup, outPlane, patch } = plan;
  const out = zerosLike(x, geometry.batch * geometry.outChannels * outPlane);
  const patches = zerosLike(x, patch * plan.images * outPlane);
  const result = zerosLike(x, outGroup * plan.images * outPlane);
  forBlocks(geometry, plan, (first, images, group) => {
    const width = images * outPlane;
    gatherPatches(x, geometry, plan, first, images, group, patches);
    const weights = rowMajor(w, patch, group * outGroup * patch);
    matmul(outGroup, width, patch, weights, rowMajor(patches, width), rowMajor(result, width));
    moveOutputs(out, result, geometry, plan, first, images, group, false);
  });
  return out;
}

/**
 * Gradient with respect to the input, given g[batch, outChannels, ...outSpatial].
 *
 * @returns [batch, inChannels, ...inSpatial]
 */
export function convInputGrad<A extends FloatArray>(g: A, w: A, geometry: ConvGeometry): A {
  const plan = planOf(geometry);
  const { inGroup, outGroup, outPlane, inPlane, patch } = plan;
  const out = zerosLike(g, geometry.batch * geometry.inChannels * inPlane);
  const patches = zerosLike(g, patch * plan.images * outPlane);
  const incoming = zerosLike(g, outGroup * plan.images * outPlane);
  forBlocks(geometry, plan, (first, images, group) => {
    const width = images * outPlane;
    moveOutputs(g, incoming, geometry, plan, first, images, group, true);
    const weights = transposed(rowMajor(w, patch, group * outGroup * patch));
    matmul(patch, width, outGroup, weights, rowMajor(incoming, width), rowMajor(patches, width));
    for (let i = 0; i < images; i++) {
      const image = ((first + i) * geometry.inChannels + group * inGroup) * inPlane;
      addFromColumns(patches, i * outPlane, width, inGroup, plan.axes, out, image);
    }
  });
  return out;
}

/**
 * Gradient with respect to the kernel, given x[batch, inChannels, ...inSpatial] and g[batch, outChannels,
 * ...outSpatial].
 *
 * @returns [outChannels, inChannels / groups, ...kernel]
 */
export function convKernelGrad<A extends FloatArray>(x: A, g: A, geometry: ConvGeometry): A {
  const plan = planOf(geometry);
  const { outGroup, outPlane, patch } = plan;
  const out = zerosLike(x, geometry.outChannels * patch);
  const patches = zerosLike(x, patch * plan.images * outPlane);
  const incoming = zerosLike(x, outGroup * plan.images * outPlane);
  forBlocks(geometry, plan, (first, images, group) => {
    const width = images * outPlane;
    gatherPatches(x, geometry, plan, first, images, group, patches);
    moveOutputs(g, incoming, geometry, plan, first, images, group, true);
    const into = rowMajor(out, patch, group * outGroup * patch);
    matmul(outGroup, patch, width, rowMajor(incoming, width), transposed(rowMajor(patches, width)), into, true);
  });
  return out;
}
