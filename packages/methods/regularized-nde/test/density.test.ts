import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { readCsv, readSafetensors, writeCsv, writeNpy } from "@offprint/data";
import { adam } from "@offprint/optim";
import { exp, mean, random, type Tensor, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose, failureOf, temporaryFolder } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";
import { densityFlow, fitOde } from "../src/index.js";

const rng = random.rng("density");

/** Points about two places. */
function twoClouds(seed: string, count: number): Tensor {
  const cloud = random.rng(seed);
  const side = cloud.bernoulli([count, 1]).cast("float64").mul(2).sub(1);
  const spread = cloud.normal([count, 2], { dtype: "float64" }).mul(tensor([0.3, 1], { dtype: "float64" }));
  return spread.add(side.mul(tensor([0.9, 0], { dtype: "float64" })));
}

describe("a density as an equation that carries points to the normal one", () => {
  const flow = densityFlow({ features: 2, hidden: [16] });

  it("is a density: over a grid it sums to 1, whatever the parameters", () => {
    const params = flow.init(rng.fork("any"));
    const wild = { layers: params.layers.map(({ w, b }) => ({ w: w.mul(1.5), b: b.add(0.2) })) };
    const step = 0.25;
    const axis = Array.from({ length: 49 }, (_, i) => step * (i - 24));
    const grid = tensor(
      axis.flatMap((x) => axis.map((y) => [x, y])),
      { dtype: "float64" },
    );
    expectClose(
      exp(flow.logDensity(wild, grid).values)
        .sum()
        .mul(step * step),
      [1],
      1e-4,
    );
  });

  it("loses along a direction what the trace says, exactly in the mean over all signs", () => {
    const points = rng.fork("points").normal([1, 2], { dtype: "float64" });
    const params = flow.init(rng.fork("weights"));
    const f64 = (values: number[][]) => tensor(values, { dtype: "float64" });
    const rate = (x: Tensor, e: Tensor) =>
      flow.model.rate(tensor(0.3, { dtype: "float64" }), flow.model.initial(params, { x, e }), params, { x, e });
    const estimates = [1, -1].map((sign) => rate(points, f64([[1, sign]])).logDensity.item());
    const slope = (i: number) => {
      const [up, down] = [1e-5, -1e-5].map((h) => rate(points.add(f64([[h * (1 - i), h * i]])), points).z.data()[i]!);
      return (up! - down!) / 2e-5;
    };
    expectClose((estimates[0]! + estimates[1]!) / 2, [-(slope(0) + slope(1))], 1e-7);
  });

  it("learns two clouds, far better than one normal distribution, and draws them again", async () => {
    const [train, test] = [twoClouds("train", 300), twoClouds("test", 250)];
    const { params, history } = await fitOde(flow.model, flow.init(random.rng(0)), flow.batches(train, 100), {
      optimizer: adam({ learningRate: 0.04 }),
      ...{ epochs: 25, tolerance: 1e-3, lambda: [1, 0.1] },
    });
    expect(history).toHaveLength(75);
    const learned = -mean(flow.logDensity(params, test).values).item();
    // The normal distribution of the same moments; and the entropy of the clouds themselves, about.
    const normal = Math.log(2 * Math.PI) + 1 + 0.5 * Math.log(0.9 ** 2 + 0.3 ** 2);
    const entropy = Math.log(2 * Math.PI) + 1 + Math.log(0.3) + Math.log(2);
    expect(learned).toBeLessThan(normal - 0.5 * (normal - entropy));
    expect(learned).toBeGreaterThan(entropy - 0.15);
    const drawn = flow.sample(params, random.rng(3), 500);
    const outside = drawn.slice([null, 0]).abs().greater(0.45).cast("float64").mean().item();
    expect(outside).toBeGreaterThan(0.75);
  });

  it("refuses points of other sizes, and batches larger than there are points", async () => {
    const params = flow.init(rng);
    const three = tensor([[1, 2, 3]], { dtype: "float64" });
    expect(await failureOf(() => flow.logDensity(params, three))).toEqual(errorLike("ShapeError", /give \[count, 2\]/));
    expect(await failureOf(() => flow.batches(twoClouds("few", 3), 4))).toEqual(errorLike("ValueError", /batchSize/));
    expect(await failureOf(() => densityFlow({ features: 2, hidden: [0] }))).toEqual(errorLike("ValueError", /hidden/));
  });

  it("refuses points without a density, and what are no parameters or generators, by name", async () => {
    const params = flow.init(rng);
    const at = (x: number) =>
      tensor(
        [
          [0, 0],
          [x, 0],
        ],
        { dtype: "float64" },
      );
    const none = undefined as never;
    const cases: [() => unknown, string, RegExp][] = [
      [() => flow.logDensity(params, at(Number.NaN)), "ValueError", /points holds NaN/],
      [() => flow.logDensity(params, at(1e200)), "NonFiniteError", /DensityFlow.logDensity: the density at points\[/],
      [() => flow.logDensity(params, [[1, 2]] as never), "ValueError", /points are no tensor/],
      [() => flow.logDensity({} as never, at(1)), "ValueError", /logDensity: params are none of this flow/],
      [() => flow.logDensity({ layers: [{}, {}] } as never, at(1)), "ValueError", /params are none/],
      [() => flow.logDensity(densityFlow({ features: 2, hidden: [9] }).init(rng), at(1)), "ValueError", /params/],
      [() => flow.sample(none, rng, 1), "ValueError", /sample: params are none/],
      [() => flow.sample(params, none, 1), "ValueError", /rng is undefined; give a generator/],
      [() => flow.init(none), "ValueError", /rng is undefined; give a generator/],
    ];
    for (const [call, name, message] of cases) expect(await failureOf(call)).toEqual(errorLike(name, message));
  });
});

describe("fit-density", () => {
  const folder = temporaryFolder("fit density");
  const at = (name: string) => join(folder, name);
  const points = twoClouds("table", 120);
  writeFileSync(at("points.npy"), writeNpy(points));
  // The same in other units.
  const moved = points.mul(tensor([100, 1], { dtype: "float64" })).add(tensor([5000, 0], { dtype: "float64" }));
  writeFileSync(at("points.csv"), writeCsv(moved, { names: ["long", "short"] }));
  const run = (words: Record<string, string | number>) =>
    runWords(commands, "fit-density", {
      epochs: 30,
      batchSize: 54,
      hidden: 12,
      learningRate: 0.03,
      lambda: 1,
      ...words,
    });
  const figure = (out: string, label: string) => Number((out.match(new RegExp(`${label}\\s+(\\S+)`)) as string[])[1]);

  it("learns an array, or columns of a table in whatever units; judges, writes network and draws", async () => {
    const files = { output: at("flow.safetensors"), samples: at("drawn.csv"), draws: 200 };
    const ofArray = await run({ table: at("points.npy"), ...files });
    expect([ofArray.code, ofArray.err]).toEqual([0, ""]);
    expect(ofArray.out).toMatch(/108 points to learn from, 12 held out, of 2 numbers: x1, x2/);
    const drawn = readCsv(readFileSync(files.samples)).columns;
    expect(drawn.map(({ name, values }) => [name, values.length])).toEqual([
      ["x1", 200],
      ["x2", 200],
    ]);
    const { tensors } = readSafetensors(new Uint8Array(readFileSync(files.output)));
    expect(tensors["w1"]?.shape).toEqual([3, 12]);
    expect(tensors["b2"]?.shape).toEqual([2]);

    const ofTable = await run({ table: at("points.csv") });
    const label = "\\(nats\\), standardised";
    expectClose(figure(ofTable.out, label), [figure(ofArray.out, label)], 1e-6);
    const units = "the same, in the units of the table";
    expectClose(figure(ofTable.out, units) - figure(ofArray.out, units), [Math.log(100)], 1e-4);
    expect(figure(ofTable.out, units)).toBeLessThan(figure(ofTable.out, "numbers that are independent"));
  });

  it("goes on after an interruption to the same network", async () => {
    const words = { table: at("points.npy"), epochs: 3, batchSize: 36, hidden: 4 };
    const [whole, parts] = await runInTwo(commands, "fit-density", words, {
      output: at("resumed.safetensors"),
      state: at("state.json"),
    });
    expect(parts).toEqual(whole);
  });

  it("says in one line what is wrong with points and options", async () => {
    const wrong = async (words: Record<string, string | number>) => {
      const { code, err } = await run({ table: at("points.npy"), ...words });
      expect(code).toBe(2);
      return err;
    };
    expect(await wrong({ columns: "x1" })).toMatch(/has no names of columns/);
    expect(await wrong({ draws: 3 })).toMatch(/--draws would do nothing, as without --samples/);
    expect(await wrong({ holdout: 0.001 })).toMatch(/--holdout is 0\.001 of 120 points/);
    writeFileSync(at("cube.npy"), writeNpy(points.reshape([60, 2, 2])));
    expect(await wrong({ table: at("cube.npy") })).toMatch(/shape \[60,2,2\]; give \[points, features\]/);
    writeFileSync(at("level.csv"), "a,b\n1,2\n2,2\n3,2\n4,2\n");
    expect(await wrong({ table: at("level.csv"), holdout: 0.25 })).toMatch(/b is constant, which has no density/);
    writeFileSync(at("nan.npy"), writeNpy(tensor([[1, Number.NaN]], { dtype: "float64" })));
    expect(await wrong({ table: at("nan.npy") })).toMatch(/finite/);
  });
});
