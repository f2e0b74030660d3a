import { random } from "@offprint/tensor-core";

/** Where a pass over the samples stands: plain data. */
export interface OrderState {
  /** Passes begun, from 0. */
  readonly epoch: number;
  /** Samples of this pass that are used. */
  readonly position: number;
}

/** Draws batches of changing size without replacement; shuffles anew when too few samples are left. */
export class SampleOrder {
  private state: OrderState;
  private order: Int32Array;
  private readonly size: number;
  private readonly seed: number | string;

  constructor(size: number, seed: number | string) {
    this.size = size;
    this.seed = seed;
    this.state = { epoch: 0, position: 0 };
    this.order = this.shuffled(0);
  }

  /** The samples of the next batch. */
  draw(count: number): Int32Array {
    if (this.state.position + count > this.size) {
      const epoch = this.state.epoch + 1;
      this.order = this.shuffled(epoch);
      this.state = { epoch, position: 0 };
    }
    const { epoch, position } = this.state;
    this.state = { epoch, position: position + count };
    return this.order.slice(position, position + count);
  }

  /** Where it stands. */
  save(): OrderState {
    return this.state;
  }

  /** Goes on from there. */
  goTo(state: OrderState): void {
    if (state.epoch !== this.state.epoch) this.order = this.shuffled(state.epoch);
    this.state = state;
  }

  private shuffled(epoch: number): Int32Array {
    return random.rng(`${this.seed}/epoch/${epoch}`).permutation(this.size).data() as Int32Array;
  }
}
