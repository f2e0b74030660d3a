import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { readNpy, readSafetensors, writeNpy, writeSafetensors } from "@offprint/data";
import { random, type Tensor, tensor, zeros } from "@offprint/tensor-core";
import { expectClose, temporaryFolder } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";
import { burgers, randomVorticity, solveBurgers, solveConstraint, solveDiffusionSorption } from "../src/index.js";

const folder = temporaryFolder("solve pde");
const place = (name: string) => join(folder, name);
const keep = (name: string, x: Tensor) => {
  writeFileSync(place(name), writeNpy(x));
  return name;
};
const read = (name: string) => readNpy(new Uint8Array(readFileSync(place(name))));
/** Words that name a file are names in the folder, which has spaces. */
const run = (command: string, text: string) =>
  runWords(
    commands,
    command,
    text.split(" ").map((word) => (/\.(npy|solver)$/.test(word) ? place(word) : word)),
  );

const waves = (seed: number, count: number) => {
  const amplitudes = random.rng(seed).normal([count, 1], { std: 0.4, dtype: "float64" });
  return amplitudes.mul(tensor(Float64Array.from({ length: 16 }, (_, i) => Math.sin((Math.PI * i) / 8))));
};

describe("a solver trained on initial conditions from a file", () => {
  const small = "--times 8 --functions 4 --width 6 --layers 2 --modes 3,3 --max-iterations 8";

  it("solves others better than no change does", async () => {
    const [train, initial] = [keep("train.npy", waves(0, 6)), keep("initial.npy", waves(1, 3))];
    const [solver, output] = ["any.solver", "solution.npy"];
    const trained = await run("train-pde-solver", `${train} ${small} --steps 6 --output ${solver}`);
    expect(trained.err).not.toMatch(/rror/);
    expect(trained.code).toBe(0);
    expect(trained.out).toMatch(/a grid of 8 x 16, 1 x 4 experts/);
    const truth = await solveBurgers(waves(1, 3), { times: 8 });
    const reference = keep("reference.npy", truth);
    const solved = await run("solve-pde", `${initial} --solver ${solver} --reference ${reference} --output ${output}`);
    expect(solved.code).toBe(0);
    const u = read(output);
    expect(u.shape).toEqual([3, 8, 16]);
    expectClose(u.slice([null, 0]), waves(1, 3), { absolute: 1e-12 });
    const error = (x: Tensor) => x.sub(truth).square().sum().sqrt().item();
    expect(error(u)).toBeLessThan(0.8 * error(truth.slice([null, { stop: 1 }]).add(truth.mul(0))));
    expect(solved.out).toMatch(/relative error, mean/);
  });

  it("says what is wrong with words that do not belong together", async () => {
    const [initial, other] = [
      keep("initial.npy", waves(1, 2)),
      keep("other.npy", waves(1, 2).slice([null, { stop: 8 }])),
    ];
    const solver = "any.solver";
    const wrong = async (command: string, text: string) => {
      const { code, err } = await run(command, text);
      expect(code).toBe(2);
      return expect(err);
    };
    (await wrong("solve-pde", initial)).toMatch(/either --solver.* or --basis/);
    (await wrong("solve-pde", `${initial} --solver ${solver} --viscosity 1`)).toMatch(/--viscosity is what .* knows/);
    (await wrong("solve-pde", `${other} --solver ${solver}`)).toMatch(/8 points along an axis; .* trained on 16/);
    (await wrong("solve-pde", `${initial} --basis ${other}`)).toMatch(/give --equation/);
    (await wrong("train-pde-solver", `${initial} --reynolds 10 --output ${solver}`)).toMatch(/--reynolds is no option/);
    const negative = keep("negative.npy", tensor([0.1, -0.2]));
    const odd = `--equation diffusion-sorption --output ${solver}`;
    (await wrong("train-pde-solver", `${negative} ${odd}`)).toMatch(/not above 0/);
    (await wrong("train-pde-solver", `${initial} ${odd}`)).toMatch(/diffusion-sorption takes \[count\]/);
    const still = keep("still.npy", randomVorticity(random.rng(0), 1, 8).add(1));
    (await wrong("train-pde-solver", `${still} --equation navier-stokes --output ${solver}`)).toMatch(/has mean 1\.00/);
    writeFileSync(place("broken.solver"), readFileSync(place(solver)).subarray(0, 200));
    (await wrong("solve-pde", `${initial} --solver broken.solver`)).toMatch(/broken\.solver/);
  });
});

it("refuses files whose description is none, and says which file", async () => {
  const [initial, solver] = [keep("initial.npy", waves(1, 2)), "told.solver"];
  const small = "--times 8 --functions 4 --width 6 --layers 2 --modes 3,3 --steps 1";
  await run("train-pde-solver", `${initial} ${small} --output ${solver}`);
  const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(place(solver))));
  const said = JSON.parse(metadata.description!);
  for (const [lie, message] of [
    [{ equation: { equation: "toString" } }, /there is no equation "toString"; equations: burgers/],
    [{ solving: undefined }, /solver: solving is undefined/],
    [{ solving: { experts: "x", ridge: 0.1 } }, /solving: experts is/],
    [{ solving: { experts: [3, 1], ridge: 0.1 } }, /3 experts do not divide the 8 points/],
  ] as const) {
    const description = JSON.stringify({ ...said, ...lie });
    writeFileSync(place("lying.solver"), writeSafetensors(tensors, { metadata: { ...metadata, description } }));
    const { code, err } = await run("solve-pde", `${initial} --solver lying.solver`);
    expect([code, err]).toEqual([2, expect.stringMatching(/lying\.solver/)]);
    expect(err).toMatch(message);
  }
});

it("refuses references that no error is relative to, and modes for other axes", async () => {
  const basis = keep("basis.npy", random.rng(2).normal([2, 8, 16, 3], { dtype: "float64" }));
  const words = `${keep("initial.npy", waves(1, 2))} --equation burgers --times 8 --basis ${basis}`;
  for (const [value, message] of [
    [0, /a solution is 0 everywhere/],
    [Number.NaN, /reference\.npy.* NaN/],
  ] as const) {
    const reference = keep("reference.npy", zeros([2, 8, 16]).add(value));
    const { code, err } = await run("solve-pde", `${words} --reference ${reference}`);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  }
  const { code, err } = await run("train-pde-solver", "initial.npy --times 8 --modes 3,3,3 --output any.solver");
  expect([code, err]).toEqual([2, expect.stringMatching(/--modes is 3,3,3; give one .* of the grid, 8 x 16/)]);
});

it("solves in functions of one's own, as solveConstraint does", async () => {
  const basis = random.rng(2).normal([2, 8, 16, 3], { dtype: "float64" });
  const [initial, functions] = [keep("initial.npy", waves(1, 2)), keep("basis.npy", basis)];
  const words = "--equation burgers --times 8 --viscosity 0.1 --experts 1,2 --ridge 0.01 --max-iterations 40";
  const { code } = await run("solve-pde", `${initial} --basis ${functions} ${words} --output own.npy`);
  expect(code).toBe(0);
  const { u } = await solveConstraint(
    basis,
    burgers({ times: 8, points: 16, viscosity: 0.1 }),
    { initial: waves(1, 2) },
    { experts: [1, 2], ridge: 0.01, maxIterations: 40 },
  );
  expectClose(read("own.npy"), u, { absolute: 1e-12 });
});

it("picks the solution of diffusion-sorption out of functions that hold it", async () => {
  const initial = tensor([0.15], { dtype: "float64" });
  const truth = solveDiffusionSorption(initial, { times: 17, points: 16 });
  const noise = random.rng(3).uniform([1, 17, 16, 1], { dtype: "float64" });
  const basis = keep("sorption.npy", truth.expandDims(-1).add(noise.mul(0)));
  const reference = keep("truth.npy", truth);
  const words = `--equation diffusion-sorption --times 17 --points 16 --basis ${basis} --reference ${reference}`;
  const { code, out } = await run("solve-pde", `${keep("start.npy", initial)} ${words}`);
  expect(code).toBe(0);
  expect(Number(/relative error, mean\s+(\S+)/.exec(out)?.[1])).toBeLessThan(0.1);
});

it("a training that was interrupted goes on to the same solver", async () => {
  const small = "--times 8 --functions 4 --width 6 --layers 2 --modes 3,3 --max-iterations 4 --steps 4".split(" ");
  const words = [place(keep("train.npy", waves(0, 6))), ...small];
  const settings = { output: place("resumed.safetensors"), state: place("state.json") };
  const [whole, parts] = await runInTwo(commands, "train-pde-solver", words, settings);
  expect(parts).toEqual(whole);
});

it.each([
  ["end", "1e-300"],
  ["end", "1e300"],
  ["viscosity", "1e300"],
  ["length", "1e-300"],
])("--%s %s is refused by name, before anything is computed", async (name, value) => {
  const words = ["none.npy", "--output", "none", `--${name}`, value];
  const { code, err } = await runWords(commands, "train-pde-solver", words);
  expect(code).toBe(2);
  expect(err).toContain(`--${name} must be a number of at least 1e-9 and of at most 1000000000, got "${value}".`);
});
