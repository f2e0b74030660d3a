import { makeBreather } from "@offprint/solvers";
import {
  add,
  cast,
  concatenate,
  div,
  expandDims,
  jitSync,
  matmul,
  min,
  mul,
  ones,
  reshape,
  slice,
  sqrt,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  tril,
  zeros,
} from "@offprint/tensor-core";
import type { ExpPolynomial } from "./exp-polynomial.js";
import type { Projected } from "./head.js";
import type { HeadGradient } from "./head-gradient.js";
import { featureWeights, monomials } from "./monomial-features.js";
import { NormExceededError } from "./norm-exceeded-error.js";
import { chunkFor, rowChunks, rowsOf } from "./row-chunks.js";
import { type UpstreamKind, upstreamOf } from "./softmax-chain.js";

/*
 * With U = phi(sqrt(beta) Q) diag(sigma) and Z = phi(sqrt(beta) K), the weights are f = diag(1 / D) U Z^T, D = U Z^T 1.
 * All that the chain needs of f is its product with two tall matrices, and neither product forms f:
 *
 *     f [1, V, K, V x K]                  gives D, o, and of p K the parts f K and f (V x K)
 *     f^T [c, rho o Q, c x Q]             gives dV, and of p^T Q the parts f^T (rho o Q) and f^T (c x Q)
 *
 * where x is the product of all columns of a row, `[L, d^2]`. So p K = sum_a c_a f (V_a K) - rho f K, and
 * p^T Q = sum_a V_a f^T (c_a Q) - f^T (rho Q). A causal head multiplies by the lower triangle of f: by what came before,
 * summed up, and by the triangle within a part of the rows.
 */

/** What features are computed with. */
interface Weights {
  readonly queries: Tensor;
  readonly keys: Tensor;
  readonly beta: Tensor;
}

/** Features whose products stand for exp of scores. */
export interface FeatureMap {
  /** Maps of one key compute the same function of x and its weights. */
  readonly key: string;
  /** k_1. */
  readonly count: number;
  /** `[k_1, rows]` of `sqrt(beta) x^T`, `[d, rows]`. */
  readonly map: (x: Tensor, weights: Tensor) => Tensor;
  /** The weights of queries and of keys, float64. */
  readonly queries: Tensor;
  readonly keys: Tensor;
  /** What to do where attention weights come out with a sum that is not positive. */
  readonly remedy: string;
  readonly range: number;
}

/** The monomials of a polynomial, with the signs of its coefficients at the queries. */
export function polynomialFeatures(polynomial: ExpPolynomial, d: number): FeatureMap {
  const { scales, signs } = featureWeights(d, polynomial);
  const column = (values: Float64Array) => tensor(values, { shape: [values.length, 1] });
  const { degree, range } = polynomial;
  return {
    key: `polynomial ${degree}`,
    count: scales.length,
    map: (x, weights) => mul(monomials(x, degree), weights),
    queries: column(scales.map((scale, i) => scale * signs[i])),
    keys: column(scales),
    remedy: `the polynomial has degree ${degree}; give a higher one, or an epsilon`,
    range,
  };
}

interface Rows {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly given: Tensor;
}

/** What is known of some rows of queries after the first product. */
interface QueryRows {
  readonly output: Tensor;
  readonly upstream: Tensor;
  readonly q: Tensor;
  /** `rho_j = o_j . c_j`, `[rows, 1]`. */
  readonly rho: Tensor;
  /** D, `[rows, 1]`. */
  readonly norm: Tensor;
  /** The least of D. */
  readonly least: Tensor;
}

type Found = Pick<QueryRows, "upstream" | "rho" | "norm">;

/** Products of all columns of `a` with all of `b`, row by row: `[rows, d^2]`. */
function allProducts(a: Tensor, b: Tensor): Tensor {
  const [rows, d] = a.shape;
  return reshape(mul(expandDims(a, 2), expandDims(b, 1)), [rows, d * d]);
}

/** `sum_a a_a M_a` of rows whose M is `[d, d]`. */
function contracted(a: Tensor, m: Tensor): Tensor {
  const [rows, d] = a.shape;
  return sum(mul(expandDims(a, 2), reshape(m, [rows, d, d])), 1);
}

const columns = (x: Tensor, start: number, stop: number) => slice(x, [null, { start, stop }]);

function queryResult(product: Tensor, { q, given }: Rows, kind: UpstreamKind, beta: Tensor): QueryRows {
  const d = q.shape[1];
  const norm = columns(product, 0, 1);
  const f = div(product, norm);
  const output = columns(f, 1, 1 + d);
  const c = upstreamOf(kind, output, given);
  const rho = sum(mul(output, c), { axis: 1, keepDims: true });
  const pk = sub(contracted(c, columns(f, 1 + 2 * d, 1 + 2 * d + d * d)), mul(rho, columns(f, 1 + d, 1 + 2 * d)));
  return { output, upstream: c, q: mul(pk, beta), rho, norm, least: min(norm) };
}

function keyResult(product: Tensor, v: Tensor, beta: Tensor): { k: Tensor; v: Tensor } {
  const d = v.shape[1];
  const pq = sub(contracted(v, columns(product, 2 * d, 2 * d + d * d)), columns(product, d, 2 * d));
  return { k: mul(pq, beta), v: columns(product, 0, d) };
}

/** `[c, rho o Q, c x Q] / D`. */
const leftSide = (q: Tensor, { upstream, rho, norm }: Found) =>
  div(concatenate([upstream, mul(rho, q), allProducts(upstream, q)], 1), norm);

/** `[1, V, K, V x K]`. */
const rightSide = (k: Tensor, v: Tensor) => concatenate([ones([k.shape[0], 1], k.dtype), v, k, allProducts(v, k)], 1);

/** The compiled functions of one kind of features; shapes are told apart by `jitSync`. */
function makeProgram(map: FeatureMap["map"], kind: UpstreamKind) {
  const u = (q: Tensor, { queries, beta }: Weights) => map(mul(transpose(q), sqrt(beta)), queries);
  const z = (k: Tensor, { keys, beta }: Weights) => map(mul(transpose(k), sqrt(beta)), keys);
  const triangle = (rows: Rows, weights: Weights) => tril(matmul(transpose(u(rows.q, weights)), z(rows.k, weights)));
  return {
    addKeys: jitSync((sums: Tensor, rows: Rows, weights: Weights) =>
      add(sums, matmul(z(rows.k, weights), rightSide(rows.k, rows.v))),
    ),
    queries: jitSync((sums: Tensor, rows: Rows, weights: Weights) =>
      queryResult(matmul(transpose(u(rows.q, weights)), sums), rows, kind, weights.beta),
    ),
    causalQueries: jitSync((sums: Tensor, rows: Rows, weights: Weights) => {
      const before = matmul(transpose(u(rows.q, weights)), sums);
      const within = matmul(triangle(rows, weights), rightSide(rows.k, rows.v));
      return queryResult(add(before, within), rows, kind, weights.beta);
    }),
    addQueries: jitSync((sums: Tensor, rows: Rows, found: Found, weights: Weights) =>
      add(sums, matmul(u(rows.q, weights), leftSide(rows.q, found))),
    ),
    keys: jitSync((sums: Tensor, rows: Rows, weights: Weights) =>
      keyResult(matmul(transpose(z(rows.k, weights)), sums), rows.v, weights.beta),
    ),
    causalKeys: jitSync((sums: Tensor, rows: Rows, found: Found, weights: Weights) => {
      const after = matmul(transpose(z(rows.k, weights)), sums);
      const within = matmul(transpose(triangle(rows, weights)), leftSide(rows.q, found));
      return keyResult(add(after, within), rows.v, weights.beta);
    }),
  };
}

const programs = new Map<string, ReturnType<typeof makeProgram>>();

function programOf(features: FeatureMap, kind: UpstreamKind) {
  const key = `${features.key}, ${kind}`;
  let program = programs.get(key);
  if (program === undefined) {
    program = makeProgram(features.map, kind);
    programs.set(key, program);
  }
  return program;
}

/** Rows of a causal head whose triangle is worked on together, at most. */
const MOST_CAUSAL = 256;

/** How a product with polynomial weights is to be made. */
export interface LinearSettings {
  readonly beta: number;
  readonly causal: boolean;
  /** Rows at a time. */
  readonly chunk?: number;
  /** The public function, for messages. */
  readonly owner: string;
}

/** The product f [1, V, K, V x K], part by part, and what the second product needs. */
async function queryPass(
  { q, k, v }: Projected,
  given: Tensor,
  kind: UpstreamKind,
  features: FeatureMap,
  settings: LinearSettings,
) {
  const [length, d] = q.shape;
  const { dtype } = q;
  const { causal, owner } = settings;
  const { count } = features;
  const chunk = settings.chunk ?? Math.min(chunkFor(count + d * d), causal ? MOST_CAUSAL : Infinity);
  const weights: Weights = {
    queries: cast(features.queries, dtype),
    keys: cast(features.keys, dtype),
    beta: tensor(settings.beta, { dtype }),
  };
  const program = programOf(features, kind);
  const parts = rowChunks(length, chunk).map((part) => ({
    q: rowsOf(q, part),
    k: rowsOf(k, part),
    v: rowsOf(v, part),
    given: rowsOf(given, part),
  }));
  const breather = makeBreather();
  const breathe = async () => {
    if (breather.due()) await breather.pause();
  };
  let sums = zeros([count, 1 + 2 * d + d * d], dtype);
  if (!causal) {
    for (const rows of parts) {
      sums = program.addKeys(sums, rows, weights);
      await breathe();
    }
  }
  const found: { rows: Rows; result: QueryRows }[] = [];
  for (const rows of parts) {
    const result = (causal ? program.causalQueries : program.queries)(sums, rows, weights);
    const least = result.least.item();
    if (!(least > 0)) {
      throw new NormExceededError(
        `${owner}: the weights of a token have the sum ${least}, which must be above 0: ${features.remedy}`,
        { range: features.range },
      );
    }
    if (causal) sums = program.addKeys(sums, rows, weights);
    found.push({ rows, result });
    await breathe();
  }
  return { found, program, weights, breathe };
}

/** The output alone. */
export async function almostLinearOutput(
  projected: Projected,
  features: FeatureMap,
  settings: LinearSettings,
): Promise<Tensor> {
  const nothing = zeros(projected.q.shape, projected.q.dtype);
  const { found } = await queryPass(projected, nothing, "gradient", features, settings);
  return concatenate(found.map(({ result }) => result.output));
}

/** The gradient with polynomial attention weights in O(L k_1 d^2) time; features of one part of the rows exist at a time. */
export async function almostLinearGradient(
  projected: Projected,
  given: Tensor,
  kind: UpstreamKind,
  features: FeatureMap,
  settings: LinearSettings,
): Promise<HeadGradient> {
  const { found, program, weights, breathe } = await queryPass(projected, given, kind, features, settings);
  const { dtype, shape } = projected.q;
  const d = shape[1];
  let sums = zeros([features.count, 2 * d + d * d], dtype);
  if (!settings.causal) {
    for (const { rows, result } of found) {
      sums = program.addQueries(sums, rows, secondHalf(result), weights);
      await breathe();
    }
  }
  const keys: { k: Tensor; v: Tensor }[] = [];
  for (const { rows, result } of found.slice().reverse()) {
    if (settings.causal) {
      const half = secondHalf(result);
      keys.unshift(program.causalKeys(sums, rows, half, weights));
      sums = program.addQueries(sums, rows, half, weights);
    } else keys.unshift(program.keys(sums, rows, weights));
    await breathe();
  }
  const joined = (pick: (rows: QueryRows) => Tensor) => concatenate(found.map(({ result }) => pick(result)));
  return {
    output: joined((rows) => rows.output),
    upstream: joined((rows) => rows.upstream),
    q: joined((rows) => rows.q),
    k: concatenate(keys.map((rows) => rows.k)),
    v: concatenate(keys.map((rows) => rows.v)),
  };
}

function secondHalf({ upstream, rho, norm }: QueryRows): Found {
  return { upstream, rho, norm };
}
