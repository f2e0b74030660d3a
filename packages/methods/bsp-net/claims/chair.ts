/** Sizes and centres of the boxes of a chair: seat, back and four legs. */
const boxes: readonly (readonly [number, number, number, number, number, number])[] = [
  [0.6, 0.1, 0.6, 0, 0, 0],
  [0.6, 0.4, 0.08, 0, 0.25, -0.26],
  [0.1, 0.35, 0.1, 0.25, -0.225, 0.25],
  [0.1, 0.35, 0.1, 0.25, -0.225, -0.25],
  [0.1, 0.35, 0.1, -0.25, -0.225, 0.25],
  [0.1, 0.35, 0.1, -0.25, -0.225, -0.25],
];

/** Turn of the chair about the y axis, in radians, so that no face is parallel to the grid. */
const TURN = 0.4;

/** Which points are inside a chair made of six boxes. */
export function chair(points: Float64Array): Uint8Array {
  const [c, s] = [Math.cos(TURN), Math.sin(TURN)];
  const inside = new Uint8Array(points.length / 3);
  for (let i = 0; i < inside.length; i++) {
    const [px, y, pz] = [points[3 * i], points[3 * i + 1], points[3 * i + 2]];
    const x = c * px - s * pz;
    const z = s * px + c * pz;
    for (const [w, h, d, cx, cy, cz] of boxes) {
      if (Math.abs(x - cx) < w / 2 && Math.abs(y - cy) < h / 2 && Math.abs(z - cz) < d / 2) {
        inside[i] = 1;
        break;
      }
    }
  }
  return inside;
}
