/** Stands for no variable in a linked list. */
export const NONE = -1;

/** Variables of equal remaining degree, as doubly linked lists. */
export class DegreeLists {
  private readonly head: Int32Array;
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  private readonly degreeOf: Int32Array;
  private least = 0;

  constructor(n: number) {
    this.head = new Int32Array(n + 1).fill(NONE);
    this.next = new Int32Array(n).fill(NONE);
    this.previous = new Int32Array(n).fill(NONE);
    this.degreeOf = new Int32Array(n);
  }

  /** Puts variable `i` into the list of `degree`. */
  insert(i: number, degree: number): void {
    const first = this.head[degree];
    this.next[i] = first;
    this.previous[i] = NONE;
    if (first !== NONE) this.previous[first] = i;
    this.head[degree] = i;
    this.degreeOf[i] = degree;
    if (degree < this.least) this.least = degree;
  }

  /** Takes variable `i` out of its list. */
  remove(i: number): void {
    const [before, after] = [this.previous[i], this.next[i]];
    if (before === NONE) this.head[this.degreeOf[i]] = after;
    else this.next[before] = after;
    if (after !== NONE) this.previous[after] = before;
  }

  /** Takes out a variable of least degree; there must be one. */
  takeLeast(): number {
    while (this.head[this.least] === NONE) this.least++;
    const i = this.head[this.least];
    this.remove(i);
    return i;
  }
}
