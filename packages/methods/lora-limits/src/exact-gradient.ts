import { makeBreather } from "@offprint/solvers";
import {
  add,
  arange,
  concatenate,
  expandDims,
  type JittedSync,
  jitSync,
  lessEqual,
  matmul,
  mul,
  softmax,
  type Tensor,
  tensor,
  transpose,
  where,
} from "@offprint/tensor-core";
import type { Projected } from "./head.js";
import { type HeadGradient, present } from "./head-gradient.js";
import { chunkFor, rowChunks, rowsOf } from "./row-chunks.js";
import { addRows, type ChainRows, chainRows, type UpstreamKind } from "./softmax-chain.js";

interface RowArguments {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly given: Tensor;
  readonly beta: Tensor;
  /** The first row's number. */
  readonly start: Tensor;
}

/** Softmax weights of some rows of queries over all keys. */
export function softmaxRows(q: Tensor, k: Tensor, beta: Tensor | number, start?: Tensor): Tensor {
  const scores = mul(matmul(q, transpose(k)), beta);
  if (start === undefined) return softmax(scores, 1);
  const place = expandDims(add(arange(q.shape[0]), start), 1);
  return softmax(where(lessEqual(arange(k.shape[0]), place), scores, -Infinity), 1);
}

const compiled = new Map<string, JittedSync<(rows: RowArguments) => ChainRows>>();

function compiledRows(kind: UpstreamKind, causal: boolean) {
  const key = `${kind} ${causal}`;
  let rows = compiled.get(key);
  if (rows === undefined) {
    rows = jitSync((one: RowArguments) =>
      chainRows(softmaxRows(one.q, one.k, one.beta, causal ? one.start : undefined), one, one.given, kind, one.beta),
    );
    compiled.set(key, rows);
  }
  return rows;
}

/** The gradient in O(L^2 d) time and O(L d) memory: so many rows of the attention matrix exist at a time. */
export async function exactGradient(
  { q, k, v }: Projected,
  given: Tensor,
  kind: UpstreamKind,
  settings: { readonly beta: number; readonly causal: boolean; readonly chunk?: number },
): Promise<HeadGradient> {
  const { causal, chunk = chunkFor(q.shape[0]) } = settings;
  const rows = compiledRows(kind, causal);
  const beta = tensor(settings.beta, { dtype: q.dtype });
  const breather = makeBreather();
  const outputs: Tensor[] = [];
  const upstreams: Tensor[] = [];
  const queries: Tensor[] = [];
  let sums: { k: Tensor; v: Tensor } | undefined;
  for (const part of rowChunks(q.shape[0], chunk)) {
    const start = tensor(part.start, { dtype: "int32" });
    const one = rows({ q: rowsOf(q, part), k, v, given: rowsOf(given, part), beta, start });
    outputs.push(one.output);
    upstreams.push(one.upstream);
    queries.push(one.q);
    sums = addRows(sums, one);
    if (breather.due()) await breather.pause();
  }
  return {
    output: concatenate(outputs),
    upstream: concatenate(upstreams),
    q: concatenate(queries),
    ...present(sums),
  };
}
