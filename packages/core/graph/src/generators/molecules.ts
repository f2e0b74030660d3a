import { checkOptions, oneHot, type Rng, requireInteger, tensor } from "@offprint/tensor-core";
import { undirected } from "../graph.js";
import type { GraphData } from "../node-data.js";

/** Options of `ringMolecules`. */
export interface RingMoleculeOptions {
  /** Number of molecules. */
  count: number;
  /** Where they come from. */
  rng: Rng;
  /** Kinds of atoms. Default 4. */
  kinds?: number;
}

/**
 * Small molecule-like graphs in two classes of equal chance: atoms in rings of six fused in a row (class 1), or in a
 * chain of as many atoms (class 0), each with side atoms; kinds of atoms are random. Classes differ in rings only.
 */
export function ringMolecules(options: RingMoleculeOptions): GraphData {
  checkOptions("ringMolecules", options, ["count", "rng", "kinds"], ["count", "rng"]);
  const { count, rng, kinds = 4 } = options;
  requireInteger("ringMolecules", "count", count, 1);
  requireInteger("ringMolecules", "kinds", kinds, 1);
  const labels = rng.randint([count], { high: 2 }).data() as Int32Array;
  const molecules = Array.from(labels, (label) => {
    const rings = rng.randint([], { low: 1, high: 4 }).item();
    const skeleton = 4 * rings + 2;
    const pairs: number[] = [];
    for (let i = 0; i + 1 < skeleton; i++) pairs.push(i, i + 1);
    // Along the path 0, 1, ..., ring r closes between atoms 4 r and 4 r + 5.
    if (label === 1) for (let ring = 0; ring < rings; ring++) pairs.push(4 * ring, 4 * ring + 5);
    const sides = rng.randint([], { low: 1, high: 5 }).item();
    for (let s = 0; s < sides; s++) pairs.push(rng.randint([], { high: skeleton }).item(), skeleton + s);
    const nodes = skeleton + sides;
    return {
      graph: undirected(tensor(Int32Array.from(pairs), { shape: [pairs.length / 2, 2] }), nodes),
      atoms: rng.randint([nodes], { high: kinds }).data() as Int32Array,
    };
  });
  return {
    name: "ring molecules",
    graphs: molecules.map(({ graph }) => graph),
    features: molecules.map(({ atoms }) => oneHot(tensor(atoms), kinds)),
    nodeLabels: molecules.map(({ atoms }) => atoms),
    labels,
    classNames: ["chain", "rings"],
  };
}
