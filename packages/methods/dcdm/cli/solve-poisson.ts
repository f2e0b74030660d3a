import { extname } from "node:path";
import { type CommandModel, defineCommand, exitCodes, Failure, option } from "@offprint/commands";
import { isSparseNpz, readMatrixMarket, readNpy, readSparseNpz, writeNpy } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { loadParameters } from "@offprint/nn";
import { conjugateGradients } from "@offprint/solvers";
import { random, sparse, tensor } from "@offprint/tensor-core";
import {
  dcdm,
  directionNetwork,
  directionsBy,
  directionsFrom,
  readAuthorsMatrix,
  readAuthorsVector,
  shippedNetwork,
} from "../src/index.js";

/** `offprint solve-poisson matrix.mtx --grid 64,64 --right b.npy --output x.npy` */
export const solvePoissonCommand = defineCommand({
  name: "solve-poisson",
  summary: "Solve a symmetric positive definite system on a grid along directions of a network",
  arguments: {
    matrix: option.fileIn(
      "the matrix: Matrix Market (mtx), as SciPy saves sparse ones (npz), or as the authors' program does (bin)",
      { required: true, endings: [".mtx", ".npz", ".bin"] },
    ),
  },
  options: {
    grid: option.list(option.integer("extents of the grid, even: 64,64", { least: 2 }), {
      required: true,
      least: 2,
      most: 3,
    }),
    right: option.fileIn(
      "the right-hand side (npy, or bin of the authors' program); ones unless given, and 0 in rows of zeros",
      {
        endings: [".npy", ".bin"],
      },
    ),
    network: option.fileIn(
      "a network of your own: as saveParameters of @offprint/nn writes it (safetensors), or any model from [1, 1, ...grid] to the same (onnx)",
      { endings: [".safetensors", ".onnx"] },
    ),
    filters: option.integer("filters of that network, where it is no onnx", { default: 8, least: 1 }),
    tolerance: option.number("relative to the first residual", { default: 1e-6, above: 0, below: 1 }),
    maxIterations: option.integer("iterations at most", { default: 500, least: 1 }),
    output: option.fileOut("file for the solution (npy)", { short: "o", endings: [".npy"] }),
  },
  async run({ options, arguments: words, report, write, refuse, progress, signal, loadModel }) {
    if (options.network === undefined) refuse(["filters"], "the network that ships has its own");
    else if (options.network.endsWith(".onnx")) refuse(["filters"], "an onnx file says its own");
    const a = await loadFile(words.matrix, matrixReaders[extname(words.matrix)] ?? readMarket);
    const { grid, tolerance, maxIterations } = options;
    if (grid.reduce((product, extent) => product * extent, 1) !== a.rows) {
      throw new Failure(`--grid ${grid} has ${grid.reduce((p, e) => p * e, 1)} points; the matrix has ${a.rows} rows`);
    }
    const b =
      options.right === undefined
        ? sparse.diagonalOf(a).map((d) => (d === 0 ? 0 : 1))
        : await loadFile(options.right, options.right.endsWith(".bin") ? readAuthorsVector : vectorOn(grid));
    const { directions, release } = options.network?.endsWith(".onnx")
      ? await modelDirections(await loadModel(options.network), grid)
      : { directions: await networkDirections(options.network, options.filters, grid), release: () => undefined };
    const begun = performance.now();
    const run = await dcdm(a, b, directions, {
      ...{ tolerance, maxIterations, onStagnation: "residual", checkSymmetry: true, signal },
      onProgress: ({ iteration }) => progress(iteration / maxIterations, "iterating"),
    });
    const seconds = (performance.now() - begun) / 1e3;
    await release();
    const plainBegun = performance.now();
    const plain = await conjugateGradients(a, b, { tolerance, maxIterations: 50 * maxIterations, signal });
    const plainSeconds = (performance.now() - plainBegun) / 1e3;
    report([
      ["unknowns", a.rows],
      [
        "iterations",
        `${run.iterations}, ${run.history.filter(({ byResidual }) => byResidual).length} of them along residuals`,
      ],
      ["residual", (run.residualNorm / (run.initialResidualNorm || 1)).toExponential(3)],
      ["seconds", seconds.toPrecision(3)],
      ["conjugate gradients", `${plain.iterations} iterations, ${plainSeconds.toPrecision(3)} s`],
    ]);
    await write(options.output, writeNpy(tensor(run.x)));
    return run.status === "converged" ? undefined : exitCodes.negative;
  },
});

const readZip = (bytes: Uint8Array): sparse.CsrMatrix => {
  if (!isSparseNpz(bytes)) throw new Failure("the npz file holds no sparse matrix as SciPy's save_npz writes it");
  return readSparseNpz(bytes);
};

/** Reads a vector, or a field on the grid: numbers in another order would be another right-hand side. */
const vectorOn = (grid: readonly number[]) => (bytes: Uint8Array) => {
  const given = readNpy(bytes);
  const column = given.shape.filter((extent) => extent !== 1).length <= 1;
  const points = grid.reduce((product, extent) => product * extent, 1);
  if (column && given.size !== points) {
    throw new Failure(`--right has ${given.size} numbers; the grid has ${points} points`);
  }
  if (!column && given.shape.join() !== grid.join()) {
    throw new Failure(`--right is an array of shape [${given.shape}]; give a vector, or the grid's [${grid}]`);
  }
  return Float64Array.from(given.data(), Number);
};

const matrixReaders: Readonly<Record<string, (bytes: Uint8Array) => sparse.CsrMatrix>> = {
  ".npz": readZip,
  ".bin": readAuthorsMatrix,
};

function readMarket(bytes: Uint8Array): sparse.CsrMatrix {
  const content = readMatrixMarket(bytes);
  if (content.format !== "coordinate") throw new Failure("the file holds a dense array; give a sparse matrix");
  return content.matrix;
}

async function networkDirections(path: string | undefined, filters: number, grid: readonly number[]) {
  if (path === undefined) {
    if (grid.length === 3) throw new Failure("the network that ships is for the plane; give --network for three axes");
    const { network, params } = await shippedNetwork();
    return directionsBy(network, params, grid);
  }
  const network = directionNetwork({ dimension: grid.length === 3 ? 3 : 2, filters });
  const params = await loadFile(path, (bytes) => loadParameters(bytes, network.init(random.rng(0))));
  return directionsBy(network, params, grid);
}

async function modelDirections(model: CommandModel, grid: readonly number[]) {
  const [input, output] = [model.inputs[0].name, model.outputs[0].name];
  const directions = directionsFrom(async (x) => (await model.run({ [input]: x }))[output], grid);
  return { directions, release: () => model.release() };
}
