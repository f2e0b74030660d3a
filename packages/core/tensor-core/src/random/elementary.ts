/**
 * Logarithm and exponential from additions, multiplications, divisions and bit patterns only. Engines may round
 * `Math.log` and `Math.exp` differently; random streams must not depend on the engine, so samplers use these
 * (and `Math.sqrt`, which IEEE 754 fixes).
 */

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
/** Index of the word with sign and exponent: 1 on little-endian machines. */
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/** log 2 in two parts; the first has 21 trailing zero bits, so that its product with an exponent is exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** Natural logarithm, within 2 units in the last place; `-Infinity` at 0, NaN below. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : Number.NaN;
  if (x === Infinity) return x;
  let exponent = -1023;
  if (x < 2.2250738585072014e-308) {
    x *= 2 ** 54;
    exponent -= 54;
  }
  float[0] = x;
  const high = words[HIGH];
  exponent += high >>> 20;
  words[HIGH] = (high & 0xfffff) | 0x3ff00000;
  let mantissa = float[0];
  if (mantissa > Math.SQRT2) {
    mantissa *= 0.5;
    exponent++;
  }
  // log m = 2 artanh s with s = (m - 1) / (m + 1), |s| < 0.172
  const f = mantissa - 1;
  const s = f / (2 + f);
  const z = s * s;
  const series =
    z *
    (1 / 3 +
      z *
        (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * (1 / 11 + z * (1 / 13 + z * (1 / 15 + z * (1 / 17 + z * (1 / 19)))))))));
  return exponent * LN2_HIGH + (2 * s + (2 * s * series + exponent * LN2_LOW));
}

/** 2^k for |k| <= 1022. */
function powerOfTwo(k: number): number {
  words[1 - HIGH] = 0;
  words[HIGH] = (k + 1023) << 20;
  return float[0];
}

/** Taylor coefficients 1 / k!. */
const T2 = 1 / 2;
const T3 = 1 / 6;
const T4 = 1 / 24;
const T5 = 1 / 120;
const T6 = 1 / 720;
const T7 = 1 / 5040;
const T8 = 1 / 40320;
const T9 = 1 / 362880;
const T10 = 1 / 3628800;
const T11 = 1 / 39916800;
const T12 = 1 / 479001600;
const T13 = 1 / 6227020800;

/** Exponential, within 2 units in the last place. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 709.782712893384) return Infinity;
  if (x < -745.1332191019412) return 0;
  const k = Math.round(x * Math.LOG2E);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  const tail = T8 + r * (T9 + r * (T10 + r * (T11 + r * (T12 + r * T13))));
  const y = 1 + r * (1 + r * (T2 + r * (T3 + r * (T4 + r * (T5 + r * (T6 + r * (T7 + r * tail)))))));
  if (k > 1022) return y * 2 * powerOfTwo(k - 1);
  return k >= -1022 ? y * powerOfTwo(k) : y * powerOfTwo(k + 60) * 2 ** -60;
}
