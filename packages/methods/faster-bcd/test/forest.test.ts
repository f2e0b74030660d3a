import { largestDifference } from "@offprint/claims";
import { erdosRenyi, grid } from "@offprint/graph";
import { linalg, random, sparse, tensor, ValueError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { checkerboard, combs, forestBlock, forestPartition, forestSolve, redBlackPartition } from "../src/index.js";
import { all, normals } from "./problems.js";

function graphOf({ nodes, sources, targets }: { nodes: number; sources: Int32Array; targets: Int32Array }) {
  return sparse.fromTriplets(nodes, nodes, sources, targets, new Float64Array(sources.length).fill(1));
}

/** Whether the edges inside a block close a cycle: a forest has fewer edges than nodes in each component. */
function acyclic(graph: sparse.CsrMatrix, block: ArrayLike<number>): boolean {
  const inside = new Set(Array.from(block));
  const parent = new Map(Array.from(inside, (i) => [i, i]));
  const find = (i: number): number => (parent.get(i) === i ? i : find(parent.get(i) as number));
  for (const i of inside) {
    for (let p = graph.indptr[i]; p < graph.indptr[i + 1]; p++) {
      const j = graph.indices[p];
      if (j <= i || !inside.has(j)) continue;
      if (find(i) === find(j)) return false;
      parent.set(find(i), find(j));
    }
  }
  return true;
}

function covers(blocks: readonly Int32Array[], n: number): void {
  expect(blocks.flatMap((b) => Array.from(b)).sort((i, j) => i - j)).toEqual(Array.from(all(n)));
}

const graphs = [graphOf(grid(7, 9)), ...[0.05, 0.1, 0.3].map((p) => graphOf(erdosRenyi(40, p, random.rng(p * 100))))];

describe("blocks from a graph", () => {
  it.each(graphs)("a forest block is acyclic and maximal (graph %#)", (graph) => {
    for (let trial = 0; trial < 5; trial++) {
      const block = forestBlock(random.rng(trial).permutation(graph.rows).data(), graph);
      expect(acyclic(graph, block)).toBe(true);
      const inside = new Set(block);
      for (let i = 0; i < graph.rows; i++) if (!inside.has(i)) expect(acyclic(graph, [...block, i])).toBe(false);
    }
  });

  it.each(graphs)(
    "forests of a partition are acyclic, disjoint and cover all; each node lies in the first that could take it (graph %#)",
    (graph) => {
      const blocks = forestPartition(graph);
      covers(blocks, graph.rows);
      for (const block of blocks) expect(acyclic(graph, block)).toBe(true);
      for (const [b, block] of blocks.entries()) {
        for (const i of block) {
          for (const earlier of blocks.slice(0, b))
            expect(acyclic(graph, [...earlier.filter((j) => j < i), i])).toBe(false);
        }
      }
    },
  );

  it.each(graphs)("red-black blocks have no edge inside (graph %#)", (graph) => {
    const blocks = redBlackPartition(graph);
    covers(blocks, graph.rows);
    for (const block of blocks) {
      const inside = new Set(block);
      for (const i of block)
        for (let p = graph.indptr[i]; p < graph.indptr[i + 1]; p++) expect(inside.has(graph.indices[p])).toBe(false);
    }
  });

  it("a lattice has two colours, and two combs that are trees", () => {
    for (const [rows, columns] of [
      [5, 6],
      [4, 4],
      [2, 3],
      [1, 5],
      [7, 2],
    ]) {
      const graph = graphOf(grid(rows, columns));
      const colours = checkerboard(rows, columns);
      covers(colours, rows * columns);
      expect(colours).toHaveLength(2);
      for (const block of colours) {
        const inside = new Set(block);
        for (const i of block)
          for (let p = graph.indptr[i]; p < graph.indptr[i + 1]; p++) expect(inside.has(graph.indices[p])).toBe(false);
      }
      const pair = combs(rows, columns);
      covers(pair, rows * columns);
      expect(pair.length).toBeLessThanOrEqual(2);
      for (const block of pair) expect(acyclic(graph, block)).toBe(true);
    }
    expect(combs(3, 4).map((b) => Array.from(b))).toEqual([
      [0, 1, 2, 3, 4, 6],
      [5, 7, 8, 9, 10, 11],
    ]);
  });

  it("an entry of zero is no edge", () => {
    const triangle = sparse.fromTriplets(3, 3, [0, 1, 1, 2, 0, 2], [1, 0, 2, 1, 2, 0], [1, 1, 1, 1, 0, 0]);
    expect(Array.from(forestBlock([0, 1, 2], triangle))).toEqual([0, 1, 2]);
  });
});

describe("message passing", () => {
  it("equals the dense solution on 100 random forests with weights of either sign", () => {
    let worst = 0;
    for (let trial = 0; trial < 100; trial++) {
      const rng = random.rng(`tree/${trial}`);
      const n = 3 + (trial % 20);
      const dense = new Float64Array(n * n);
      for (let i = 1; i < n; i++) {
        if (rng.uniform([]).item() < 0.1) continue;
        const j = rng.randint([], { high: i }).item();
        const w = rng.normal([], { dtype: "float64" }).item();
        dense[i * n + j] = dense[j * n + i] = w;
        dense[i * n + i] += Math.abs(w);
        dense[j * n + j] += Math.abs(w);
      }
      for (let i = 0; i < n; i++) dense[i * n + i] += 0.1;
      const A = sparse.fromDense(tensor(dense, { shape: [n, n] }));
      const rhs = normals(rng, n);
      const exact = linalg.solve(tensor(dense, { shape: [n, n] }), rhs).data();
      worst = Math.max(
        worst,
        largestDifference(forestSolve(A, rhs, all(n)), exact) / Math.max(...Array.from(exact, Math.abs)),
      );
    }
    expect(worst).toBeLessThan(1e-11);
  });

  it("takes and gives values in the order of the block", () => {
    const A = sparse.fromDense([
      [2, -1, 0],
      [-1, 3, 1],
      [0, 1, 4],
    ]);
    const straight = forestSolve(A, [1, 2, 3], [0, 1, 2]);
    expect(
      largestDifference(forestSolve(A, [3, 1, 2], [2, 0, 1]), [straight[2], straight[0], straight[1]]),
    ).toBeLessThan(1e-14);
    expect(forestSolve(A, [6], [1])[0]).toBeCloseTo(2, 14);
  });

  it("solves a path of 100 000 nodes without recursion", () => {
    const n = 1e5;
    const rows: number[] = [];
    const columns: number[] = [];
    const values: number[] = [];
    for (let i = 0; i < n; i++) {
      rows.push(i);
      columns.push(i);
      values.push(2.5);
      if (i > 0) {
        rows.push(i, i - 1);
        columns.push(i - 1, i);
        values.push(-1, -1);
      }
    }
    const A = sparse.fromTriplets(n, n, rows, columns, values);
    const x = forestSolve(A, new Float64Array(n).fill(1), all(n));
    expect(largestDifference(sparse.multiplyVector(A, x), new Float64Array(n).fill(1))).toBeLessThan(1e-13);
  });

  it("refuses a cycle, and a matrix that is not positive definite", () => {
    const cycle = sparse.fromDense([
      [4, 1, 1],
      [1, 4, 1],
      [1, 1, 4],
    ]);
    expect(() => forestSolve(cycle, [1, 1, 1], [0, 1, 2])).toThrow(/close a cycle; the block must be a forest/);
    expect(forestSolve(cycle, [5, 5], [0, 1])).toEqual(Float64Array.of(1, 1));
    const indefinite = sparse.fromDense([
      [1, 2],
      [2, 1],
    ]);
    expect(() => forestSolve(indefinite, [1, 1], [0, 1])).toThrow(
      /pivot of variable 0 is -3; the matrix is not positive definite/,
    );
    expect(() => forestSolve(cycle, [1, 1], [0, 0])).toThrow(ValueError);
    expect(() => forestSolve(cycle, [1], [0, 1])).toThrow(/rhs has 1 values for a block of 2/);
    expect(() => forestSolve(cycle, [Number.NaN], [0])).toThrow(/rhs holds NaN/);
    expect(() => forestBlock([0, 3], cycle)).toThrow(/order\[1\] is 3/);
  });
});
