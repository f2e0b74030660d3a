import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  add,
  matmul,
  mean,
  mul,
  random,
  scan,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  tree,
} from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { adam, type LossInputs, type TrainOptions, train } from "../src/index.js";

interface Batch {
  readonly x: Tensor;
  readonly y: Tensor;
}

const truth = tensor([2, -1], { dtype: "float64" });

function* batches(_: number, rng: random.Rng): Generator<Batch> {
  for (let k = 0; k < 4; k++) {
    const x = rng.normal([5, 2], { dtype: "float64" });
    yield { x, y: matmul(x, truth) };
  }
}

type Loss<B> = (w: Tensor, batch: B, inputs: LossInputs<null, null>) => Tensor;

const options = <B>(loss: Loss<B>, data: unknown): TrainOptions<Tensor, B, null, null> => ({
  loss,
  initial: tensor([0, 0], { dtype: "float64" }),
  optimizer: adam({ learningRate: 0.05 }),
  data: data as TrainOptions<Tensor, B, null, null>["data"],
  epochs: 3,
});

/** Losses and parameters of a run with steps that may be compiled, and of one whose steps are not. */
async function bothWays<B = Batch>(make: () => Loss<B>, data: unknown = batches) {
  const run = async (more: object) => {
    const { history, params } = await train({ ...options(make(), data), ...more });
    return { losses: history.map(({ loss }) => loss), w: params.toArray() as number[] };
  };
  return [await run({}), await run({ compile: false })] as const;
}

const error: Loss<Batch> = (w, { x, y }) => mean(square(sub(matmul(x, w), y)));

describe("training without a backend", () => {
  it("compiles the step, with results that agree within rounding", async () => {
    const [compiled, eager] = await bothWays(() => error);
    compiled.losses.forEach((loss, k) => expect(loss).toBeCloseTo(eager.losses[k], 12));
    compiled.w.forEach((value, k) => expect(value).toBeCloseTo(eager.w[k], 12));
    let calls = 0;
    const counted: Loss<Batch> = (w, batch, inputs) => {
      calls++;
      return error(w, batch, inputs);
    };
    await train({ ...options(counted, batches), epochs: 25 });
    // Twice to compile a hundred steps, after 64 of them, and at the end.
    expect(calls).toBe(4);
  });

  it("refuses a loss whose variables change on the way, and carries it out where it is not compiled", async () => {
    for (const [epochs, seen] of [
      [3, "after 12 compiled steps"],
      [25, "after 64 compiled steps"],
    ] as const) {
      let weight = 1;
      const changing = (): TrainOptions<Tensor, Batch, null, null> => ({
        ...options<Batch>((w, batch, inputs) => mul(error(w, batch, inputs), weight), batches),
        epochs,
        onProgress: () => {
          weight *= 0.9;
        },
      });
      await expect(train(changing())).rejects.toThrow(seen);
      await expect(train(changing())).rejects.toThrow("say compile: false");
      expect((await train({ ...changing(), compile: false })).status).toBe("limit");
    }
  });

  it("goes on from a state bit for bit", async () => {
    const whole = await train(options(error, batches));
    const half = await train({ ...options(error, batches), epochs: 1 });
    const rest = await train({ ...options(error, batches), resume: tree.fromJson(tree.toJson(half.state)) });
    expect(tree.toJson(rest.params)).toBe(tree.toJson(whole.params));
  });

  it("carries out operation by operation a loss that reads values", async () => {
    const halving: Loss<Batch> = (w, batch, inputs) => mul(error(w, batch, inputs), w.data()[0] > 0.3 ? 0.5 : 1);
    const [either, eager] = await bothWays(() => halving);
    expect(either).toEqual(eager);
  });

  const rng = random.rng(3);
  const drawn = () => rng.normal([2], { dtype: "float64" });
  let count = 0;
  it.each<[string, Loss<Batch>]>([
    ["counts its calls", (w, batch, inputs) => mul(error(w, batch, inputs), ++count)],
    ["draws random numbers of its own", (w, { x, y }, inputs) => error(add(w, mul(drawn(), 0.1)), { x, y }, inputs)],
    [
      "draws them in the body of a loop",
      (w, { x, y }, inputs) => {
        const body = (carry: Tensor, row: Tensor): [Tensor, Tensor] => [add(carry, sum(mul(row, drawn()))), row];
        const [total] = scan(body, tensor(0, { dtype: "float64" }), x) as [Tensor, Tensor];
        return add(error(w, { x, y }, inputs), mul(total, sum(w)));
      },
    ],
  ])("calls anew at every step a loss that %s, as it is another function then", async (_, loss) => {
    let calls = 0;
    const counted: Loss<Batch> = (w, batch, inputs) => {
      calls++;
      return loss(w, batch, inputs);
    };
    // Twice to see that it differs, and at twelve steps.
    await train(options(counted, batches));
    expect(calls).toBe(14);
  });

  it("carries out operation by operation steps whose batches hold more than tensors", async () => {
    const labelled = function* (epoch: number, rng: random.Rng) {
      for (const batch of batches(epoch, rng))
        yield { ...batch, kind: rng.uniform([]).item() < 0.5 ? 1 : 2, name: "half" };
    };
    const loss: Loss<Batch & { kind: number; name: string }> = (w, batch, inputs) =>
      mul(error(w, batch, inputs), batch.kind === 1 && batch.name === "half" ? 0.5 : 1);
    const [either, eager] = await bothWays(() => loss, labelled);
    expect(either).toEqual(eager);
  });

  it("is the same where every batch has a size of its own", async () => {
    const growing = function* (epoch: number, rng: random.Rng): Generator<Batch> {
      for (let k = 1; k <= 12; k++) {
        const x = rng.normal([k + epoch, 2], { dtype: "float64" });
        yield { x, y: matmul(x, truth) };
      }
    };
    const [compiled, eager] = await bothWays(() => error, growing);
    compiled.losses.forEach((loss, k) => expect(loss).toBeCloseTo(eager.losses[k], 12));
  });

  it("throws what a loss throws, and refuses a choice that is none", async () => {
    const broken: Loss<Batch> = () => {
      throw new RangeError("no such row");
    };
    await expect(train(options(broken, batches))).rejects.toThrow("no such row");
    await expect(train({ ...options(error, batches), compile: "no" as never })).rejects.toThrow(/compile/);
  });

  it("works where compiling is not to be had", () => {
    const register = new URL("../../../../tooling/typescript/register.mjs", import.meta.url).href;
    const source = new URL("../src/index.ts", import.meta.url).href;
    const program = `
      delete globalThis.WebAssembly;
      const { sgd, train } = await import(${JSON.stringify(source)});
      const { square, sub, tensor } = await import("@offprint/tensor-core");
      const { params, steps } = await train({
        loss: (w, target) => square(sub(w, target)),
        initial: tensor(0),
        optimizer: sgd({ learningRate: 0.25 }),
        data: () => [tensor(3), tensor(3)],
        epochs: 20,
      });
      console.log(steps, params.item().toFixed(4));
    `;
    const words = ["--conditions=@offprint/source", `--import=${register}`, "--no-warnings", "--input-type=module"];
    const cwd = fileURLToPath(new URL("..", import.meta.url));
    const said = execFileSync(process.execPath, [...words, "--eval", program], { cwd, encoding: "utf8" });
    expect(said.trim()).toBe("40 3.0000");
  });
});
