/**
 * @internal The activation patterns of rows `[n, 2]`, without a vector that has them: the lines where `x_k^T a = 0` in the
 * order of their directions, which is found exactly, however near they are to each other. A turning `a` crosses every
 * line twice. Rows that are 0 are active.
 */
export function planePatterns(rows: Float64Array, n: number): Uint8Array[] {
  // Rows turned into the half plane of angles in [0, pi), and which of them were turned.
  const turned = new Uint8Array(n);
  const upper = rows.slice();
  const order: number[] = [];
  for (let k = 0; k < n; k++) {
    const [x, y] = [rows[2 * k], rows[2 * k + 1]];
    if (x === 0 && y === 0) continue;
    order.push(k);
    if (y > 0 || (y === 0 && x > 0)) continue;
    turned[k] = 1;
    upper[2 * k] = -x;
    upper[2 * k + 1] = -y;
  }
  order.sort((k, l) => -turn(upper, k, l));
  const lines: number[][] = [];
  for (const k of order) {
    const last = lines[lines.length - 1];
    if (last !== undefined && turn(upper, last[0], k) === 0) last.push(k);
    else lines.push([k]);
  }
  const active = new Uint8Array(n).fill(1);
  for (const k of order) active[k] = 1 - turned[k];
  if (lines.length === 0) return [active];
  const patterns: Uint8Array[] = [];
  // Twice, as each line is crossed on both sides: first the upper halves turn off, then on.
  for (let side = 0; side < 2; side++) {
    for (const line of lines) {
      for (const k of line) active[k] = 1 - active[k];
      patterns.push(active.slice());
    }
  }
  // From where the angle of `a` is least, in (-pi, pi].
  const left = lines.findIndex(([k]) => upper[2 * k] < 0);
  const first = left >= 0 ? left : lines.length;
  return [...patterns.slice(first), ...patterns.slice(0, first)];
}

/** The sign of the determinant of rows k and l: 1 where l lies to the left of k. */
function turn(rows: Float64Array, k: number, l: number): number {
  const [a, b, c, d] = [rows[2 * k], rows[2 * l + 1], rows[2 * k + 1], rows[2 * l]];
  const [first, second] = [a * b, c * d];
  // Where the products agree to rounding, what rounding took from them decides.
  return Math.sign(first - second + (roundedOff(a, b, first) - roundedOff(c, d, second)));
}

/** a b - product, by splitting both factors into halves of 26 bits. */
function roundedOff(a: number, b: number, product: number): number {
  const [aHigh, bHigh] = [upperBits(a), upperBits(b)];
  const [aLow, bLow] = [a - aHigh, b - bHigh];
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

function upperBits(value: number): number {
  const spread = 134217729 * value;
  return spread - (spread - value);
}
