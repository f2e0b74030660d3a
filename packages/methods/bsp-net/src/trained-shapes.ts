import {
  asTensor,
  checkOptions,
  clip,
  random,
  requireInteger,
  requireObject,
  ShapeError,
  slice,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import type { AutoEncoderParams, BspAutoEncoder } from "./auto-encoder.js";
import { marchingCubes, type TriMesh } from "./marching-cubes.js";
import type { Phase } from "./phase.js";
import { type BspShape, bspShape } from "./shape.js";
import { cellCentres } from "./used-convexes.js";

/** A model with its parameters and the phase that they were trained in. */
export interface TrainedModel {
  /** The model. */
  readonly model: BspAutoEncoder;
  /** Its parameters. */
  readonly params: AutoEncoderParams;
  /** Phase of its last stage. */
  readonly phase: Phase;
}

/** Options of `shapesOf`. */
export interface ShapesOptions {
  /** Whether to read phase-0 weights as if they were discrete, which they are not: shapes come out wrong. Default false. */
  force?: boolean;
  /** A plane belongs to a convex where their connection is larger, > 0. Default 0.01. */
  threshold?: number;
}

/**
 * The shapes of codes `[batch, codeSize]`, as unions of convexes.
 * @throws ValueError for weights of phase 0 without `force`, generic decoders and quadrics, which have no convex
 * polyhedra: mesh them with `implicitMesh`.
 */
export function shapesOf(trained: TrainedModel, codes: TensorLike, options: ShapesOptions = {}): BspShape[] {
  requireObject("shapesOf", "trained", trained, "a TrainedModel");
  checkOptions("shapesOf", options, ["force", "threshold"]);
  const { model, params, phase } = trained;
  const { force = false, threshold } = options;
  if (params.tree === null || model.options.primitive !== "plane") {
    throw new ValueError("shapesOf: only planes joined by the tree make convexes; use implicitMesh for this model");
  }
  if (phase === 0 && !force) {
    throw new ValueError(
      "shapesOf: after phase 0 connections are not binary and planes don't bound the shape; train phase 1, 2, 3 or 4, " +
        "mesh it with implicitMesh, or give force: true",
    );
  }
  const { T } = params.tree;
  const planes = model.primitives(params, codes);
  return Array.from({ length: planes.shape[0] }, (_, i) => {
    return bspShape(slice(planes, [i]), T, threshold === undefined ? {} : { threshold });
  });
}

/** Options of `sampleShapes`. */
export interface SampleShapesOptions extends ShapesOptions {
  /** Source of the codes. Default 0. */
  seed?: number | string;
}

/**
 * New shapes of a VAE, from codes of the standard normal distribution.
 * @throws ValueError unless the model is variational.
 */
export function sampleShapes(trained: TrainedModel, count: number, options: SampleShapesOptions = {}): BspShape[] {
  checkOptions("sampleShapes", options, ["seed", "force", "threshold"]);
  requireInteger("sampleShapes", "count", count, 1);
  const { model, params } = trained;
  if (!model.options.variational) {
    throw new ValueError("sampleShapes: the model is not variational; train one made with variational: true");
  }
  const dtype = params.tree?.T.dtype === "float64" ? "float64" : "float32";
  const { seed = 0, ...how } = options;
  const codes = random.rng(seed).normal([count, model.codeSize], { dtype });
  return shapesOf(trained, codes, how);
}

/** Points decoded at once. */
const CHUNK = 4096;

/**
 * The occupancy of one code at the centres of a grid's cells, 1 inside: S+ and generic decoders as they are,
 * `clip(1 - S*, 0, 1)` for the discrete phases. `[R, R]` or `[R, R, R]`.
 * @param code `[codeSize]` or `[1, codeSize]`
 * @param resolution R, up to 8192 in 2D, 512 in 3D
 */
export function occupancyGrid(trained: TrainedModel, code: TensorLike, resolution: number): Tensor {
  requireObject("occupancyGrid", "trained", trained, "a TrainedModel");
  const { model, params, phase } = trained;
  const { dim } = model.options;
  const given = asTensor(code);
  if (given.size !== model.codeSize) {
    throw new ShapeError(`occupancyGrid: the code has shape [${given.shape}]; give one of ${model.codeSize} values`);
  }
  const z = given.reshape([1, model.codeSize]);
  const points = cellCentres(dim, resolution, "occupancyGrid");
  const n = points.length / dim;
  const result = new Float32Array(n);
  const continuous = phase === 0 || params.tree === null;
  for (let start = 0; start < n; start += CHUNK) {
    const some = Float32Array.from(points.subarray(start * dim, Math.min(n, start + CHUNK) * dim));
    const { occupancy } = model.decode(params, z, tensor(some, { shape: [1, some.length / dim, dim] }), phase);
    result.set((continuous ? occupancy : clip(sub(1, occupancy), 0, 1)).data(), start);
  }
  return tensor(result, { shape: new Array(dim).fill(resolution) });
}

/**
 * The mesh of one code by marching cubes, for models that have no exact one: at 1/2 of S+ and of generic decoders, at
 * 0.99 of `clip(1 - S*, 0, 1)`.
 * @param resolution cells per axis, up to 512. Default 64.
 * @throws ValueError for a model in 2D.
 */
export function implicitMesh(trained: TrainedModel, code: TensorLike, resolution = 64): TriMesh {
  requireObject("implicitMesh", "trained", trained, "a TrainedModel");
  if (trained.model.options.dim !== 3) throw new ValueError("implicitMesh: the model is in 2D; it takes one in 3D");
  const continuous = trained.phase === 0 || trained.params.tree === null;
  return marchingCubes(occupancyGrid(trained, code, resolution), continuous ? 0.5 : 0.99);
}
