import { type Tensor, take } from "@offprint/tensor-core";
import {
  type AutoEncoderParams,
  type BspShape,
  type ConvexPolygon,
  extractPolygons,
  type Phase,
  shapesOf,
} from "../src/index.js";
import { toyModel } from "./toy-model.js";
import type { ToyShapes } from "./toy-shapes.js";

/** Codes of the first shapes. */
export function codesOf(params: AutoEncoderParams, { inputs }: ToyShapes, count: number): Tensor {
  return toyModel.encode(
    params,
    take(
      inputs,
      Int32Array.from({ length: count }, (_, i) => i),
    ),
  );
}

/** The first shapes as unions of convexes. */
export function toyUnions(params: AutoEncoderParams, phase: Phase, shapes: ToyShapes, count: number): BspShape[] {
  return shapesOf({ model: toyModel, params, phase }, codesOf(params, shapes, count), { force: true });
}

/** Pixels of a raster over [-1/2, 1/2]^2 whose centres are inside some polygon: by the side of each edge. */
export function rasterized(polygons: readonly Pick<ConvexPolygon, "vertices">[], resolution: number): Uint8Array {
  const raster = new Uint8Array(resolution * resolution);
  for (const { vertices } of polygons) {
    const n = vertices.length / 2;
    for (let row = 0; row < resolution; row++) {
      const y = (row + 0.5) / resolution - 0.5;
      for (let column = 0; column < resolution; column++) {
        const x = (column + 0.5) / resolution - 0.5;
        let inside = true;
        for (let v = 0; v < n && inside; v++) {
          const w = (v + 1) % n;
          const [ax, ay] = [vertices[2 * v], vertices[2 * v + 1]];
          inside = (vertices[2 * w] - ax) * (y - ay) - (vertices[2 * w + 1] - ay) * (x - ax) >= 0;
        }
        if (inside) raster[row * resolution + column] = 1;
      }
    }
  }
  return raster;
}

/** Polygons of a shape to draw, a colour for each convex; images have their first row on top. */
export function drawnPolygons(shape: BspShape) {
  return extractPolygons(shape).map(({ vertices, convex }) => ({
    points: Array.from(vertices, (x, i) => (i % 2 === 0 ? x : -x)),
    colour: convex,
  }));
}
