import { type Claim, figure, type LineSeries } from "@offprint/claims";
import { adam, type GradientTransformation, minimize } from "@offprint/optim";
import { add, hostBackend, type Tensor, take, tensor } from "@offprint/tensor-core";
import { diffGrad } from "../src/index.js";
import { type Method, published } from "./method.js";
import { type TestFunction, testFunctions } from "./test-functions.js";

const setting = { learningRate: 0.1, beta1: 0.95, beta2: 0.999 };
const STEPS = 300;

/** All iterates of a run on each of F1, F2 and F3 from -1, the start included: three coordinates of one run. */
async function iterates(optimizer: GradientTransformation): Promise<Float64Array[]> {
  const { f1, f2, f3 } = testFunctions;
  const loss = (x: Tensor) => [f1, f2, f3].map((f, i) => f.value(take(x, i))).reduce((a, b) => add(a, b));
  const { history } = await minimize(loss, tensor(new Float64Array(3).fill(-1)), optimizer, {
    steps: STEPS,
    evaluate(x) {
      const [a, b, c] = x.data();
      return { f1: a, f2: b, f3: c };
    },
    backend: hostBackend,
  });
  return (["f1", "f2", "f3"] as const).map((name) =>
    Float64Array.from([-1, ...history.map(({ evaluation }) => evaluation?.[name] ?? Number.NaN)]),
  );
}

const last = (path: Float64Array) => path[path.length - 1];
const value = (f: TestFunction, x: number) => f.value(tensor(x, { dtype: "float64" })).item();

/**
 * Section V: on functions of one variable Adam overshoots the global minimum and stays in a worse one, or swings far
 * past it; diffGrad brakes. Float64, true derivatives.
 */
export function analyticalFunctions(method: Method = published): Claim {
  return {
    id: "analytical-functions",
    statement: "On F1 and F2 diffGrad ends in the global minimum and Adam in a worse one; on F3 it overshoots less",
    source: "Section V, figures 2 and 3",
    paper: { "F1 Adam": 0.2, "F1 diffGrad": -0.3 },
    async run() {
      const optimizers = {
        diffGrad: method(setting),
        Adam: adam(setting),
        "Adam with half the step": adam({ ...setting, learningRate: setting.learningRate / 2 }),
        "diffGrad, wide friction": diffGrad({ ...setting, friction: "wide" }),
      };
      const { f1, f2, f3 } = testFunctions;
      const paths: Record<string, Float64Array[]> = {};
      for (const [name, optimizer] of Object.entries(optimizers)) paths[name] = await iterates(optimizer);
      const [own, other, half] = [paths.diffGrad, paths.Adam, paths["Adam with half the step"]];
      const [ownSwing, otherSwing] = [Math.max(...own[2]), Math.max(...other[2])];
      const holds =
        Math.abs(last(other[0]) - 0.2) < 1e-3 &&
        Math.abs(last(own[0]) + 0.3) < 1e-3 &&
        Math.abs(last(other[1])) < 1e-3 &&
        Math.abs(last(own[1]) + 0.6429) < 1e-3 &&
        value(f2, last(own[1])) < 2e-4 &&
        ownSwing < 0.2 &&
        otherSwing > 0.25 &&
        [own, other].every((all) => value(f3, last(all[2])) < 0.02);
      const rows = Object.entries(paths).map(([name, [a, b, c]]) => {
        return [name, last(a), value(f1, last(a)), last(b), value(f2, last(b)), Math.max(...c), value(f3, last(c))];
      });
      return {
        measured: {
          "F1 Adam": last(other[0]),
          "F1 diffGrad": last(own[0]),
          "F2 Adam": last(other[1]),
          "F2 diffGrad": last(own[1]),
        },
        holds,
        detail:
          `F1 must end within 1e-3 of -0.3 (Adam 0.2), F2 of -0.6429 (Adam 0); on F3 the largest iterate must be below ` +
          `0.2 (Adam above 0.25): ${figure(ownSwing)} (Adam ${figure(otherSwing)}). ` +
          `Adam with half the step ends at ${figure(last(half[0]))} and ${figure(last(half[1]))}.`,
        series: (["F1", "F2", "F3"] as const).map((name, i): LineSeries => {
          return {
            kind: "line",
            title: `Iterates on ${name}`,
            x: { label: "update" },
            y: { label: "x" },
            curves: Object.entries(paths).map(([optimizer, all]) => ({ name: optimizer, y: all[i] })),
            references: [{ value: [f1, f2, f3][i].minima[0].x, label: "global minimum" }],
          };
        }),
        tables: [
          {
            title: "After 300 updates from x = -1",
            columns: ["optimizer", "F1: x", "F1(x)", "F2: x", "F2(x)", "F3: largest x", "F3(x)"],
            rows,
          },
        ],
      };
    },
  };
}
