import { adam, cosineSchedule } from "@offprint/optim";
import { makeBreather } from "@offprint/solvers";
import { add, jitSync, mul, scan, type Tensor, valueAndGrad } from "@offprint/tensor-core";

/** Steps that are one call. */
const CHUNK = 100;

/** @internal Adam on a loss of one tree of weights, compiled; the same for all data of a shape. */
export interface MapTraining<D> {
  readonly run: (weights: Tensor, data: D, steps: number, signal?: AbortSignal) => Promise<Tensor>;
}

/**
 * @internal
 * @param cosine - Steps over which the learning rate falls to 0 along a cosine; constant without.
 */
export function mapTraining<D>(
  loss: (weights: Tensor, data: D) => Tensor,
  learningRate: number,
  cosine?: number,
): MapTraining<D> {
  const rate = cosine === undefined ? learningRate : cosineSchedule({ initial: learningRate, steps: cosine });
  const optimizer = adam({ learningRate: rate });
  const slope = valueAndGrad(loss as never) as unknown as (weights: Tensor, data: D) => [Tensor, Tensor];
  interface Moving {
    readonly weights: Tensor;
    readonly state: unknown;
  }
  const chunk = (length: number) =>
    jitSync(
      ((start: Moving, data: D): Moving =>
        scan(
          ({ weights, state }: Moving): [Moving, null] => {
            const [, gradient] = slope(weights, data);
            const moved = optimizer.update(gradient, state as never, weights);
            return [{ weights: add(weights, moved.updates), state: moved.state }, null];
          },
          start,
          null,
          { length },
        )[0]) as never,
    ) as unknown as (start: Moving, data: D) => Moving;
  const chunks = new Map<number, (start: Moving, data: D) => Moving>();
  return {
    async run(weights, data, steps, signal) {
      let at: Moving = { weights, state: optimizer.init(weights) };
      const breather = makeBreather();
      for (let done = 0; done < steps && !signal?.aborted; ) {
        const length = Math.min(CHUNK, steps - done);
        const program = chunks.get(length) ?? chunk(length);
        chunks.set(length, program);
        at = program(at, data);
        done += length;
        if (breather.due()) await breather.pause();
      }
      return at.weights;
    },
  };
}

/** @internal Half the sum of squares. */
export function halfSquares(x: Tensor): Tensor {
  return mul(0.5, mul(x, x).sum());
}
