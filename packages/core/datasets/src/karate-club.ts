import { type Tensor, tensor } from "@offprint/tensor-core";

/** A graph with a class for each node. */
export interface NodeDataset {
  /** What people call it. */
  readonly name: string;
  /** Number of nodes. */
  readonly nodes: number;
  /** `[edges, 2]` (int32): each undirected edge once, lower node first, nodes from 0. */
  readonly edges: Tensor;
  /** `[nodes]` (int32). */
  readonly targets: Tensor;
  /** In the order of the class numbers. */
  readonly classNames: readonly string[];
  /** Under which terms the data may be used. */
  readonly licence: string;
  /** Who made it and where it is described. */
  readonly source: string;
}

/** For members 1, 2, ..., the higher-numbered members each met outside the club. */
const CONTACTS = [
  [2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 18, 20, 22, 32],
  [3, 4, 8, 14, 18, 20, 22, 31],
  [4, 8, 9, 10, 14, 28, 29, 33],
  [8, 13, 14],
  [7, 11],
  [7, 11, 17],
  [17],
  [],
  [31, 33, 34],
  [34],
  [],
  [],
  [],
  [34],
  [33, 34],
  [33, 34],
  [],
  [],
  [33, 34],
  [34],
  [33, 34],
  [],
  [33, 34],
  [26, 28, 30, 33, 34],
  [26, 28, 32],
  [32],
  [30, 34],
  [34],
  [32, 34],
  [33, 34],
  [33, 34],
  [33, 34],
  [34],
];

/** Members 1 to 34 who joined the officers after the split (1) or stayed with the instructor (0). */
const FACTIONS = "0000000001000011001010111111111111";

/** Zachary's karate club: 34 members, 78 friendships, and the side each took when the club split. */
export function karateClub(): NodeDataset {
  const edges = CONTACTS.flatMap((others, i) => others.flatMap((other) => [i, other - 1]));
  return {
    name: "Karate club",
    nodes: FACTIONS.length,
    edges: tensor(Int32Array.from(edges), { shape: [edges.length / 2, 2] }),
    targets: tensor(Int32Array.from(FACTIONS, Number)),
    classNames: ["instructor", "officers"],
    licence: "published facts, free of copyright",
    source:
      "W. W. Zachary, An information flow model for conflict and fission in small groups, J. Anthropol. Res. 33 (1977)",
  };
}
