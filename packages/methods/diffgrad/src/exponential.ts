/** Nodes per factor of two. */
const PER_OCTAVE = 64;

/** Where `1 + e^-x` rounds to 1 in double precision. */
const NEGLIGIBLE = 40;

const NODE = Math.LN2 / PER_OCTAVE;
const NODES_PER_UNIT = 1 / NODE;

/** `2^(-k / PER_OCTAVE)`, as far as `NEGLIGIBLE` reaches. */
const powers = /* @__PURE__ */ Float64Array.from(
  { length: Math.ceil(NEGLIGIBLE * NODES_PER_UNIT) + 2 },
  (_, k) => 2 ** (-k / PER_OCTAVE),
);

/**
 * `e^-x` for `x >= 0`, accurate to 1e-13 of its value, in a third of the time of `Math.exp`, which would take half of
 * an update: the nearest node from a table times a polynomial of degree 4 for the rest, which is below 0.0055.
 */
export function exponentialOfMinus(x: number): number {
  if (!(x < NEGLIGIBLE)) return Math.exp(-x);
  const k = (x * NODES_PER_UNIT + 0.5) | 0;
  const r = k * NODE - x;
  return powers[k] * (1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24)))));
}
