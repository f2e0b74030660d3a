import { applyUpdates, disposeReplaced, type GradientTransformation, onHost } from "@offprint/optim";
import { type Backend, isTensor, jit, mul, NonFiniteError, type Tensor, tensor, tree } from "@offprint/tensor-core";
import { type GradientStats, InnerProductPool, MomentPool, statsOf } from "./gradient-stats.js";
import { type Moments, meanGradient, type SampleLoss, type SampleStatistics } from "./sample-statistics.js";

/** What a step measures. */
export type Needs = "inner-products" | "moments" | "nothing";

/** What a step gives. */
export interface AdaptiveStepResult<P> {
  /** Parameters after the step. */
  readonly params: P;
  /** The optimizer's state after the step. */
  readonly optimizerState: unknown;
  /** Mean loss of the batch before the step. */
  readonly loss: number;
  /** Of the batch, where they were asked for. */
  readonly stats?: GradientStats;
  /** |mean gradient|^2. */
  readonly gradNormSquared: number;
}

interface MicroBatch<B> {
  readonly batch: B;
  readonly mask: Tensor;
  readonly count: Tensor;
  readonly samples: number;
}

/** What compiled functions promise and others give. */
type Soon<T> = T | Promise<T>;

/** Sums over a micro-batch; the squares where they are asked for. */
type Sums<P> = Omit<Moments<P>, "squares"> & Partial<Moments<P>>;

/** Parameters and the optimizer's state after an update. */
interface Moved<P> {
  readonly params: P;
  readonly optimizerState: unknown;
}

/** A step on one micro-batch. */
type WholeStep<P, B> = (
  params: P,
  state: unknown,
  rate: Tensor,
  batch: B,
  mask: Tensor,
  count: Tensor,
) => Soon<Sums<P> & Moved<P> & { readonly inner?: Tensor }>;

/** Steps on batches of any size, with one compiled graph per power of two. */
export class AdaptiveSteps<P, B> {
  private readonly data: (indices: Int32Array) => B;
  private readonly maxMicro: number;
  private readonly blockwise: boolean;
  private readonly kept: readonly unknown[];
  private readonly dtype: "float32" | "float64";
  private readonly compiled: { release(): Promise<void> }[] = [];
  private readonly wholeStep: Readonly<Record<Needs, WholeStep<P, B>>>;
  private readonly micro: Readonly<
    Record<"moments" | "nothing", (params: P, batch: B, mask: Tensor, count: Tensor) => Soon<Sums<P>>>
  >;
  private readonly inner: (params: P, batch: B, direction: P) => Soon<Tensor>;
  private readonly apply: (params: P, state: unknown, gradient: P, rate: Tensor) => Soon<Moved<P>>;

  constructor(options: {
    readonly params: P;
    readonly data: (indices: Int32Array) => B;
    readonly sampleLoss: SampleLoss<P, B>;
    readonly statistics: SampleStatistics<P, B>;
    readonly optimizer: GradientTransformation;
    readonly maxMicro: number;
    readonly blockwise: boolean;
    readonly backend?: Backend;
    readonly kept: readonly unknown[];
  }) {
    const { optimizer, statistics, backend } = options;
    this.data = options.data;
    this.maxMicro = options.maxMicro;
    this.blockwise = options.blockwise;
    this.kept = options.kept;
    const first = tree.leaves<unknown>(options.params).find((leaf) => isTensor(leaf)) as Tensor | undefined;
    this.dtype = first?.dtype === "float64" ? "float64" : "float32";
    const compile = <A extends unknown[], R>(f: (...args: A) => R): ((...args: A) => Soon<R>) => {
      if (backend === undefined) return f;
      const jitted = jit(f, { backend });
      this.compiled.push(jitted);
      return jitted as (...args: A) => Promise<R>;
    };
    const update = (params: P, state: unknown, gradient: P, rate: Tensor): Moved<P> => {
      const dtyped = tree.map((g: Tensor, p: Tensor) => g.cast(p.dtype), gradient, params);
      const { updates, state: next } = optimizer.update(dtyped, state, params);
      return {
        params: applyUpdates(
          params,
          tree.map((u: Tensor) => mul(u, rate.cast(u.dtype)), updates),
        ),
        optimizerState: next,
      };
    };
    const { moments } = statistics;
    const plain = meanGradient(options.sampleLoss);
    this.wholeStep = {
      nothing: compile((params: P, state: unknown, rate: Tensor, batch: B, mask: Tensor, count: Tensor) => {
        const found = plain(params, batch, mask, count);
        return { ...found, ...update(params, state, found.mean, rate) };
      }),
      moments: compile((params: P, state: unknown, rate: Tensor, batch: B, mask: Tensor, count: Tensor) => {
        const found = moments(params, batch, mask, count);
        return { ...found, ...update(params, state, found.mean, rate) };
      }),
      "inner-products": compile((params: P, state: unknown, rate: Tensor, batch: B, mask: Tensor, count: Tensor) => {
        const found = moments(params, batch, mask, count);
        const inner = statistics.innerProducts(params, batch, found.mean);
        return { ...found, inner, ...update(params, state, found.mean, rate) };
      }),
    };
    this.micro = { nothing: compile(plain), moments: compile(moments.bind(statistics)) };
    this.inner = compile(statistics.innerProducts.bind(statistics));
    this.apply = compile(update);
  }

  /** One step on the samples. */
  async step(
    params: P,
    optimizerState: unknown,
    rate: number,
    indices: Int32Array,
    needs: Needs,
  ): Promise<AdaptiveStepResult<P>> {
    const parts: MicroBatch<B>[] = [];
    for (let at = 0; at < indices.length; at += this.maxMicro) {
      parts.push(this.padded(indices.subarray(at, at + this.maxMicro)));
    }
    const alpha = tensor(Float64Array.of(rate)).reshape([]).cast(this.dtype);
    const result =
      parts.length === 1
        ? await this.whole(params, optimizerState, alpha, parts[0], needs)
        : await this.pooled(params, optimizerState, alpha, parts, needs);
    const { loss, gradNormSquared } = result;
    if (!Number.isFinite(loss) || !Number.isFinite(gradNormSquared)) {
      throw new NonFiniteError(
        `the loss is ${loss} and the squared norm of its gradient ${gradNormSquared}: the step was not taken; lower the learning rate`,
      );
    }
    disposeReplaced([params, optimizerState], [result.params, result.optimizerState, this.kept]);
    return result;
  }

  /** Frees what was compiled. */
  async release(): Promise<void> {
    await Promise.all(this.compiled.map((each) => each.release()));
  }

  private padded(indices: Int32Array): MicroBatch<B> {
    const size = Math.min(this.maxMicro, 2 ** Math.ceil(Math.log2(indices.length)));
    const filled = new Int32Array(size).fill(indices[0]);
    filled.set(indices);
    const ones = new Float64Array(size).fill(1, 0, indices.length);
    return {
      batch: this.data(filled),
      mask: tensor(ones).cast(this.dtype),
      count: tensor(Float64Array.of(indices.length)).reshape([]).cast(this.dtype),
      samples: indices.length,
    };
  }

  private async whole(
    params: P,
    state: unknown,
    alpha: Tensor,
    part: MicroBatch<B>,
    needs: Needs,
  ): Promise<AdaptiveStepResult<P>> {
    const out = await this.wholeStep[needs](params, state, alpha, part.batch, part.mask, part.count);
    const { params: next, optimizerState, ...measured } = out;
    const found = await onHost(measured);
    const pool = poolOf(found.mean);
    pool.add(part.samples, numbers(found.mean), needs === "nothing" ? pool.squares : numbers(found.squares));
    let inner: InnerProductPool | undefined;
    if (needs === "inner-products") {
      inner = new InnerProductPool(pool, this.blockwise);
      inner.add(rowsOf(found.inner as Tensor, part.samples));
    }
    return this.result(next, optimizerState, found.loss.item() / part.samples, pool, inner, needs, found.mean);
  }

  private async pooled(
    params: P,
    state: unknown,
    alpha: Tensor,
    parts: readonly MicroBatch<B>[],
    needs: Needs,
  ): Promise<AdaptiveStepResult<P>> {
    let loss = 0;
    let pool: MomentPool | undefined;
    let like: P | undefined;
    for (const { batch, mask, count, samples } of parts) {
      const moments = this.micro[needs === "nothing" ? "nothing" : "moments"];
      const found = await onHost(await moments(params, batch, mask, count));
      like = found.mean;
      pool ??= poolOf(found.mean);
      loss += found.loss.item();
      pool.add(samples, numbers(found.mean), needs === "nothing" ? zerosLike(pool) : numbers(found.squares));
    }
    const whole = pool as MomentPool;
    const mean = unflattenLike(like as P)(whole.mean);
    const direction = tree.map((g: Tensor, p: Tensor) => g.cast(p.dtype), mean, like);
    let inner: InnerProductPool | undefined;
    if (needs === "inner-products") {
      inner = new InnerProductPool(whole, this.blockwise);
      for (const { batch, samples } of parts) {
        inner.add(rowsOf(await (await this.inner(params, batch, direction)).host(), samples));
      }
    }
    const next = await this.apply(params, state, direction, alpha);
    return this.result(next.params, next.optimizerState, loss / whole.count, whole, inner, needs, mean);
  }

  private result(
    params: P,
    optimizerState: unknown,
    loss: number,
    pool: MomentPool,
    inner: InnerProductPool | undefined,
    needs: Needs,
    like: P,
  ): AdaptiveStepResult<P> {
    const gradNormSquared = pool.normsSquared().reduce((a, b) => a + b, 0);
    const stats = needs === "nothing" ? undefined : statsOf(pool, inner, unflattenLike(like));
    return { params, optimizerState, loss, gradNormSquared, ...(stats && { stats }) };
  }
}

function numbers(value: unknown): ArrayLike<number>[] {
  return tree.leaves<Tensor>(value).map((leaf) => leaf.data());
}

function poolOf(mean: unknown): MomentPool {
  return new MomentPool(tree.leaves<Tensor>(mean).map(({ size }) => size));
}

function zerosLike(pool: MomentPool): Float64Array[] {
  return pool.squares.map(({ length }) => new Float64Array(length));
}

function rowsOf(inner: Tensor, samples: number): ArrayLike<number> {
  return inner.data().subarray(0, samples * inner.shape[1]);
}

/** Numbers by leaf as a tree like the given one. */
function unflattenLike<P>(like: P): (values: readonly Float64Array[]) => P {
  const { leaves, structure } = tree.flatten(like);
  return (values) =>
    tree.unflatten<P>(
      structure,
      values.map((data, l) => tensor(data).reshape((leaves[l] as Tensor).shape)),
    );
}
