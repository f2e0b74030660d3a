import { readFile } from "node:fs/promises";
import { defineCommand, exitCodes, Failure, option } from "@offprint/commands";
import { readNpy } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import {
  type Cosine,
  certify,
  fromSamples,
  isOdd,
  networkToOnnx,
  quarticLagrangian,
  type Sine,
  SparseFourier,
  sines,
} from "../src/index.js";

/** `offprint solve-elliptic right.json --beta 1 --accuracy 0.05 --network u.onnx` */
export const solveEllipticCommand = defineCommand({
  name: "solve-elliptic",
  summary: "Solve u - Laplacian u + beta u^3 - gamma sum d_i (d_i u)^3 = f, and make the network that it needs",
  arguments: {
    right: option.fileIn(
      'f: { "cosines": [{ "k": [1, 0], "a": 2, "theta": 0 }], "constant", "period" } or { "sines": [{ "k": [1, 1], "b": 2 }] } ' +
        "for u = 0 on the unit cube's faces (json); or samples on a grid of up to three axes (npy)",
      { required: true, endings: [".json", ".npy"] },
    ),
  },
  options: {
    beta: option.number("factor of u^3", { default: 0, least: 0 }),
    gamma: option.number("factor of the cubes of slopes", { default: 0, least: 0 }),
    period: option.number("period of samples, and of cosines that do not say their own", {
      default: 1,
      least: 1e-9,
      most: 1e9,
    }),
    accuracy: option.number("L2 error of the network, as a part of the solution's size", {
      default: 0.05,
      above: 0,
      below: 1,
    }),
    activation: option.choice(["cos", "step", "sigmoid", "relu"], "hidden units", { default: "cos" }),
    maxIterations: option.integer("iterations at most", { default: 5000, least: 1 }),
    seed: option.integer("of the network", { default: 0 }),
    output: option.fileOut("file for the solution's cosines and what is certain of them (JSON)", {
      short: "o",
      endings: [".json"],
    }),
    network: option.fileOut("file for the network", { endings: [".onnx"] }),
  },
  async run({ options, arguments: words, report, note, write, refuse, progress, signal }) {
    const { f, ownPeriod } = await readRightSide(words.right, options.period);
    if (ownPeriod) refuse(["period"], `${words.right} says its own`);
    const { beta, gamma, activation, seed, maxIterations } = options;
    const lagrangian = quarticLagrangian({ beta, gamma });
    // A first guess of the size: that of the linear solution, which the cube only makes smaller.
    let size = f.precondition().l2();
    if (f.wiener() === 0) throw new Failure("f is 0, and so is the solution");
    if (!(size > 1e-150 && size < 1e150)) {
      throw new Failure(
        `the linear solution has the L2 norm ${size}: its square is lost; give f, or its period, in other units`,
      );
    }
    const solved = async () => {
      const accuracy = options.accuracy * size;
      let first = 0;
      return certify(lagrangian, f, {
        ...{ accuracy, activation, seed, maxIterations, signal },
        onProgress({ residual }) {
          first ||= residual;
          const part = Math.log(first / residual) / Math.log((4 * first) / accuracy);
          progress(Math.min(1, Math.max(0, part)), "descending");
        },
      });
    };
    let found = await solved();
    while (found.status === "converged" && found.u.l2() < 0.9 * size) {
      size = found.u.l2();
      found = await solved();
    }
    const { u, sampled, status, budget, iterations, boundsLog10 } = found;
    report([
      ["iterations", iterations],
      ["certified H1 error", budget.descent],
      ["cosines", u.realForm().a.length],
      ["Barron norm", `${found.barron} (worst case ${powerOfTen(Math.min(...Object.values(boundsLog10)))})`],
      ["neurons", found.width],
      [
        "network's L2 error",
        sampled?.error ?? `none: ${status === "converged" ? "these are too many" : "the descent did not end"}`,
      ],
    ]);
    if (status === "limit") {
      note(
        `The descent ended before it came so near: steps are ${found.history.at(-1)?.stepSize.toPrecision(2)} long, as cubes are steep where u is large. Give more --max-iterations, or a larger --accuracy.`,
      );
    }
    const { constant, a, theta, k } = u.realForm();
    const d = u.dimension;
    const cosines = Array.from(
      a,
      (each, j): Cosine => ({ k: [...k.subarray(j * d, (j + 1) * d)], a: each, theta: theta[j] }),
    );
    const { width, worstWidthLog10, barron } = found;
    const facts = { status, iterations, width, worstWidthLog10, barron, boundsLog10, budget, vanishesOnCube: isOdd(u) };
    await write(options.output, `${JSON.stringify({ cosines, constant, period: u.period, ...facts }, null, 2)}\n`);
    if (sampled !== undefined) await write(options.network, networkToOnnx(sampled.network));
    else if (status === "converged" && options.network !== undefined) {
      throw new Failure(
        `a network of ${found.width} neurons is not drawn; give a larger --accuracy, or --activation cos`,
      );
    }
    return status === "converged" ? undefined : exitCodes.negative;
  },
});

/** The right-hand side of a file, and whether it says its period itself. */
async function readRightSide(path: string, period: number): Promise<{ f: SparseFourier; ownPeriod: boolean }> {
  if (path.endsWith(".npy")) {
    return { f: fromSamples(await loadFile(path, (bytes) => readNpy(bytes)), { period }), ownPeriod: false };
  }
  let content: { cosines?: Cosine[]; sines?: Sine[]; constant?: number; period?: number };
  try {
    // The decoder takes away the mark that some editors write first.
    content = JSON.parse(new TextDecoder().decode(await readFile(path)));
  } catch (error) {
    throw new Failure(`${path} is no JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (Array.isArray(content?.sines)) {
    const more = (["cosines", "constant", "period"] as const).find((name) => content[name] !== undefined);
    if (more !== undefined) throw new Failure(`${path} has "sines" and "${more}"; sines stand alone, on the unit cube`);
    return { f: sines(content.sines), ownPeriod: true };
  }
  if (!Array.isArray(content?.cosines))
    throw new Failure(`${path} has neither "cosines" nor "sines"; give a list of one of them`);
  const f = SparseFourier.cosines(content.cosines, {
    ...(content.constant !== undefined && { constant: content.constant }),
    period: content.period ?? period,
  });
  return { f, ownPeriod: content.period !== undefined };
}

/** 10 to any power, also where no number is so large. */
const powerOfTen = (power: number): string =>
  power < 300 ? String(Number((10 ** power).toPrecision(4))) : `10^${Number(power.toPrecision(4))}`;
