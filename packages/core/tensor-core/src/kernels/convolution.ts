import { type FloatArray, rowMajor, transposed, zerosLike } from "./arrays.js";
import { type Axes, addFromColumns, axesOf, type Lines, toColumns } from "./columns.js";
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
/** The same where nothing is added up over it: so few that they stay in the cache. */
const FORWARD_PATCH_ELEMENTS = 1 << 17;

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
  /** Lines of outputs of an image whose patches do; all of them where there are several images. */
  readonly lines: number;
  /** Columns of the widest matrix of patches. */
  readonly width: number;
}

/** What is computed at a time: some lines of outputs of some images, for one group of channels. */
interface Block {
  readonly first: number;
  readonly images: number;
  readonly group: number;
  readonly lines: Lines;
  /** Output places of an image. */
  readonly places: number;
}

function product(values: readonly number[]): number {
  return values.reduce((result, value) => result * value, 1);
}

function planOf(g: ConvGeometry, elements = PATCH_ELEMENTS): Plan {
  const inGroup = g.inChannels / g.groups;
  const outPlane = product(g.outSpatial);
  const patch = inGroup * product(g.kernel);
  const axes = axesOf(g);
  const [d, h, w] = axes;
  const all = d.outSize * h.outSize;
  const images = Math.max(1, Math.min(g.batch, Math.floor(elements / Math.max(1, patch * outPlane))));
  const fitting = Math.floor(elements / Math.max(1, patch * w.outSize));
  const lines = images > 1 ? all : Math.max(1, Math.min(all, fitting));
  return {
    axes,
    inGroup,
    outGroup: g.outChannels / g.groups,
    inPlane: product(g.inSpatial),
    outPlane,
    patch,
    images,
    lines,
    width: images * lines * w.outSize,
  };
}

/** Calls `body` with every block. */
function forBlocks(g: ConvGeometry, { axes, images, lines }: Plan, body: (block: Block) => void): void {
  const [d, h, w] = axes;
  const all = d.outSize * h.outSize;
  for (let first = 0; first < g.batch; first += images) {
    for (let group = 0; group < g.groups; group++) {
      for (let from = 0; from < all; from += lines) {
        const end = Math.min(all, from + lines);
        const places = (end - from) * w.outSize;
        body({ first, images: Math.min(images, g.batch - first), group, lines: { from, end }, places });
      }
    }
  }
}

/** The patches of a block, image by image: [patch, images * places]. */
function gatherPatches(x: FloatArray, g: ConvGeometry, plan: Plan, block: Block, to: FloatArray): void {
  const { first, images, group, lines, places } = block;
  for (let i = 0; i < images; i++) {
    const image = ((first + i) * g.inChannels + group * plan.inGroup) * plan.inPlane;
    toColumns(x, image, plan.inGroup, plan.axes, lines, to, i * places, images * places);
  }
}

/** The output channels of a block, [outGroup, images * places], from or to [batch, channels, plane]. */
function moveOutputs(
  outputs: FloatArray,
  matrix: FloatArray,
  g: ConvGeometry,
  { outPlane, outGroup, axes }: Plan,
  { first, images, group, lines, places }: Block,
  gather: boolean,
): void {
  const [, , w] = axes;
  for (let i = 0; i < images; i++) {
    for (let c = 0; c < outGroup; c++) {
      const at = ((first + i) * g.outChannels + group * outGroup + c) * outPlane + lines.from * w.outSize;
      const inMatrix = (c * images + i) * places;
      if (gather) matrix.set(outputs.subarray(at, at + places), inMatrix);
      else outputs.set(matrix.subarray(inMatrix, inMatrix + places), at);
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
  const plan = planOf(geometry, FORWARD_PATCH_ELEMENTS);
  const { outGroup, outPlane, patch } = plan;
  const out = zerosLike(x, geometry.batch * geometry.outChannels * outPlane);
  const patches = zerosLike(x, patch * plan.width);
  const result = zerosLike(x, outGroup * plan.width);
  forBlocks(geometry, plan, (block) => {
    const width = block.images * block.places;
    gatherPatches(x, geometry, plan, block, patches);
    const weights = rowMajor(w, patch, block.group * outGroup * patch);
    matmul(outGroup, width, patch, weights, rowMajor(patches, width), rowMajor(result, width));
    moveOutputs(out, result, geometry, plan, block, false);
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
  const { inGroup, outGroup, inPlane, patch } = plan;
  const out = zerosLike(g, geometry.batch * geometry.inChannels * inPlane);
  const patches = zerosLike(g, patch * plan.width);
  const incoming = zerosLike(g, outGroup * plan.width);
  forBlocks(geometry, plan, (block) => {
    const { first, images, group, lines, places } = block;
    const width = images * places;
    moveOutputs(g, incoming, geometry, plan, block, true);
    const weights = transposed(rowMajor(w, patch, group * outGroup * patch));
    matmul(patch, width, outGroup, weights, rowMajor(incoming, width), rowMajor(patches, width));
    for (let i = 0; i < images; i++) {
      const image = ((first + i) * geometry.inChannels + group * inGroup) * inPlane;
      addFromColumns(patches, i * places, width, inGroup, plan.axes, lines, out, image);
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
  const { outGroup, patch } = plan;
  const out = zerosLike(x, geometry.outChannels * patch);
  const patches = zerosLike(x, patch * plan.width);
  const incoming = zerosLike(x, outGroup * plan.width);
  forBlocks(geometry, plan, (block) => {
    const width = block.images * block.places;
    gatherPatches(x, geometry, plan, block, patches);
    moveOutputs(g, incoming, geometry, plan, block, true);
    const into = rowMajor(out, patch, block.group * outGroup * patch);
    matmul(outGroup, patch, width, rowMajor(incoming, width), transposed(rowMajor(patches, width)), into, true);
  });
  return out;
}
