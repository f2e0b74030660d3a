import { type Claim, figure, medianOf } from "@offprint/claims";
import { readAsset } from "@offprint/data";
import { loadParameters } from "@offprint/nn";
import { type Rng, random, sparse, type Tensor, tensor } from "@offprint/tensor-core";
import { assetAddress } from "#assets";
import {
  type DirectionParams,
  directionsBy,
  fitDirectionNetwork,
  macGrid,
  poissonMatrix,
  tensorProduct,
  unitRows,
} from "../src/index.js";
import { type Method, published } from "./method.js";
import { grid, network } from "./recipe.js";
import { noise } from "./systems.js";

/** What a network may be trained on. */
export const kinds = ["white", "rough"] as const;

/** Unit vectors of white noise, or of A times white noise. */
function vectorsOf(kind: (typeof kinds)[number], rng: Rng, count: number): Tensor {
  const a = poissonMatrix(macGrid(grid));
  const white = rng.normal([count, a.rows], { dtype: "float64" });
  if (kind === "white") return unitRows(white);
  const values = white.data() as Float64Array;
  const rough = new Float64Array(values.length);
  for (let row = 0; row < count; row++) {
    rough.set(
      sparse.multiplyVector(a, values.subarray(row * a.rows, (row + 1) * a.rows)) as Float64Array,
      row * a.rows,
    );
  }
  return unitRows(tensor(rough, { shape: [count, a.rows] }));
}

/** Trains for 400 steps at a constant rate. */
export async function trainOn(
  kind: (typeof kinds)[number],
  seed: string,
  options: { readonly signal?: AbortSignal; readonly steps?: number } = {},
): Promise<DirectionParams> {
  const { steps = 400, signal } = options;
  const { params } = await fitDirectionNetwork(
    network,
    poissonMatrix(macGrid(grid)),
    vectorsOf(kind, random.rng(`${seed}/${kind}`), 2000),
    { grid, steps, learningRate: 1e-3, seed, ...(signal && { signal }) },
  );
  return params;
}

/** A network that was trained before. */
async function shipped(kind: (typeof kinds)[number]): Promise<DirectionParams> {
  return loadParameters(await readAsset(assetAddress(`${kind}-32.safetensors`)), network.init(random.rng(0)));
}

/** Claim 5: what is trained on decides, and the loss does not show it. `networks` other than usual are for tests. */
export function trainingVectors(
  method: Method = published,
  networks?: (kind: (typeof kinds)[number]) => Promise<DirectionParams>,
): Claim {
  return {
    id: "training-vectors",
    statement: "Trained on rough vectors, a network has a lower loss and needs far more iterations",
    source: "Section 4.2, choice of the training vectors",
    paper: "low modes must be among them",
    async run({ rng, scale, seed, onProgress, signal }) {
      const box = macGrid(grid);
      const a = poissonMatrix(box);
      const product = tensorProduct(a);
      const sides = Array.from({ length: 6 }, () => noise(rng, box));
      const usual =
        scale === "full" ? (kind: (typeof kinds)[number]) => trainOn(kind, String(seed), { signal }) : shipped;
      const rows: { kind: string; loss: number; iterations: number }[] = [];
      for (const kind of kinds) {
        const params = await (networks ?? usual)(kind);
        const x = vectorsOf(kind, rng, 100);
        const y = network.apply(params, x.reshape([100, 1, ...grid])).reshape(x.shape);
        const map = directionsBy(network, params, grid);
        const counts: number[] = [];
        for (const b of sides) counts.push((await method.dcdm(a, b, map, { maxIterations: 150 })).iterations);
        rows.push({ kind, loss: method.directionLoss(product, x, y).item(), iterations: medianOf(counts) });
        await onProgress(rows.length / 2);
      }
      const [loss, iterations] = [rows[1].loss / rows[0].loss, rows[1].iterations / rows[0].iterations];
      return {
        measured: { "loss, rough to white": loss, "iterations, rough to white": iterations },
        holds: loss < 0.5 && iterations >= 2,
        detail:
          `Trained for 400 steps on A times white noise instead of white noise (${scale === "full" ? "with this seed" : "the networks that ship"}), the loss on new vectors must be below a half (${figure(loss)}) and iterations at least double (${figure(iterations)}): ` +
          `${rows.map((row) => `${row.kind} ${figure(row.loss)}, ${figure(row.iterations)} iterations`).join("; ")}.`,
      };
    },
  };
}
