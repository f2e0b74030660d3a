import { type Arrays, spread } from "./transport-problem.js";

/** A spanning tree with its flow, as plain arrays: places are rows, columns, then the root. */
export interface SpanningTree {
  /** `[n + m + 1]` the place above; -1 for the root. */
  readonly parent: Int32Array;
  /** `[n + m + 1]` mass on the arc to the place above. */
  readonly flow: Float64Array;
  /** Where the search for the next arc goes on. */
  readonly cursor: number;
  /** Pivots done. */
  readonly pivots: number;
  /** Whether no arc can lower the cost. */
  readonly optimal: boolean;
}

/** Reduced costs above this, relative to the spread of the costs, count as 0. */
const ROUNDING = 1e-14;

/**
 * The network simplex on the complete bipartite graph, with a root that takes all mass at first, at a cost that no plan
 * needs to pay. Trees stay strongly feasible (Cunningham, 1976), so that it does not cycle; the arc that enters is the
 * best of a block of about sqrt(n m) (Kovacs, "Minimum-cost flow algorithms: an experimental evaluation", 2015).
 */
export class NetworkSimplex {
  private readonly n: number;
  private readonly m: number;
  private readonly cost: Float64Array;
  private readonly detour: number;
  private readonly least: number;
  private readonly block: number;
  private readonly parent: Int32Array;
  private readonly depth: Int32Array;
  private readonly flow: Float64Array;
  /** Dual prices, such that an arc of the tree from i to j costs price[j] - price[i]. */
  private readonly price: Float64Array;
  /** Children as doubly linked lists. */
  private readonly child: Int32Array;
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  private readonly stack: Int32Array;
  private cursor = 0;
  private pivots = 0;
  private optimal = false;

  constructor({ n, m, cost, r, c }: Arrays) {
    const places = n + m + 1;
    this.n = n;
    this.m = m;
    this.cost = cost;
    const { least, most } = spread(cost);
    // A detour over the root costs twice this, more than any arc.
    this.detour = most - least + Math.abs(most) || 1;
    this.least = ROUNDING * Math.max(most - least, Math.abs(most));
    this.block = Math.max(10, Math.ceil(Math.sqrt(n * m)));
    this.parent = new Int32Array(places).fill(places - 1);
    this.parent[places - 1] = -1;
    this.flow = new Float64Array(places);
    this.flow.set(r, 0);
    this.flow.set(c, n);
    this.depth = new Int32Array(places);
    this.price = new Float64Array(places);
    this.child = new Int32Array(places);
    this.next = new Int32Array(places);
    this.previous = new Int32Array(places);
    this.stack = new Int32Array(places);
    this.build();
  }

  /** A copy of the tree and its flow. */
  tree(): SpanningTree {
    const { parent, flow, cursor, pivots, optimal } = this;
    return { parent: parent.slice(), flow: flow.slice(), cursor, pivots, optimal };
  }

  /** Goes on from a tree. */
  restore({ parent, flow, cursor, pivots, optimal }: SpanningTree): void {
    this.parent.set(parent);
    this.flow.set(flow);
    this.cursor = cursor;
    this.pivots = pivots;
    this.optimal = optimal;
    this.build();
  }

  /** Up to `count` pivots; fewer where the plan becomes optimal. */
  pivot(count: number): void {
    for (let k = 0; k < count; k++) {
      const arc = this.entering();
      if (arc < 0) {
        this.optimal = true;
        return;
      }
      this.exchange(Math.floor(arc / this.m), this.n + (arc % this.m));
      this.pivots++;
    }
  }

  /** Cost of the present flow, that over the root included. */
  objective(): number {
    let sum = 0;
    for (let k = 0; k < this.n + this.m; k++) sum += this.flow[k] * (k < this.n ? -this.arcCost(k) : this.arcCost(k));
    return sum;
  }

  /** Every arc between a row and a column that carries mass. */
  forEachFlow(visit: (row: number, column: number, flow: number) => void): void {
    const { n, m, parent, flow } = this;
    for (let k = 0; k < n + m; k++) {
      if (flow[k] === 0 || parent[k] === n + m) continue;
      if (k < n) visit(k, parent[k] - n, flow[k]);
      else visit(parent[k], k - n, flow[k]);
    }
  }

  /** Dual prices x and y with x_i + y_j <= c_ij once the plan is optimal; the least x is 0. */
  prices(): { x: Float64Array; y: Float64Array } {
    const { n, m, price } = this;
    const x = price.slice(0, n).map((value) => -value);
    const y = price.slice(n, n + m);
    const base = x.reduce((least, value) => Math.min(least, value), Infinity);
    return { x: x.map((value) => value - base), y: y.map((value) => value + base) };
  }

  /** The best arc of the first block that has one of negative reduced cost; -1 where none has. */
  private entering(): number {
    const { n, m, cost, price, block, least } = this;
    const arcs = n * m;
    let best = -1;
    let bestValue = -least;
    let seen = 0;
    let arc = this.cursor;
    let row = Math.floor(arc / m);
    let column = arc - row * m;
    for (let k = 0; k < arcs; k++) {
      const reduced = cost[arc] + price[row] - price[n + column];
      if (reduced < bestValue) {
        bestValue = reduced;
        best = arc;
      }
      arc++;
      if (++column === m) {
        column = 0;
        if (++row === n) {
          row = 0;
          arc = 0;
        }
      }
      if (++seen === block) {
        if (best >= 0) break;
        seen = 0;
      }
    }
    this.cursor = arc;
    return best;
  }

  /**
   * The arc from i to j enters; the mass that the cycle allows goes round it. Of the arcs that block, the last one on the
   * way along the cycle from its apex leaves, which keeps the tree strongly feasible.
   */
  private exchange(i: number, j: number): void {
    const { parent, depth, flow } = this;
    let [a, b] = [i, j];
    while (a !== b) {
      if (depth[a] >= depth[b]) a = parent[a];
      else b = parent[b];
    }
    const apex = a;
    // Along the cycle mass goes up from j to the apex, down to i, and over the entering arc.
    let delta = Infinity;
    let leaving = -1;
    let below = -1;
    // From the apex down to i, the last blocking arc is the one nearest to i: the first with "<" on the way up.
    for (let k = i; k !== apex; k = parent[k]) {
      // Mass runs against the arc above a row, which leads upwards.
      if (this.leadsUp(k) && flow[k] < delta) {
        delta = flow[k];
        leaving = k;
        below = i;
      }
    }
    // From j up to the apex the last one is the farthest, and these come after the entering arc.
    for (let k = j; k !== apex; k = parent[k]) {
      if (!this.leadsUp(k) && flow[k] <= delta) {
        delta = flow[k];
        leaving = k;
        below = j;
      }
    }
    if (delta > 0) {
      for (let k = i; k !== apex; k = parent[k]) flow[k] += this.leadsUp(k) ? -delta : delta;
      for (let k = j; k !== apex; k = parent[k]) flow[k] += this.leadsUp(k) ? delta : -delta;
    }
    flow[leaving] = 0;
    this.hang(below, below === i ? j : i, leaving, delta);
  }

  /** Whether the arc above a place leads to it from below: rows send mass, columns get it. */
  private leadsUp(k: number): boolean {
    return k < this.n;
  }

  /** Cuts the tree above `leaving`, and hangs the part with `top` in it below `to` by `top`. */
  private hang(top: number, to: number, leaving: number, flow: number): void {
    let place = top;
    let above = to;
    let carried = flow;
    for (;;) {
      const oldParent = this.parent[place];
      const oldFlow = this.flow[place];
      this.unlink(place);
      this.link(place, above);
      this.flow[place] = carried;
      if (place === leaving) break;
      above = place;
      carried = oldFlow;
      place = oldParent;
    }
    this.refresh(top);
  }

  private unlink(k: number): void {
    const { child, next, previous, parent } = this;
    if (previous[k] >= 0) next[previous[k]] = next[k];
    else child[parent[k]] = next[k];
    if (next[k] >= 0) previous[next[k]] = previous[k];
  }

  private link(k: number, above: number): void {
    const { child, next, previous, parent } = this;
    parent[k] = above;
    next[k] = child[above];
    previous[k] = -1;
    if (child[above] >= 0) previous[child[above]] = k;
    child[above] = k;
  }

  /** Depths and prices of a place and of all below it. */
  private refresh(top: number): void {
    const { stack, child, next, parent, depth, price } = this;
    let size = 0;
    stack[size++] = top;
    while (size > 0) {
      const k = stack[--size];
      const above = parent[k];
      depth[k] = depth[above] + 1;
      price[k] = price[above] + this.arcCost(k);
      for (let below = child[k]; below >= 0; below = next[below]) stack[size++] = below;
    }
  }

  /** The price of a place less that of the one above. */
  private arcCost(k: number): number {
    const { n, m, parent, cost, detour } = this;
    const above = parent[k];
    if (k < n) return above === n + m ? -detour : -cost[k * m + above - n];
    return above === n + m ? detour : cost[above * m + k - n];
  }

  /** Lists, depths and prices from the parents. */
  private build(): void {
    const { n, m, parent, child, next, previous, depth, price } = this;
    const root = n + m;
    child.fill(-1);
    next.fill(-1);
    previous.fill(-1);
    for (let k = root - 1; k >= 0; k--) this.link(k, parent[k]);
    depth[root] = 0;
    price[root] = 0;
    for (let k = child[root]; k >= 0; k = next[k]) this.refresh(k);
  }
}
