import { random, requireFunction, ValueError } from "@offprint/tensor-core";

/** Gives the batches of an epoch (from 0). */
export type BatchSource<B> = (epoch: number, rng: random.Rng) => Iterable<B> | AsyncIterable<B>;

/**
 * What a source gives for an epoch, checked.
 * @throws ValueError where that cannot be iterated
 */
export function batchesOf<B>(
  owner: string,
  data: BatchSource<B>,
  epoch: number,
  rng: random.Rng,
): Iterable<B> | AsyncIterable<B> {
  requireFunction(owner, "data", data);
  const batches = data(epoch, rng);
  const each = batches as Partial<Iterable<B> & AsyncIterable<B>> | null | undefined;
  if (typeof each?.[Symbol.asyncIterator] === "function" || typeof each?.[Symbol.iterator] === "function")
    return batches;
  throw new ValueError(`${owner}: data of epoch ${epoch} cannot be iterated; give an array of batches, or a generator`);
}

/**
 * The batches of epochs one after the other, for a training loop of one's own: one is asked for in advance, so that an epoch's last is
 * known as such, and each epoch once. The generator of an epoch is seeded by its number, so that a resumed run sees the same.
 * @example const stream = new BatchStream("fit", data, seed); const { batch, last } = await stream.take(0, 0);
 */
export class BatchStream<B> {
  private batches: Iterator<B> | AsyncIterator<B> | undefined;
  private ahead: IteratorResult<B> | undefined;

  constructor(
    private readonly owner: string,
    private readonly data: BatchSource<B>,
    private readonly seed: number | string,
  ) {
    requireFunction(owner, "data", data);
  }

  /**
   * The batch of an epoch after the first `done`, and whether it is its last one: in order, from wherever the first call begins.
   * @throws ValueError where the epoch has no such batch
   */
  async take(epoch: number, done: number): Promise<{ batch: B; last: boolean }> {
    if (this.batches === undefined) await this.open(epoch, done);
    const batch = this.ahead?.value as B;
    this.ahead = await this.batches?.next();
    const last = this.ahead?.done === true;
    if (last) this.batches = undefined;
    return { batch, last };
  }

  /** Tells an epoch that was not finished that no more of it is wanted. */
  async close(): Promise<void> {
    const { batches } = this;
    this.batches = undefined;
    await batches?.return?.();
  }

  private async open(epoch: number, done: number): Promise<void> {
    const source = batchesOf(this.owner, this.data, epoch, random.rng(`${this.seed}/epoch/${epoch}`));
    const batches = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    let ahead = await batches.next();
    let skipped = 0;
    for (; skipped < done && !ahead.done; skipped++) ahead = await batches.next();
    if (ahead.done && done === 0) {
      throw new ValueError(`${this.owner}: data gave no batches in epoch ${epoch}; give at least one`);
    }
    if (ahead.done) {
      throw new ValueError(
        `${this.owner}: the state to resume is at batch ${done} of an epoch that now has ${skipped}; give the same data`,
      );
    }
    this.batches = batches;
    this.ahead = ahead;
  }
}
