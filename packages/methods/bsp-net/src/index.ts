export {
  type AutoEncoderOptions,
  type AutoEncoderParams,
  type BspAutoEncoder,
  bspAutoEncoder,
  type DecoderKind,
  type ShapeBatch,
} from "./auto-encoder.js";
export { type BoxCoverOptions, boxCover } from "./baselines/box-cover.js";
export { convexHull } from "./baselines/convex-hull.js";
export { type ConvexPolygon, intersectHalfplanes, polygonArea } from "./convex-polygon.js";
export { type ConvexMesh, type IntersectionOptions, intersectHalfspaces } from "./convex-polyhedron.js";
export { type BspOutput, bspDecode, type DecodeOptions } from "./decoder.js";
export { type ConvEncoderOptions, convEncoder } from "./encoder.js";
export {
  extractMesh,
  extractPolygons,
  type KeepOptions,
  type MeshOptions,
  type PolygonOptions,
} from "./extract-mesh.js";
export type { Dim, Primitive } from "./features.js";
export {
  type FitOptions,
  type FitPoint,
  type FitRecord,
  type FitResult,
  type FitState,
  fitAutoEncoder,
  paperSchedule,
  type Stage,
} from "./fit-auto-encoder.js";
export { type FitCodesOptions, type FitCodesResult, fitCodes } from "./fit-codes.js";
export {
  type FitShapeOptions,
  type FitShapePoint,
  type FitShapeRecord,
  type FitShapeResult,
  type FitShapeState,
  fitShape,
} from "./fit-shape.js";
export type { FitTarget, SurfaceMesh } from "./fit-target.js";
export type { Frame } from "./frame.js";
export { fcDecode } from "./generic-decoder.js";
export { type ImageEncoderOptions, imageEncoder } from "./image-encoder.js";
export { type BspLoss, bspLoss, overlapLoss } from "./losses.js";
export { type MarchingCubesOptions, marchingCubes, type TriMesh } from "./marching-cubes.js";
export { meshOccupancy, type Surface } from "./mesh-occupancy.js";
export { readMesh, readObj, readStl } from "./mesh-readers.js";
export { writeGltf, writeMtl, writeObj, writePly } from "./mesh-writers.js";
export {
  chamferDistance,
  type EdgeOptions,
  edgeChamferDistance,
  iou,
  normalConsistency,
  type SampleOptions,
  type SurfacePoints,
  sampleSurface,
} from "./metrics.js";
export { loadModel, saveModel } from "./model-file.js";
export { loadOfficialCheckpoint, saveOfficialCheckpoint } from "./official-checkpoint.js";
export type { Phase } from "./phase.js";
export { readPly } from "./ply-reader.js";
export type { Occupancy, PointSamples } from "./point-pool.js";
export { convexParts, type MeshTopology, meshArea, meshTopology, meshVolume, type PolyMesh } from "./poly-mesh.js";
export { type ProjectedPolygon, projectMesh, type ViewOptions } from "./projection.js";
export { type BspShape, type BspShapeOptions, bspShape, type Convex, contains, distances } from "./shape.js";
export { type SampledShapes, type SampledShapesOptions, type ShapeSource, shapeSamples } from "./shape-source.js";
export { type SvgOptions, writeSvg } from "./svg-drawing.js";
export {
  implicitMesh,
  occupancyGrid,
  type SampleShapesOptions,
  type ShapesOptions,
  sampleShapes,
  shapesOf,
  type TrainedModel,
} from "./trained-shapes.js";
export type { Posterior } from "./variational.js";
export { type VoxelShapesOptions, voxelShapes } from "./voxel-source.js";
export { fitIntoUnitCube, voxelize } from "./voxelize.js";
export { type VoxelGrid, voxelGrid, voxelOccupancy } from "./voxels.js";
