import { requireObject, ValueError } from "@offprint/tensor-core";
import { intersectHalfspaces } from "../convex-polyhedron.js";
import { type BspShape, requirePoints } from "../shape.js";

/** Half-width of the cube that the dual polyhedron is cut to: faces are not nearer to the centre than one over it. */
const DUAL_BOUNDS = 1e5;

/**
 * The baseline of the convex hull, as a shape of one convex. By duality: with the points' mean as the origin, the
 * vertices v of `{ v : p v <= 1 for all points p }` are the half-spaces `v x <= 1` that bound the hull.
 * @param points `[3 n]` coordinates
 * @throws ValueError for points that lie in a plane.
 */
export function convexHull(points: Float64Array): BspShape {
  requireObject("convexHull", "points", points, "a Float64Array");
  const n = requirePoints("convexHull", points, 3);
  const centre = [0, 1, 2].map((axis) => {
    let total = 0;
    for (let i = 0; i < n; i++) total += points[3 * i + axis];
    return total / n;
  });
  // in units of the points, whatever these are
  const unit = points.reduce((most, x, i) => Math.max(most, Math.abs(x - centre[i % 3])), 0);
  const rows = new Float64Array(4 * n);
  for (let i = 0; i < n; i++) {
    for (let axis = 0; axis < 3; axis++) rows[4 * i + axis] = (points[3 * i + axis] - centre[axis]) / (unit || 1);
    rows[4 * i + 3] = -1;
  }
  const dual = intersectHalfspaces(rows, { bounds: DUAL_BOUNDS });
  if (dual.planeOfFace.some((plane) => plane < 0)) {
    throw new ValueError(`convexHull: the ${n} points lie in a plane, or nearly; their hull has no volume`);
  }
  const planes = new Float64Array((4 * dual.vertices.length) / 3);
  for (let f = 0; 4 * f < planes.length; f++) {
    planes[4 * f + 3] = -1;
    for (let axis = 0; axis < 3; axis++) {
      planes[4 * f + axis] = dual.vertices[3 * f + axis] / unit;
      planes[4 * f + 3] -= planes[4 * f + axis] * centre[axis];
    }
  }
  return { dim: 3, convexes: [{ index: 0, planes }], unconnected: [] };
}
