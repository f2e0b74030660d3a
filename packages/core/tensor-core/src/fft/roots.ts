/**
 * cos and sin of 2 pi k / n for 0 <= k < n, reduced to an eighth of the circle first: symmetric values are exactly
 * symmetric and the roots of 1, -1, i and -i exact.
 */
export function unitRoot(k: number, n: number): [cos: number, sin: number] {
  let eighth = 8 * k; // in units of an eighth turn / n
  if (eighth > 4 * n) {
    const [cos, sin] = unitRoot(n - k, n);
    return [cos, -sin];
  }
  if (eighth > 2 * n) {
    // half a turn minus the angle; the doubled circle keeps it an integer for odd n
    const [cos, sin] = unitRoot(n - 2 * k, 2 * n);
    return [-cos, sin];
  }
  if (eighth > n) {
    eighth = 2 * n - eighth; // a quarter turn minus the angle
    return [Math.sin((Math.PI * eighth) / (4 * n)), Math.cos((Math.PI * eighth) / (4 * n))];
  }
  return [Math.cos((Math.PI * eighth) / (4 * n)), Math.sin((Math.PI * eighth) / (4 * n))];
}
