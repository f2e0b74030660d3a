const TWO_OVER_ROOT_PI = 2 / Math.sqrt(Math.PI);

/** 1 - erf(x) for x >= 2.5 by its continued fraction, from the tail up (DLMF 7.9.1). */
function tail(x: number): number {
  let fraction = x;
  for (let n = 48; n > 0; n--) fraction = x + n / 2 / fraction;
  return (TWO_OVER_ROOT_PI / 2) * (Math.exp(-x * x) / fraction);
}

/** The error function, to a few units in the last place: the series with positive terms (DLMF 7.6.2) or the tail. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (!(a < 6)) return Number.isNaN(x) ? x : Math.sign(x);
  if (a >= 2.5) return Math.sign(x) * (1 - tail(a));
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return TWO_OVER_ROOT_PI * Math.exp(-x * x) * sum;
}
