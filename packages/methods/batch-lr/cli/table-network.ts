import { classesOf, numbersOf, type SampleTable, type Task, taskOf } from "@offprint/commands";
import { standardization } from "@offprint/data";
import { type LinearParams, mlp } from "@offprint/nn";
import { crossEntropy, meanSquaredError } from "@offprint/optim";
import { type Rng, random, type Tensor, take } from "@offprint/tensor-core";

/** Rows of a table. */
export interface Rows {
  /** `[rows, features]` */
  readonly inputs: Tensor;
  /** `[rows]` codes of classes, or `[rows, outputs]` */
  readonly targets: Tensor;
}

/** Weights and biases. */
export type NetworkParams = readonly LinearParams[];

/** A network that learns a table, whose Hessian is looked at. */
export interface TableNetwork {
  readonly samples: number;
  readonly task: Task;
  init(rng: Rng): NetworkParams;
  /** The mean loss of some rows. */
  loss(params: NetworkParams, rows: Rows): Tensor;
  /** Some rows, by their numbers from 0. */
  sample(rows: Int32Array): Rows;
  /** Rows without replacement within a pass, the same for the same seed: those of a step, from 0. */
  batches(size: number, seed: string): (step: number) => Rows;
}

/** A network with tanh between its layers, on standardised columns, in float64: smooth, so that it has a Hessian everywhere. */
export function tableNetwork(table: SampleTable, hidden: readonly number[], wanted?: Task): TableNetwork {
  const task = taskOf(table, wanted);
  const classes = task === "classification" ? classesOf(table) : undefined;
  const inputs = standardization(table.inputs).apply(table.inputs);
  const numbers = classes === undefined ? numbersOf(table) : undefined;
  const targets = classes?.codes ?? standardization(numbers!).apply(numbers!);
  const [samples, features] = inputs.shape;
  const outputs = classes?.names.length ?? targets.shape[1]!;
  const network = mlp({ sizes: [features!, ...hidden, outputs], activation: "tanh" });
  const sample = (rows: Int32Array): Rows => ({ inputs: take(inputs, rows), targets: take(targets, rows) });
  return {
    ...{ samples: samples!, task, sample },
    init: (rng) => network.init(rng, "float64"),
    loss(params, rows) {
      const found = network.apply(params, rows.inputs);
      return classes === undefined ? meanSquaredError(found, rows.targets) : crossEntropy(found, rows.targets);
    },
    batches(size, seed) {
      const inPass = Math.floor(samples! / size);
      let [known, order] = [-1, new Int32Array()];
      return (step) => {
        const pass = Math.floor(step / inPass);
        if (pass !== known) {
          [known, order] = [pass, Int32Array.from(random.rng(`${seed}/${pass}`).permutation(samples!).data())];
        }
        const from = (step % inPass) * size;
        return sample(order.slice(from, from + size));
      };
    },
  };
}
