import { basename, extname } from "node:path";
import type { CommandInput, MethodCommand } from "@offprint/claims";
import { loadFile, saveFile } from "@offprint/data/node";
import { AbortedError, ValueError } from "@offprint/tensor-core";
import {
  type BspShape,
  type ConvexPolygon,
  extractMesh,
  extractPolygons,
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

const endings = [".obj", ".ply", ".gltf", ".svg"];

/** `offprint mesh points.npz -o shape.obj` */
export const mesh: MethodCommand = {
  name: "mesh",
  summary: "a compact polygonal mesh of a shape given by occupancy samples, voxels or a mesh",
  arguments: [
    {
      name: "input",
      description:
        ".npz with points [n, d] and values [n] (1 inside), voxels [R, R, R], or inputs of a model; or a closed mesh: .obj, .ply, .stl",
    },
  ],
  options: [
    {
      name: "output",
      short: "o",
      description: `file to write: ${endings.join(", ")}`,
      type: "string",
      default: "shape.obj",
    },
    {
      name: "model",
      description: "a trained model (safetensors); without one the shape itself is fitted",
      type: "string",
    },
    { name: "index", description: "which shape, where the file holds several", type: "number", default: 0 },
    { name: "convexes", description: "convexes to fit with", type: "number", default: 24 },
    { name: "planes", description: "planes of each convex", type: "number", default: 10 },
    { name: "steps", description: "steps of the fit", type: "number", default: 2000 },
    { name: "overlap", description: "push convexes apart while fitting", type: "boolean" },
    { name: "seed", description: "source of all randomness", type: "number", default: 0 },
    { name: "resolution", description: "cells per axis on which convexes must hold one", type: "number", default: 64 },
    { name: "keep-redundant", description: "keep convexes that others cover", type: "boolean" },
    { name: "union-boundary", description: "cut away faces inside other convexes", type: "boolean" },
    { name: "weld", description: "join vertices of a convex that are nearer than this", type: "number", default: 0 },
  ],
  run,
};

async function run(input: CommandInput): Promise<void> {
  const { options, print } = input;
  const output = String(options.output);
  const ending = extname(output).toLowerCase();
  if (!endings.includes(ending)) {
    throw new ValueError(`--output ${output}: the file must end in ${endings.join(", ")}`);
  }
  const path = String(input.arguments.input);
  const resolution = Number(options.resolution);
  const trained = options.model === undefined ? undefined : await loadFile(String(options.model), (b) => loadModel(b));
  const cells = trained?.model.options.resolution ?? resolution;
  const shape = await readShape(path, Number(options.index), cells);
  print(`${basename(path)}: ${shape.description}`);
  const settings: MeshOptions = {
    resolution,
    removeRedundant: options["keep-redundant"] !== true,
    unionBoundary: options["union-boundary"] === true,
    weld: Number(options.weld),
  };
  const result =
    trained === undefined ? await fitted(input, shape, settings) : decoded(input, trained, shape, settings);
  await write(output, ending, result);
  print(`${output}: ${describe(result)}`);
}

type Result = PolyMesh | (ConvexPolygon & { convex: number })[];

function extracted(shape: BspShape, settings: MeshOptions, print: (line: string) => void): Result {
  if (shape.unconnected.length > 0) {
    print(`warning: ${shape.unconnected.length} convexes are connected with no plane and are left out`);
  }
  return shape.dim === 2 ? extractPolygons(shape, settings) : extractMesh(shape, settings);
}

async function fitted(input: CommandInput, { target, dim }: ShapeInput, settings: MeshOptions): Promise<Result> {
  const { options, onProgress, signal, print } = input;
  if (target === undefined) throw new ValueError("the file has nothing to fit a shape to; give --model");
  const { shape, status } = await fitShape(target, {
    dim,
    convexes: Number(options.convexes),
    planesPerConvex: Number(options.planes),
    steps: Number(options.steps),
    overlap: options.overlap === true,
    seed: Number(options.seed),
    signal,
    onProgress({ step, steps, loss }) {
      if (step % 50 === 0 || step === steps) onProgress(step / steps, `step ${step}, loss ${loss.toPrecision(3)}`);
    },
  });
  if (status === "aborted") throw new AbortedError("mesh: interrupted before the fit was over");
  return extracted(shape, settings, print);
}

function decoded(
  { print }: CommandInput,
  trained: TrainedModel,
  { encoded }: ShapeInput,
  settings: MeshOptions,
): Result {
  if (encoded === undefined) {
    throw new ValueError(
      "--model: its encoder sees voxels or images; give an .npz file with voxels or inputs, or a mesh",
    );
  }
  const codes = trained.model.encode(trained.params, encoded);
  if (trained.params.tree === null || trained.model.options.primitive !== "plane" || trained.phase === 0) {
    print("the model has no exact convexes; its surface is found by marching cubes");
    return implicitMesh(trained, codes, settings.resolution);
  }
  return extracted(shapesOf(trained, codes)[0], settings, print);
}

async function write(output: string, ending: string, result: Result): Promise<void> {
  if (ending === ".svg") return saveFile(output, writeSvg(result));
  if (!("faces" in result)) throw new ValueError(`--output ${output}: polygons in 2D are written as .svg`);
  if (ending === ".ply") return saveFile(output, writePly(result));
  if (ending === ".gltf") return saveFile(output, writeGltf(result));
  const materials = `${output.slice(0, -ending.length)}.mtl`;
  await saveFile(materials, writeMtl(result));
  await saveFile(output, writeObj(result, basename(materials)));
}

function describe(result: Result): string {
  if (!("faces" in result)) {
    return `${result.length} convex polygons, ${result.reduce((n, { vertices }) => n + vertices.length / 2, 0)} vertices`;
  }
  const convexes = new Set(result.convexOfFace).size;
  return `${convexes} convexes, ${result.vertices.length / 3} vertices, ${result.faces.length} faces`;
}
