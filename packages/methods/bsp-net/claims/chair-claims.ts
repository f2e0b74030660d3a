import { type Claim, type ClaimContext, memo, type PolygonSeries } from "@offprint/claims";
import { random, tensor } from "@offprint/tensor-core";
import {
  type BspShape,
  boxCover,
  contains,
  convexHull,
  convexParts,
  extractMesh,
  type FitShapeOptions,
  fitShape,
  iou,
  marchingCubes,
  meshOccupancy,
  meshTopology,
  meshVolume,
  type PolyMesh,
  projectMesh,
  voxelGrid,
} from "../src/index.js";
import { cellCentres } from "../src/used-convexes.js";
import { chair } from "./chair.js";

/** How a claim fits a shape: the package's function, or another in its place. */
export type Fit = typeof fitShape;

/** How a claim makes meshes. */
export type Extract = typeof extractMesh;

/** Seeds of chairs that are fitted. */
const seedsOf = ({ scale }: ClaimContext) => (scale === "quick" ? 1 : 3);

interface ChairFit {
  readonly shape: BspShape;
  readonly mesh: PolyMesh;
  readonly iou: number;
}

/** Convexes of a shape that are in its mesh. */
function meshed(shape: BspShape, mesh: PolyMesh): BspShape {
  const kept = new Set(mesh.convexOfFace);
  return { ...shape, convexes: shape.convexes.filter(({ index }) => kept.has(index)) };
}

/** IoU of what a mesh encloses and the chair, on 32^3 cell centres; 0 for a mesh that is not closed. */
function chairIou(mesh: PolyMesh): number {
  if (!meshTopology(mesh).closed) return 0;
  const points = cellCentres(3, 32);
  return iou(meshOccupancy(mesh)(points), chair(points));
}

/** Half of the default's convexes, with more planes, fit the chair as well, in half of the time. */
const quickFit: FitShapeOptions = {
  convexes: 16,
  planesPerConvex: 12,
  steps: 1600,
  pointsPerStep: 1500,
  poolSize: 500_000,
};

/** A fit of the chair. */
async function fitChair(
  context: ClaimContext,
  method: Fit,
  extract: Extract,
  seed: number,
  options: FitShapeOptions = {},
) {
  const { signal, scale } = context;
  const { shape } = await method(chair, { seed, signal, ...(scale === "quick" && quickFit), ...options });
  signal.throwIfAborted();
  const mesh = extract(shape);
  return { shape, mesh, iou: chairIou(mesh) } satisfies ChairFit;
}

/** Surface of the chair by marching cubes on a grid. */
function chairByMarchingCubes(resolution: number): PolyMesh {
  const cells = chair(cellCentres(3, resolution));
  return marchingCubes(tensor(Float32Array.from(cells), { shape: [resolution, resolution, resolution] }), 0.5);
}

function drawing(label: string, mesh: PolyMesh): PolygonSeries["drawings"][number] {
  const polygons = projectMesh(mesh).map(({ points, convex, shade }) => ({ points, colour: convex, shade }));
  return { label, polygons };
}

/** Whether fits bear the headline out. */
export function judgeCompactness(ious: readonly number[], shares: readonly number[], control: number): boolean {
  return Math.min(...ious) >= 0.92 && Math.max(...shares) <= 0.03 && control < 0.75;
}

/** The claims about the chair, which share their fits. */
export function chairClaims(fit: Fit = fitShape, extract: Extract = extractMesh): [Claim, Claim] {
  const fitted = memo((context, seed: number) => fitChair(context, fit, extract, seed));
  return [compactness(fitted, fit, extract), watertight(fitted, extract)];
}

type Fitted = (context: ClaimContext, seed: number) => Promise<ChairFit>;

function compactness(fitted: Fitted, fit: Fit, extract: Extract): Claim {
  return {
    id: "compact-mesh",
    statement: "A union of convexes has far fewer polygons than iso-surfacing, at a high intersection over union",
    source: "Sections 1 and 4",
    paper: "far fewer vertices and polygons than implicit methods at comparable quality",
    async run(context) {
      const fits: ChairFit[] = [];
      const seeds = seedsOf(context);
      for (let i = 0; i < seeds; i++) {
        fits.push(await fitted(context, context.seed + i));
        await context.onProgress((i + 1) / (seeds + 1));
      }
      const control = await fitChair(context, fit, extract, context.seed, { slope: [20, 20], poolSize: 200_000 });
      const cubes = chairByMarchingCubes(64);
      const allVertices = cubes.vertices.length / 3;
      const ious = fits.map((each) => each.iou);
      const counts = fits.map(({ mesh }) => meshTopology(mesh).vertices);
      const shares = counts.map((vertices) => vertices / allVertices);
      const cells = context.scale === "quick" ? 32 : 64;
      const grid = voxelGrid(tensor(chair(cellCentres(3, cells)), { shape: [cells, cells, cells] }));
      const boxes = boxCover(grid);
      const hull = convexHull(chairByMarchingCubes(cells / 2).vertices);
      const row = (name: string, shape: BspShape, mesh: PolyMesh) => {
        return [name, chairIou(mesh), shape.convexes.length, mesh.vertices.length / 3, mesh.faces.length];
      };
      const boxMesh = extract(boxes, { removeRedundant: false });
      return {
        measured: Math.min(...ious),
        holds: judgeCompactness(ious, shares, control.iou),
        detail:
          `${seeds} ${seeds === 1 ? "seed" : "seeds"}: the mesh's IoU must be at least 0.92 (${ious.map((x) => x.toFixed(3)).join(", ")}) with at most 3 % of the ` +
          `${allVertices} vertices of marching cubes at 64^3 (${counts.join(", ")}); with a constant slope of 20 it must stay ` +
          `below 0.75 (${control.iou.toFixed(3)}).`,
        series: [
          {
            kind: "polygons",
            title: "A chair of six boxes, fitted without knowing them",
            columns: 2,
            drawings: [
              drawing(`union of convexes, ${counts[0]} vertices`, fits[0].mesh),
              drawing("greedy boxes", boxMesh),
            ],
          },
        ],
        tables: [
          {
            title: "Meshes of the chair",
            columns: ["mesh", "IoU", "convexes", "vertices", "faces"],
            rows: [
              ...fits.map(({ shape, mesh }, i) => row(`convexes, seed ${context.seed + i}`, meshed(shape, mesh), mesh)),
              row("convexes, constant slope 20", meshed(control.shape, control.mesh), control.mesh),
              row("greedy boxes", boxes, boxMesh),
              row("convex hull", hull, extract(hull, { removeRedundant: false })),
              ["marching cubes, 64^3", null, null, allVertices, cubes.faces.length],
            ],
          },
        ],
      };
    },
  };
}

/** Points by which a volume is measured. */
const MONTE_CARLO = 40_000;

/** How many standard errors a mesh's volume is from that of random points in its box that are in a shape. */
function volumeDeviation(mesh: PolyMesh, shape: BspShape, seed: string): number {
  const { vertices } = mesh;
  const along = (pick: (...values: number[]) => number) =>
    [0, 1, 2].map((axis) => pick(...vertices.filter((_, i) => i % 3 === axis)));
  const [low, high] = [along(Math.min), along(Math.max)];
  const box = high.reduce((volume, x, axis) => volume * (x - low[axis]), 1);
  const u = random
    .rng(seed)
    .uniform([3 * MONTE_CARLO], { dtype: "float64" })
    .data() as Float64Array;
  const points = u.map((x, i) => low[i % 3] + x * (high[i % 3] - low[i % 3]));
  const share = contains(shape, points).reduce((a, b) => a + b, 0) / MONTE_CARLO;
  const standardError = Math.sqrt(Math.max(share * (1 - share), 1 / MONTE_CARLO) / MONTE_CARLO);
  return Math.abs(meshVolume(mesh) / box - share) / standardError;
}

function watertight(fitted: Fitted, extract: Extract): Claim {
  return {
    id: "watertight",
    statement: "Every convex of a mesh is watertight, and so is the mesh of their union",
    source: "Section 3.3",
    paper: "guaranteed",
    async run(context) {
      let [convexes, closed, unions, worst] = [0, 0, 0, 0];
      const seeds = seedsOf(context);
      for (let i = 0; i < seeds; i++) {
        const { shape, mesh } = await fitted(context, context.seed + i);
        for (const [convex, part] of convexParts(mesh)) {
          const topology = meshTopology(part);
          convexes++;
          if (topology.closed && topology.euler === 2) closed++;
          const own = { ...shape, convexes: shape.convexes.filter(({ index }) => index === convex) };
          worst = Math.max(worst, volumeDeviation(part, own, `volume ${convex}`));
          await context.onProgress((i + 0.5) / seeds);
        }
        const union = extract(shape, { union: true });
        const { closed: whole, euler } = meshTopology(union);
        if (whole && euler % 2 === 0) unions++;
        worst = Math.max(worst, volumeDeviation(union, meshed(shape, mesh), "volume of the union"));
      }
      return {
        measured: closed / convexes,
        holds: convexes > 0 && closed === convexes && unions === seeds && worst <= 4,
        detail:
          `Every convex of ${seeds} ${seeds === 1 ? "chair" : "chairs"} must be a closed surface with V - E + F = 2 (${closed} of ${convexes}), ` +
          `and the union one closed mesh (${unions} of ${seeds}), and their signed volumes those of ${MONTE_CARLO} random points within 4 standard errors (at most ${worst.toFixed(2)}).`,
      };
    },
  };
}
