import { basename, extname } from "node:path";
import { type CommandInput, defineCommand, option, seedOption, stateOptions } from "@offprint/commands";
import { loadFile } from "@offprint/data/node";
import { ValueError } from "@offprint/tensor-core";
import { outOfFrame } from "../src/frame.js";
import {
  type BspShape,
  type ConvexPolygon,
  extractMesh,
  extractPolygons,
  type FitShapeRecord,
  type FitShapeState,
  fitShape,
  implicitMesh,
  loadModel,
  type MeshOptions,
  type PolyMesh,
  shapesOf,
  type TrainedModel,
  writeGltf,
  writeMtl,
  writeObj,
  writePly,
  writeSvg,
} from "../src/index.js";
import { readShape, type ShapeInput } from "./shape-input.js";

const endings = [".obj", ".ply", ".gltf", ".svg"] as const;
const options = {
  output: option.fileOut("file to write", { short: "o", default: "shape.obj", endings }),
  model: option.fileIn("a trained model (safetensors); without one the shape itself is fitted", { short: "m" }),
  index: option.integer("which shape, where the file holds several", { default: 0, least: 0 }),
  convexes: option.integer("convexes to fit with", { default: 24, least: 1 }),
  planes: option.integer("planes of each convex", { default: 10, least: 1 }),
  steps: option.integer("steps of the fit", { default: 2000, least: 1 }),
  points: option.integer("points that voxels or a mesh are asked about", { default: 1_000_000, least: 1 }),
  overlap: option.flag("push convexes apart while fitting"),
  ...seedOption,
  resolution: option.integer("cells per axis on which convexes must hold one", { default: 64, least: 2 }),
  keepRedundant: option.flag("keep convexes that others cover"),
  union: option.flag("one watertight mesh of the union in place of one for each convex"),
  weld: option.number("join vertices of a convex that are nearer than this", { default: 0, least: 0 }),
  ...stateOptions,
};
/** Options that say how a shape is fitted. */
const ofTheFit = [
  ...(["convexes", "planes", "steps", "points", "overlap"] as const),
  ...(Object.keys(stateOptions) as (keyof typeof stateOptions)[]),
];
const places = {
  input: option.fileIn(
    ".npz with points [n, d] and values [n] (1 inside), voxels [R, R, R], or inputs of a model; or a closed mesh: .obj, .ply, .stl",
    { required: true },
  ),
};

type Input = CommandInput<typeof places, typeof options>;

/** `offprint mesh-shape points.npz --output shape.obj` */
export const meshShape = defineCommand({
  name: "mesh-shape",
  summary: "Make a compact polygonal mesh of a shape given by occupancy samples, voxels or a mesh",
  arguments: places,
  options,
  async run(input: Input) {
    const { options: chosen, print, report, refuse } = input;
    const { output, resolution } = chosen;
    if (chosen.model !== undefined) refuse(ofTheFit, "with --model nothing is fitted");
    const path = input.arguments.input;
    const trained = chosen.model === undefined ? undefined : await loadFile(chosen.model, (b) => loadModel(b));
    const shape = await readShape(path, chosen.index);
    print(`${basename(path)}: ${shape.description}`);
    if (shape.dim === 2) {
      refuse(["union", "weld"], "they are of meshes and this shape is in 2D");
      if (extname(output).toLowerCase() !== ".svg") {
        throw new ValueError(`--output ${output}: polygons in 2D are written as .svg`);
      }
    }
    if (shape.target !== undefined && "points" in shape.target) refuse(["points"], "the file holds its own points");
    const settings: MeshOptions = {
      resolution,
      removeRedundant: !chosen.keepRedundant,
      union: chosen.union,
      weld: chosen.weld,
    };
    const result =
      trained === undefined ? await fitted(input, shape, settings) : decoded(input, trained, shape, settings);
    await writeShape(input, output, result);
    report(describe(result));
  },
});

type Result = PolyMesh | (ConvexPolygon & { convex: number })[];

function extracted(shape: BspShape, settings: MeshOptions, note: (line: string) => void): Result {
  if (shape.unconnected.length > 0) {
    note(`Warning: ${shape.unconnected.length} convexes are connected with no plane and are left out`);
  }
  const { resolution, removeRedundant } = settings;
  return shape.dim === 2 ? extractPolygons(shape, { resolution, removeRedundant }) : extractMesh(shape, settings);
}

async function fitted(
  { options: chosen, longRun, note }: Input,
  { target, dim }: ShapeInput,
  settings: MeshOptions,
): Promise<Result> {
  if (target === undefined) throw new ValueError("the file has nothing to fit a shape to; give --model");
  const { convexes, planes: planesPerConvex, steps, points: poolSize, overlap, seed } = chosen;
  const run = await longRun<FitShapeRecord, FitShapeState>({
    progress: ({ step, loss }) => ({ fraction: step / steps, label: `step ${step}, loss ${loss.toPrecision(3)}` }),
    every: 50,
  });
  const fit = await fitShape(target, {
    dim,
    convexes,
    planesPerConvex,
    steps,
    poolSize,
    overlap,
    seed,
    ...run.options,
  });
  await run.settle(fit);
  return extracted(fit.shape, settings, note);
}

function decoded({ note, refuse }: Input, trained: TrainedModel, shape: ShapeInput, settings: MeshOptions): Result {
  const encoded = shape.encoded(trained.model.options.resolution);
  if (encoded === undefined) {
    throw new ValueError(
      "--model: its encoder sees voxels or images; give an .npz file with voxels or inputs, or a mesh",
    );
  }
  const codes = trained.model.encode(trained.params, encoded);
  if (trained.params.tree === null || trained.model.options.primitive !== "plane" || trained.phase === 0) {
    refuse(["keepRedundant", "union", "weld"], "the model has no exact convexes");
    note("the model has no exact convexes; its surface is found by marching cubes");
    const mesh = implicitMesh(trained, codes, settings.resolution);
    return { ...mesh, vertices: outOfFrame(mesh.vertices, shape.frame) };
  }
  const [own] = shapesOf(trained, codes);
  return extracted({ ...own, ...(shape.frame && { frame: shape.frame }) }, settings, note);
}

async function writeShape({ write }: Input, output: string, result: Result): Promise<void> {
  const ending = extname(output).toLowerCase();
  if (ending === ".svg") return write(output, writeSvg(result));
  if (!("faces" in result)) throw new ValueError(`--output ${output}: polygons in 2D are written as .svg`);
  if (ending === ".ply") return write(output, writePly(result));
  if (ending === ".gltf") return write(output, writeGltf(result));
  const materials = `${output.slice(0, -ending.length)}.mtl`;
  await write(materials, writeMtl(result));
  await write(output, writeObj(result, basename(materials)));
}

function describe(result: Result): [string, number][] {
  if (!("faces" in result)) {
    const vertices = result.reduce((count, polygon) => count + polygon.vertices.length / 2, 0);
    return [
      ["convex polygons", result.length],
      ["vertices", vertices],
    ];
  }
  return [
    ["convexes", new Set(result.convexOfFace).size],
    ["vertices", result.vertices.length / 3],
    ["faces", result.faces.length],
  ];
}
