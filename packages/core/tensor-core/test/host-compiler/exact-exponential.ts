/** Bits behind the point of the fractions below: the least numbers and their units in the last place have a place. */
const BITS = 1200n;
const ONE = 1n << BITS;
/** Bits behind the point of a series, whose sum lies between 0.7 and 1.42. */
const SERIES = 320n;
const LN2 = logarithmOf2();

/** ln 2 = sum of 1 / (k 2^k), in units of 2^-SERIES. */
function logarithmOf2(): bigint {
  let sum = 0n;
  for (let k = 1n; k <= SERIES + 20n; k++) sum += (1n << (SERIES + 20n - k)) / k;
  return sum >> 20n;
}

/** A number as a whole multiple of 2^-1200. */
function fixed(x: number): bigint {
  const exponent = x === 0 ? 0 : Math.max(-1022, Math.floor(Math.log2(Math.abs(x)))) - 60;
  const scaled = exponent < -1000 ? x * 2 ** 1000 * 2 ** (-exponent - 1000) : x / 2 ** exponent;
  return (BigInt(scaled) << BITS) >> BigInt(-exponent);
}

/** e^x as a whole multiple of 2^-1200, to 300 bits, for |x| of 2^-200 or more. */
export function exponential(x: number): bigint {
  const whole = fixed(x) >> (BITS - SERIES);
  const n = Math.round(x / Math.LN2);
  const r = whole - BigInt(n) * LN2;
  let [term, sum] = [1n << SERIES, 1n << SERIES];
  for (let k = 1n; term !== 0n && k < 200n; k++) {
    term = ((term * r) >> SERIES) / k;
    sum += term;
  }
  const shift = BITS - SERIES + BigInt(n);
  return shift >= 0n ? sum << shift : sum >> -shift;
}

/** Functions of e^x as fractions. */
export const fractions = {
  expm1: (e: bigint): [bigint, bigint] => [e - ONE, ONE],
  sigmoid: (e: bigint): [bigint, bigint] => [e, e + ONE],
  tanh: (e: bigint): [bigint, bigint] => {
    const square = (e * e) >> BITS;
    return [square - ONE, square + ONE];
  },
  softplus: (e: bigint): [bigint, bigint] => [logarithm(ONE + e), ONE],
};

/** ln y for y of 1 or more, both in units of 2^-1200: to 300 bits, to all where y is near 1. */
function logarithm(y: bigint): bigint {
  const halvings = BigInt(y.toString(2).length) - 1n - BITS;
  const rest = y >> halvings;
  const bits = halvings === 0n && rest - ONE < ONE >> 100n ? BITS : SERIES;
  const s = ((rest - ONE) << bits) / (rest + ONE);
  let [power, sum] = [s, 0n];
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += power / k;
    power = (((power * s) >> bits) * s) >> bits;
  }
  return ((2n * sum) << (BITS - bits)) + halvings * (LN2 << (BITS - SERIES));
}

/** How far a value is from a fraction, in units of the last of its binary digits. */
export function unitsFrom(value: number, [top, bottom]: [bigint, bigint], digits: number, least: number): number {
  const unit = value === 0 ? least : Math.max(least, 2 ** (Math.floor(Math.log2(Math.abs(value))) - digits));
  const difference = fixed(value) * bottom - top * ONE;
  return Number((difference * 1024n) / (fixed(unit) * bottom)) / 1024;
}
