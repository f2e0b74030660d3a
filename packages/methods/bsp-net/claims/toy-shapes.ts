import { type Rng, type Tensor, tensor } from "@offprint/tensor-core";

/** Pixels along a side of the toy images. */
export const SIDE = 32;

/** The elements of a toy image, by number. */
export const elementNames = ["hollow diamond", "cross", "diamond"] as const;

/** Toy images: a diamond on the left, a cross in the middle, a hollow diamond on the right. */
export interface ToyShapes {
  /** `[shapes, 1, 32, 32]`: 1 inside. */
  readonly inputs: Tensor;
  /** `[1024, 2]`: pixel centres (x, y) in [-1/2, 1/2], row by row. */
  readonly points: Tensor;
  /** `[shapes, 1024]`: 1 inside. */
  readonly values: Tensor;
  /** Per shape and pixel, the element that covers it plus one, or 0. */
  readonly elements: Uint8Array;
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

/** Draws the three elements until they stand in order, from the right: hollow diamond, cross, diamond. */
function drawPlaces(rng: Rng): [Place, Place, Place] {
  for (;;) {
    const u = rng.uniform([9], { dtype: "float64" }).data();
    const [first, second, third] = [0, 1, 2].map((k): Place => {
      const size = (k === 2 ? 4 : 6) + 2 * u[k];
      const within = (t: number) => size + t * (SIDE - 2 * size);
      return { size, x: within(u[3 + 2 * k]), y: within(u[4 + 2 * k]) };
    });
    if (
      first.x > second.x + Math.max(first.size, second.size) &&
      second.x > third.x + Math.max(second.size, third.size)
    ) {
      return [first, second, third];
    }
  }
}

function covers(element: number, { x, y, size }: Place, px: number, py: number): boolean {
  const a = Math.abs(px - x);
  const b = Math.abs(py - y);
  if (element === 0) return size / 2 <= a + b && a + b < size;
  if (element === 1) return (a < size && b < size / 3) || (b < size && a < size / 3);
  return a + b < size;
}

/** Random toy images. */
export function toyShapes(count: number, rng: Rng): ToyShapes {
  const pixels = SIDE * SIDE;
  const elements = new Uint8Array(count * pixels);
  for (let i = 0; i < count; i++) {
    const places = drawPlaces(rng);
    for (let p = 0; p < pixels; p++) {
      const [px, py] = [(p % SIDE) + 0.5, Math.floor(p / SIDE) + 0.5];
      const found = places.findIndex((place, k) => covers(k, place, px, py));
      elements[i * pixels + p] = found + 1;
    }
  }
  const values = Float32Array.from(elements, (e) => (e > 0 ? 1 : 0));
  const points = new Float32Array(2 * pixels);
  for (let p = 0; p < pixels; p++) {
    points[2 * p] = ((p % SIDE) + 0.5) / SIDE - 0.5;
    points[2 * p + 1] = (Math.floor(p / SIDE) + 0.5) / SIDE - 0.5;
  }
  return {
    inputs: tensor(values, { shape: [count, 1, SIDE, SIDE] }),
    points: tensor(points, { shape: [pixels, 2] }),
    values: tensor(values, { shape: [count, pixels] }),
    elements,
  };
}
