import { requireInteger, ValueError } from "@offprint/tensor-core";
import { checkLmi, type Lmi, type SymmetricEntries } from "./lmi.js";

/** A linear matrix inequality as smaller ones that hold together exactly when it does. */
export interface ChordalDecomposition {
  /** One inequality per clique, in the old variables and the new slack variables. */
  readonly lmis: readonly Lmi[];
  /** Rows of the original matrix that each clique holds, ascending. */
  readonly cliques: readonly (readonly number[])[];
  /** Number of slack variables; they are numbered from `firstSlack` on. */
  readonly slacks: number;
}

/**
 * Splits an inequality along the maximal cliques of a chordal extension of its sparsity pattern. By Agler's theorem a
 * positive semidefinite matrix with a chordal pattern is a sum of positive semidefinite matrices on the cliques, so
 * the split is exact; a free symmetric slack matrix for each edge of the clique tree distributes the overlap.
 *
 * @param firstSlack number of the first slack variable, that is the number of variables so far
 * @throws ValueError and ShapeError for an inequality that is none, and for slacks that are variables of its own
 * @see Vandenberghe and Andersen, "Chordal Graphs and Semidefinite Optimization", 2015
 */
export function chordalDecompose(lmi: Lmi, firstSlack: number): ChordalDecomposition {
  checkLmi("chordalDecompose", lmi);
  requireInteger("chordalDecompose", "firstSlack", firstSlack, 0);
  for (const variable of lmi.coefficients.keys()) {
    if (variable < firstSlack) continue;
    throw new ValueError(
      `chordalDecompose: firstSlack is ${firstSlack}, and the LMI uses variable ${variable}; give the number of variables so far`,
    );
  }
  const neighbours = aggregatePattern(lmi);
  const order = maximumCardinalityOrder(neighbours);
  const cliques = maximalCliques(fillIn(neighbours, order), order);
  const edges = cliqueTree(cliques, lmi.order);
  const owners = new EntryOwners(cliques, lmi.order);
  const constants = owners.split(lmi.constant);
  const coefficients = cliques.map(() => new Map<number, SymmetricEntries>());
  for (const [variable, entries] of lmi.coefficients) {
    for (const [clique, part] of owners.split(entries)) coefficients[clique].set(variable, part);
  }
  let slack = firstSlack;
  for (const { child, parent, separator } of edges) {
    for (let a = 0; a < separator.length; a++) {
      for (let b = 0; b <= a; b++) {
        const variable = slack++;
        coefficients[child].set(variable, owners.single(child, separator[a], separator[b], 1));
        coefficients[parent].set(variable, owners.single(parent, separator[a], separator[b], -1));
      }
    }
  }
  const lmis = cliques.map((clique, k) => ({
    order: clique.length,
    constant: constants.get(k) ?? { rows: [], columns: [], values: [] },
    coefficients: coefficients[k],
  }));
  return { lmis, cliques, slacks: slack - firstSlack };
}

function aggregatePattern({ order, constant, coefficients }: Lmi): Set<number>[] {
  const neighbours = Array.from({ length: order }, () => new Set<number>());
  for (const { rows, columns } of [constant, ...coefficients.values()]) {
    for (let k = 0; k < rows.length; k++) {
      if (rows[k] === columns[k]) continue;
      neighbours[rows[k]].add(columns[k]);
      neighbours[columns[k]].add(rows[k]);
    }
  }
  return neighbours;
}

/**
 * Elimination order: the reverse of a maximum-cardinality search, which is perfect if the graph is chordal (Tarjan and
 * Yannakakis 1984).
 */
function maximumCardinalityOrder(neighbours: readonly ReadonlySet<number>[]): number[] {
  const n = neighbours.length;
  const weight = new Int32Array(n);
  const visited = new Uint8Array(n);
  const visit: number[] = [];
  for (let step = 0; step < n; step++) {
    let best = -1;
    for (let v = 0; v < n; v++) if (!visited[v] && (best < 0 || weight[v] > weight[best])) best = v;
    visited[best] = 1;
    visit.push(best);
    for (const v of neighbours[best]) weight[v]++;
  }
  return visit.reverse();
}

/** Later neighbours of every vertex after elimination; nothing is added to a chordal graph. */
function fillIn(neighbours: readonly ReadonlySet<number>[], order: readonly number[]): Set<number>[] {
  const place = new Int32Array(order.length);
  for (const [k, v] of order.entries()) place[v] = k;
  const later = neighbours.map((set, v) => new Set([...set].filter((u) => place[u] > place[v])));
  for (const v of order) {
    let next = -1;
    for (const u of later[v]) if (next < 0 || place[u] < place[next]) next = u;
    if (next >= 0) for (const u of later[v]) if (u !== next) later[next].add(u);
  }
  return later;
}

function maximalCliques(later: readonly ReadonlySet<number>[], order: readonly number[]): number[][] {
  const cliques: Set<number>[] = [];
  for (const v of order) {
    const clique = new Set(later[v]).add(v);
    // A clique that is not maximal lies in that of a vertex eliminated before.
    if (!cliques.some((other) => clique.size <= other.size && [...clique].every((u) => other.has(u)))) {
      cliques.push(clique);
    }
  }
  return cliques.map((clique) => [...clique].sort((a, b) => a - b));
}

interface TreeEdge {
  readonly child: number;
  readonly parent: number;
  readonly separator: readonly number[];
}

/** A maximum-weight spanning tree for the sizes of the intersections is a clique tree (Bernstein and Goodman 1981). */
function cliqueTree(cliques: readonly (readonly number[])[], order: number): TreeEdge[] {
  const member = cliques.map((clique) => {
    const flags = new Uint8Array(order);
    for (const v of clique) flags[v] = 1;
    return flags;
  });
  const best = cliques.map(() => ({ parent: 0, size: -1 }));
  const done = new Uint8Array(cliques.length);
  const edges: TreeEdge[] = [];
  let current = 0;
  for (let step = 1; step < cliques.length; step++) {
    done[current] = 1;
    for (const [k, clique] of cliques.entries()) {
      if (done[k]) continue;
      const size = clique.reduce((count, v) => count + member[current][v], 0);
      if (size > best[k].size) best[k] = { parent: current, size };
    }
    let next = -1;
    for (let k = 0; k < cliques.length; k++) if (!done[k] && (next < 0 || best[k].size > best[next].size)) next = k;
    const { parent } = best[next];
    edges.push({ child: next, parent, separator: cliques[next].filter((v) => member[parent][v] === 1) });
    current = next;
  }
  return edges;
}

/** Gives every entry of the pattern to one clique that holds its row and its column. */
class EntryOwners {
  private readonly local: Map<number, number>[];
  private readonly holding: number[][];

  constructor(cliques: readonly (readonly number[])[], order: number) {
    this.local = cliques.map((clique) => new Map(clique.map((v, k) => [v, k])));
    this.holding = Array.from({ length: order }, () => []);
    for (const [k, clique] of cliques.entries()) for (const v of clique) this.holding[v].push(k);
  }

  split({ rows, columns, values }: SymmetricEntries): Map<number, SymmetricEntries> {
    const parts = new Map<number, { rows: number[]; columns: number[]; values: number[] }>();
    for (let k = 0; k < values.length; k++) {
      const owner = this.holding[rows[k]].find((clique) => this.local[clique].has(columns[k])) as number;
      let part = parts.get(owner);
      if (part === undefined) {
        part = { rows: [], columns: [], values: [] };
        parts.set(owner, part);
      }
      part.rows.push(this.local[owner].get(rows[k]) as number);
      part.columns.push(this.local[owner].get(columns[k]) as number);
      part.values.push(values[k]);
    }
    return parts;
  }

  single(clique: number, row: number, column: number, value: number): SymmetricEntries {
    const local = this.local[clique];
    return { rows: [local.get(row) as number], columns: [local.get(column) as number], values: [value] };
  }
}
