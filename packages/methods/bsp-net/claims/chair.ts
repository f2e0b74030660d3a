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

/** Lower and upper ends of the boxes along each axis, six numbers per box. */
const ends = Float64Array.from(
  boxes.flatMap(([w, h, d, x, y, z]) => [x - w / 2, x + w / 2, y - h / 2, y + h / 2, z - d / 2, z + d / 2]),
);

/** Which points are inside a chair made of six boxes. */
export function chair(points: Float64Array): Uint8Array {
  const [c, s] = [Math.cos(TURN), Math.sin(TURN)];
  const inside = new Uint8Array(points.length / 3);
  for (let i = 0; i < inside.length; i++) {
    const y = points[3 * i + 1];
    const x = c * points[3 * i] - s * points[3 * i + 2];
    const z = s * points[3 * i] + c * points[3 * i + 2];
    for (let b = 0; b < ends.length && inside[i] === 0; b += 6) {
      const within =
        x > ends[b] && x < ends[b + 1] && y > ends[b + 2] && y < ends[b + 3] && z > ends[b + 4] && z < ends[b + 5];
      if (within) inside[i] = 1;
    }
  }
  return inside;
}
