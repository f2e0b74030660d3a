import { checkOptions, requireObject } from "@offprint/tensor-core";
import type { ConvexPolygon } from "./convex-polygon.js";
import { convexColour } from "./mesh-writers.js";
import type { PolyMesh } from "./poly-mesh.js";
import { type ProjectedPolygon, projectMesh, type ViewOptions } from "./projection.js";

/** Options of `writeSvg`. */
export interface SvgOptions extends ViewOptions {
  /** Width of the picture in pixels. Default 480. */
  width?: number;
}

/**
 * A picture of a mesh, or of polygons in 2D, as an SVG file: a colour for each convex, shaded by the direction of faces.
 */
export function writeSvg(
  shape: PolyMesh | readonly (ConvexPolygon & { convex: number })[],
  options: SvgOptions = {},
): string {
  requireObject("writeSvg", "shape", shape, "a PolyMesh or an array");
  checkOptions("writeSvg", options, ["width", "azimuth", "elevation"]);
  const { width = 480, ...view } = options;
  const polygons: readonly ProjectedPolygon[] =
    "faces" in shape
      ? projectMesh(shape, view)
      : shape.map(({ vertices, convex }) => ({ points: [...vertices], convex, shade: 1 }));
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { points } of polygons) {
    for (let i = 0; i < points.length; i += 2) {
      [left, right] = [Math.min(left, points[i]), Math.max(right, points[i])];
      [bottom, top] = [Math.min(bottom, points[i + 1]), Math.max(top, points[i + 1])];
    }
  }
  if (polygons.length === 0) [left, right, bottom, top] = [0, 1, 0, 1];
  const scale = (width - 2) / (right - left || 1);
  const height = Math.ceil(scale * (top - bottom)) + 2;
  const number = (x: number) => String(Math.round(100 * x) / 100);
  const paths = polygons.map(({ points, convex, shade }) => {
    const corners = Array.from({ length: points.length / 2 }, (_, i) => {
      return `${number(1 + scale * (points[2 * i] - left))} ${number(1 + scale * (top - points[2 * i + 1]))}`;
    });
    const colour = `rgb(${convexColour(convex)
      .map((c) => Math.round(c * (0.45 + 0.55 * shade)))
      .join(" ")})`;
    return `<path d="M${corners.join("L")}z" fill="${colour}" stroke="${colour}" stroke-width=".6"/>`;
  });
  const box = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${box} stroke-linejoin="round">\n${paths.join("\n")}\n</svg>\n`;
}
