const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The value of an IEEE binary16 number. */
export function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The nearest binary16 number of a float32 value, ties to even; too large ones become infinite. */
export function numberToHalf(value: number): number {
  float[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  const magnitude = Math.abs(float[0]);
  if (Number.isNaN(magnitude)) return sign | 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  // below 2^-14 numbers are multiples of 2^-24, above of 2^(exponent - 10)
  const exponent = magnitude < 2 ** -14 ? -14 : ((bits[0] >>> 23) & 255) - 127;
  const steps = roundToEven(magnitude * 2 ** (10 - exponent));
  return magnitude < 2 ** -14 ? sign | steps : (sign | ((exponent + 15) << 10)) + (steps - 1024);
}

/** The value of a bfloat16 number: the upper half of a float32. */
export function bfloatToNumber(half: number): number {
  bits[0] = half << 16;
  return float[0];
}

/** The nearest bfloat16 number of a float32 value, ties to even. */
export function numberToBfloat(value: number): number {
  float[0] = value;
  if (Number.isNaN(value)) return 0x7fc0 | ((bits[0] >>> 16) & 0x8000);
  return ((bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) / 65536) & 0xffff;
}

function roundToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5 || (rest === 0.5 && floor % 2 === 0)) return floor;
  return floor + 1;
}
