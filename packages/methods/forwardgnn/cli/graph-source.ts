import { Failure } from "@offprint/commands";
import { karateClub } from "@offprint/datasets";
import { type NodeData, rowNormalize, undirected } from "@offprint/graph";
import { loadPlanetoid } from "@offprint/graph/node";
import { eye } from "@offprint/tensor-core";

/** The name under which Zachary's karate club is always there. */
export const KARATE = "karate-club";

/** The karate club, whose nodes have only themselves as features, or the Planetoid data set in a folder. */
export async function openGraph(source: string, options: { set?: string; raw: boolean }): Promise<NodeData> {
  if (source === KARATE) {
    if (options.set !== undefined) throw new Failure(`--set names a data set of a folder; ${KARATE} is one graph`);
    if (options.raw)
      throw new Failure(`--raw-features: each node of ${KARATE} has one feature of its own; leave it out`);
    const { name, nodes, edges, targets, classNames } = karateClub();
    const labels = targets.data() as Int32Array;
    return { name, graph: undirected(edges, nodes), features: eye(nodes), labels, classNames };
  }
  const data = await loadPlanetoid(source, options.set === undefined ? {} : { name: options.set });
  return options.raw ? data : { ...data, features: rowNormalize(data.features) };
}
