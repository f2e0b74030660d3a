/** Points of space in cells, to find those near a place. */
export class PointGrid {
  private readonly cells = new Map<string, number[]>();

  /** @param reach points at least this near along every axis are found */
  constructor(private readonly reach: number) {}

  /** Puts a point, known by a number, at a place. */
  add(place: ArrayLike<number>, point: number): void {
    const key = [0, 1, 2].map((axis) => this.cell(place[axis])).join();
    const here = this.cells.get(key);
    if (here === undefined) this.cells.set(key, [point]);
    else here.push(point);
  }

  /** The points in the cell of a place and its neighbours. */
  *near(place: ArrayLike<number>): Generator<number> {
    const [i, j, k] = [0, 1, 2].map((axis) => this.cell(place[axis]));
    for (let a = i - 1; a <= i + 1; a++) {
      for (let b = j - 1; b <= j + 1; b++) {
        for (let c = k - 1; c <= k + 1; c++) yield* this.cells.get(`${a},${b},${c}`) ?? [];
      }
    }
  }

  private cell(x: number): number {
    return Math.floor(x / this.reach);
  }
}
