import { Graph, type Tensor } from "@offprint/tensor-core";

/** Whether two graphs carry out the same operations with the same constants, those of the bodies of loops included. */
export function sameGraph(a: Graph, b: Graph): boolean {
  if (String(a) !== String(b) || a.constants.length !== b.constants.length) return false;
  if (!a.constants.every(({ value }, i) => sameBits(value, b.constants[i].value))) return false;
  return a.equations.every(({ params }, i) => {
    const [inner, other] = [graphsIn(params), graphsIn(b.equations[i].params)];
    return inner.length === other.length && inner.every((graph, k) => sameGraph(graph, other[k]));
  });
}

function graphsIn(params: unknown): Graph[] {
  if (params instanceof Graph) return [params];
  if (typeof params !== "object" || params === null || ArrayBuffer.isView(params)) return [];
  return Object.values(params).flatMap(graphsIn);
}

function sameBits(a: Tensor, b: Tensor): boolean {
  if (a === b) return true;
  const [x, y] = [a.data(), b.data()];
  if (a.dtype !== b.dtype || x.length !== y.length) return false;
  for (let i = 0; i < x.length; i++) if (!Object.is(x[i], y[i])) return false;
  return true;
}
