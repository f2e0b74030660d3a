/**
 * The `u` in (`low`, `high`) at which an increasing (`direction` 1) or decreasing (-1) positive function of `u` reaches
 * `target`, by Newton's method on its logarithm, held inside a shrinking bracket. `slope` is the size of the
 * derivative.
 */
export function invertTail(
  target: number,
  direction: 1 | -1,
  value: (u: number) => number,
  slope: (u: number) => number,
  low: number,
  high: number,
  start: number,
): number {
  let u = start > low && start < high ? start : (low + high) / 2;
  for (let step = 0; step < 200; step++) {
    const v = value(u);
    if (v === target) return u;
    if ((v - target) * direction > 0) high = u;
    else low = u;
    const relative = (v - target) / target;
    const logRatio = Math.abs(relative) < 0.1 ? Math.log1p(relative) : Math.log(v) - Math.log(target);
    let next = u - (direction * logRatio * v) / slope(u);
    const inside = next > low && next < high;
    // At the limit of resolution the step no longer moves u, or rounding puts it just outside.
    if (Math.abs(next - u) <= 1e-16 * Math.abs(u) + 1e-18) return next;
    if (!inside) next = (low + high) / 2;
    if (next === u || next === low || next === high) return next;
    u = next;
  }
  return u;
}
