/** The queries of a client, with room to grow: `[n, d]` places in one array, `[n]` values. */
export class QueryLog {
  readonly #d: number;
  #x: Float64Array;
  #y: Float64Array;
  #count: number;

  /** Does not change what it is given. */
  constructor(d: number, x: Float64Array, y: Float64Array) {
    this.#d = d;
    this.#count = y.length;
    this.#x = x;
    this.#y = y;
  }

  add(x: Float64Array, y: number): void {
    const n = this.#count;
    if ((n + 1) * this.#d > this.#x.length || n + 1 > this.#y.length) {
      const room = Math.max(16, 2 * n);
      const [xs, ys] = [new Float64Array(room * this.#d), new Float64Array(room)];
      xs.set(this.#x.subarray(0, n * this.#d));
      ys.set(this.#y.subarray(0, n));
      [this.#x, this.#y] = [xs, ys];
    }
    this.#x.set(x, n * this.#d);
    this.#y[n] = y;
    this.#count = n + 1;
  }

  /** All queries, as they are. */
  all(): { x: Float64Array; y: Float64Array } {
    return { x: this.#x.slice(0, this.#count * this.#d), y: this.#y.slice(0, this.#count) };
  }

  /** Those nearest to a place, in the order in which they were made; of equal distances the earlier ones. */
  nearest(place: Float64Array, most: number): { x: Float64Array; y: Float64Array } {
    const n = this.#count;
    if (n <= most) return this.all();
    const [d, places, values] = [this.#d, this.#x, this.#y];
    const distances = new Float64Array(n);
    for (let j = 0; j < n; j++) {
      let squares = 0;
      for (let k = 0; k < d; k++) {
        const difference = places[j * d + k] - place[k];
        squares += difference * difference;
      }
      distances[j] = squares;
    }
    const limit = distances.slice().sort()[most - 1];
    let ties = most - distances.filter((distance) => distance < limit).length;
    const [x, y] = [new Float64Array(most * d), new Float64Array(most)];
    let kept = 0;
    for (let j = 0; j < n; j++) {
      if (distances[j] > limit || (distances[j] === limit && ties-- <= 0)) continue;
      x.set(places.subarray(j * d, (j + 1) * d), kept * d);
      y[kept++] = values[j];
    }
    return { x, y };
  }
}
