import { type Claim, type ClaimContext, meanOf } from "@offprint/claims";
import { less, type Tensor, take, tensor } from "@offprint/tensor-core";
import { INSIDE } from "../src/decoder.js";
import { type AutoEncoderParams, extractPolygons, shapeSamples } from "../src/index.js";
import { decodeToy, freshTraining, meanIou, reconstructed, toyModel, trainingSeed } from "./toy-model.js";
import { JUDGED_SHAPES, type ToySource, toySource, trainStage } from "./toy-networks.js";
import { codesOf, drawnPolygons, rasterized, toyUnions } from "./toy-pictures.js";
import { elementNames, SIDE, type ToyShapes, toyShapes } from "./toy-shapes.js";

/** Steps of a training from scratch that every run makes, each on so many of the pixels, drawn at random. */
const FRESH_STEPS = 280;
const FRESH_PIXELS = 256;

/** Whether networks and a fresh training bear the claim out. */
export function judgePhases(iou0: number, iou1: number, freshLoss: number): boolean {
  return iou1 >= 0.8 && iou1 >= iou0 - 0.06 && freshLoss < 0.1;
}

/** The auto-encoder learns continuously, and stays good when its connections become binary. */
export function twoPhases(source: ToySource = toySource(), freshSteps = FRESH_STEPS): Claim {
  return {
    id: "two-phases",
    statement: "Continuous training followed by discrete training reconstructs shapes from exact convexes",
    source: "Section 4.1, Figure 5",
    paper: "the 2D shapes are reconstructed",
    async run(context) {
      const { networks, shapes, origin } = await source(context);
      const iou = ([0, 1] as const).map((phase) => {
        return meanIou(reconstructed(networks[phase], shapes, phase, JUDGED_SHAPES), shapes);
      });
      const losses = await freshLosses(context, freshSteps);
      const last = meanOf(losses.slice(-50));
      return {
        measured: iou[1],
        holds: judgePhases(iou[0], iou[1], last),
        detail:
          `With ${origin}: on ${JUDGED_SHAPES} training shapes the IoU after phase 1 must be at least 0.80 and at most 0.06 below that ` +
          `after phase 0: ${iou[1].toFixed(3)} after ${iou[0].toFixed(3)}. Trained anew, with seed ${context.seed}, for ${freshSteps} steps, the reconstruction loss of the last 50 ` +
          `must be below 0.10: ${last.toFixed(3)}, from ${losses[0].toFixed(3)}.`,
        series: [
          {
            kind: "line",
            title: "Reconstruction loss of a network trained anew",
            x: { label: "step of phase 0" },
            y: { label: "mean squared error" },
            curves: [{ name: "loss", y: losses }],
            references: [{ value: 0.1, label: "criterion for the last 50" }],
          },
        ],
      };
    },
  };
}

async function freshLosses(context: ClaimContext, steps: number): Promise<readonly number[]> {
  const { inputs, points, values } = toyShapes(200, trainingSeed(context.seed + 1));
  const order = context.rng.permutation(SIDE * SIDE).data() as Int32Array;
  const shuffled = { inputs, points: take(points, order), values: take(values, order, 1) };
  const shapes = shapeSamples(shuffled, { pointsPerStep: FRESH_PIXELS });
  let done = 0;
  const onStep = () => context.onProgress(++done / steps, "from scratch");
  const { history } = await trainStage(
    context,
    freshTraining,
    shapes,
    { phase: 0, steps },
    `fresh ${context.seed}`,
    onStep,
  );
  return history.map(({ reconstruction }) => reconstruction);
}

/** What a convex is in each shape where it covers something: the number of an element. */
function convexElements(params: AutoEncoderParams, shapes: ToyShapes, count: number): (number | null)[][] {
  const pixels = SIDE * SIDE;
  const points = take(shapes.points.reshape([1, pixels, 2]), new Int32Array(count));
  const { convexes } = decodeToy[1](params, codesOf(params, shapes, count), points);
  const inside = less(convexes, INSIDE).data();
  const c = toyModel.options.convexes;
  return Array.from({ length: c }, (_, convex) =>
    Array.from({ length: count }, (_, shape) => {
      const overlap = new Int32Array(elementNames.length + 1);
      for (let k = 0; k < pixels; k++) {
        const at = shape * pixels + k;
        if (inside[at * c + convex]) overlap[shapes.elements[at]]++;
      }
      const most = Math.max(...overlap.subarray(1));
      return most === 0 ? null : overlap.indexOf(most, 1) - 1;
    }),
  );
}

/** For convexes that overlap an element in half of the shapes, how often it is the same element. */
export function agreements(elements: readonly (readonly (number | null)[])[]) {
  return elements.flatMap((row, convex) => {
    const named = row.filter((element): element is number => element !== null);
    if (named.length < row.length / 2) return [];
    const counts = elementNames.map((_, element) => named.filter((e) => e === element).length);
    const element = counts.indexOf(Math.max(...counts));
    return [{ convex, element, share: counts[element] / named.length, shapes: named.length }];
  });
}

/**
 * Whether convexes mean the same in every shape. As a convex that covers everything would always be on the largest
 * element, all elements must have convexes.
 */
export function judgeCorrespondence(rows: readonly { readonly share: number; readonly element: number }[]): boolean {
  const agreeing = rows.filter(({ share }) => share >= 0.8).length;
  const named = new Set(rows.map(({ element }) => element)).size;
  return (
    named === elementNames.length && meanOf(rows.map(({ share }) => share)) >= 0.9 && agreeing >= 0.8 * rows.length
  );
}

/** A convex is the same part in every shape. */
export function correspondence(source: ToySource = toySource()): Claim {
  return {
    id: "part-correspondence",
    statement: "Convexes correspond across shapes: a convex is the same part in every shape",
    source: "Sections 3.1 and 4.1",
    paper: "without supervision, the same convex represents the same part",
    async run(context) {
      const { networks, shapes, origin } = await source(context);
      const rows = agreements(convexElements(networks[1], shapes, JUDGED_SHAPES));
      const shares = rows.map(({ share }) => share);
      const agreeing = shares.filter((share) => share >= 0.8).length;
      const unions = toyUnions(networks[1], 1, shapes, 4);
      return {
        measured: shares.length === 0 ? 0 : meanOf(shares),
        holds: judgeCorrespondence(rows),
        detail:
          `With ${origin}: ${shares.length} convexes overlap an element in at least half of ${JUDGED_SHAPES} shapes. On average a convex must be on its ` +
          `usual element in at least 90 % of shapes (${(100 * meanOf(shares)).toFixed(1)} %), and 80 % of convexes in at least 80 % of ` +
          `shapes (${agreeing} of ${shares.length}); each of the ${elementNames.length} elements must have one ` +
          `(${new Set(rows.map(({ element }) => element)).size} have).`,
        series: [
          {
            kind: "polygons",
            title: "Four shapes, a colour for each convex",
            columns: 4,
            drawings: unions.map((shape, i) => ({ label: `shape ${i + 1}`, polygons: drawnPolygons(shape) })),
          },
        ],
        tables: [
          {
            title: "Convexes and the elements that they are part of",
            columns: ["convex", "element", "share of shapes", "shapes"],
            rows: rows.map((row) => [row.convex, elementNames[row.element], row.share, row.shapes]),
          },
        ],
      };
    },
  };
}

const RASTER = 128;

/** Inside of shapes as the network sees it on a fine raster: S+ > 1/2 in phase 0, S* = 0 else; per shape. */
function networkRasters(params: AutoEncoderParams, phase: 0 | 1, shapes: ToyShapes, count: number): Tensor[] {
  const centres = new Float32Array(2 * RASTER * RASTER);
  for (let k = 0; k < RASTER * RASTER; k++) {
    centres[2 * k] = ((k % RASTER) + 0.5) / RASTER - 0.5;
    centres[2 * k + 1] = (Math.floor(k / RASTER) + 0.5) / RASTER - 0.5;
  }
  const points = tensor(centres, { shape: [1, RASTER * RASTER, 2] });
  const codes = codesOf(params, shapes, count);
  return Array.from({ length: count }, (_, i) => {
    const { occupancy } = decodeToy[phase](params, take(codes, new Int32Array([i])), points);
    return phase === 0 ? occupancy.greater(0.5) : occupancy.lessEqual(0);
  });
}

/** Area where polygons and network disagree, as a share of the network's area, for each shape. */
function disagreement(params: AutoEncoderParams, phase: 0 | 1, shapes: ToyShapes, count: number): number[] {
  const unions = toyUnions(params, phase, shapes, count);
  return networkRasters(params, phase, shapes, count).map((network, i) => {
    const mesh = rasterized(extractPolygons(unions[i]), RASTER);
    const inside = network.data();
    let [different, area] = [0, 0];
    for (let k = 0; k < mesh.length; k++) {
      if (mesh[k] !== inside[k]) different++;
      area += inside[k];
    }
    return different / Math.max(1, area);
  });
}

/** Whether meshes are exact after phase 1 only. */
export function judgeDiscretisation(after0: number, after1: number): boolean {
  return after1 < 0.01 && after0 > 0.3;
}

/** Meshes are exact once connections are binary, and not before. */
export function discretisation(source: ToySource = toySource(), judged?: number): Claim {
  return {
    id: "discretisation",
    statement: "Meshes are exactly what the network represents once its connections are binary, and not before",
    source: "Section 3.2",
    paper: "exact",
    async run(context) {
      const { networks, shapes, origin } = await source(context);
      const count = judged ?? (context.scale === "full" ? 20 : 10);
      const after0 = disagreement(networks[0], 0, shapes, count);
      await context.onProgress(0.5);
      const after1 = disagreement(networks[1], 1, shapes, count);
      return {
        measured: meanOf(after1),
        holds: judgeDiscretisation(meanOf(after0), meanOf(after1)),
        detail:
          `With ${origin}: the area between polygons and network on a ${RASTER}^2 raster, over that of the shape, mean of ${count} shapes: below 1 % after ` +
          `phase 1 (${(100 * meanOf(after1)).toFixed(2)} %), above 30 % after phase 0 (${(100 * meanOf(after0)).toFixed(1)} %).`,
        series: [
          {
            kind: "bar",
            title: "Area between polygons and network",
            category: "after",
            categories: ["phase 0", "phase 1"],
            value: { label: "share of the shape's area" },
            bars: [{ name: `mean of ${count} shapes`, values: [meanOf(after0), meanOf(after1)] }],
          },
        ],
      };
    },
  };
}
