import {
  checkOptions,
  requireFinite,
  requireFunction,
  requireObject,
  requirePositive,
  tensor,
} from "@offprint/tensor-core";
import type { SpdMatrix } from "./linear-map.js";
import {
  coordinates,
  divergence,
  extentsOf,
  type FaceVelocities,
  type MacGrid,
  poissonMatrix,
  requireLength,
  stillVelocities,
  stoppedAtSolids,
  withoutGradient,
} from "./mac-grid.js";
import { multilinear } from "./multilinear.js";

/** Smoke in a box. */
export interface Plume {
  /** `[cells]` density of the smoke. */
  readonly density: Float64Array;
  /** Velocities on the faces, without divergence. */
  readonly velocities: FaceVelocities;
}

/** Solves the pressure's system, by whatever method. */
export type PressureSolver = (a: SpdMatrix, b: Float64Array) => Float64Array | Promise<Float64Array>;

/** Options of {@link plumeStep}. */
export interface PlumeOptions {
  /** Time of a step, > 0. Default 1. */
  readonly timeStep?: number;
  /** Acceleration upwards, along the first axis, by a unit of density, > 0. Default 0.1. */
  readonly buoyancy?: number;
}

/** No smoke, at rest. */
export function stillPlume(grid: MacGrid): Plume {
  requireObject("stillPlume", "grid", grid, "a MacGrid");
  return { density: new Float64Array(grid.solid.length), velocities: stillVelocities(grid) };
}

/**
 * One step of smoke, in the plane or in space: it is carried along by its velocity (semi-Lagrangian, linear between values),
 * rises, and a pressure takes the divergence away. The first axis points upwards.
 *
 * @param source `[cells]`: density is raised to this where it is larger
 * @param solve gets the matrix of the pressures, and `-div`
 * @throws ShapeError for a source that does not fit; ValueError for what is out of range
 * @see Kaneda et al., arXiv 2205.10763, section 5
 */
export async function plumeStep(
  grid: MacGrid,
  plume: Plume,
  source: Float64Array,
  solve: PressureSolver,
  options: PlumeOptions = {},
): Promise<Plume> {
  requireObject("plumeStep", "grid", grid, "a MacGrid");
  requireObject("plumeStep", "plume", plume, "a Plume");
  requireObject("plumeStep", "source", source, "a Float64Array");
  requireFunction("plumeStep", "solve", solve);
  const { density, velocities } = plume;
  const owner = "plumeStep";
  checkOptions(owner, options, ["timeStep", "buoyancy"]);
  const { timeStep = 1, buoyancy = 0.1 } = options;
  requirePositive(owner, "timeStep", timeStep);
  requirePositive(owner, "buoyancy", buoyancy);
  const { extents, solid } = grid;
  requireLength(owner, "source", source, solid.length);
  requireLength(owner, "plume.density", density, solid.length);
  requireFinite(owner, "source", tensor(source));
  // Values lie in the middles of cells, those of faces on the border of cells along the axis they are across.
  const inset = (axis: number, across: number | undefined) => (axis === across ? 0 : 0.5);
  const valueAt = (values: Float64Array, across: number | undefined, place: readonly number[]) =>
    multilinear(
      values,
      extentsOf(grid, across),
      place.map((c, axis) => c - inset(axis, across)),
    );
  const carried = (values: Float64Array, across?: number) =>
    values.map((_, n) => {
      const place = coordinates(extentsOf(grid, across), n).map((c, axis) => c + inset(axis, across));
      const before = place.map((c, axis) => c - timeStep * valueAt(velocities[axis], axis, place));
      return valueAt(values, across, before);
    });
  const smoke = carried(density).map((value, cell) => (solid[cell] ? 0 : Math.max(value, source[cell])));
  const moved = velocities.map(carried);
  const layer = solid.length / extents[0];
  moved[0].forEach((_, face) => {
    const [below, above] = [face >= layer ? smoke[face - layer] : 0, face < smoke.length ? smoke[face] : 0];
    moved[0][face] += timeStep * buoyancy * 0.5 * (below + above);
  });
  const moving = stoppedAtSolids(grid, moved);
  const right = divergence(grid, moving).map((value) => -value);
  const pressures = await solve(poissonMatrix(grid), right);
  return { density: smoke, velocities: withoutGradient(grid, moving, pressures) };
}
