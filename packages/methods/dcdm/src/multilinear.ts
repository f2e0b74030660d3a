/**
 * A value between those of a grid: linear along every axis, clamped to the values there are.
 * @param values row-major, of these extents
 * @param at where, in units of the grid's spacing, from its first value
 */
export function multilinear(values: Float64Array, extents: readonly number[], at: readonly number[]): number {
  const along = (axis: number, row: number): number => {
    if (axis === extents.length) return values[row];
    const extent = extents[axis];
    const place = Math.min(extent - 1, Math.max(0, at[axis]));
    const first = Math.max(0, Math.min(extent - 2, Math.floor(place)));
    const part = place - first;
    const below = along(axis + 1, row * extent + first);
    return part === 0 ? below : (1 - part) * below + part * along(axis + 1, row * extent + first + 1);
  };
  return along(0, 0);
}
