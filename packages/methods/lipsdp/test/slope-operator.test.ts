import { svec } from "@offprint/conic";
import { activation, perceptron } from "@offprint/networks";
import { inOneGo } from "@offprint/solvers";
import { random, sparse } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { constraintTerm } from "../src/dense-programme.js";
import { gainOf } from "../src/gain.js";
import { lipschitzBound } from "../src/index.js";
import { matrix, multiply, multiplyTransposed, place } from "../src/matrix.js";
import { checkNetwork } from "../src/network.js";
import { SlopeOperator, slopeMultipliers } from "../src/slope-operator.js";
import { stackedForm } from "../src/stacked-form.js";

const rng = random.rng(4);
const layers = (dims: readonly number[]) =>
  dims.slice(1).map((rows, k) => ({
    weight: rng.normal([rows, dims[k]], { std: 1 / Math.sqrt(dims[k]), dtype: "float64" }),
  }));
const leaky = { kind: "slope", alpha: 0.2, beta: 1 } as const;

describe.each([
  ["l2", false],
  ["l2", true],
  ["linf-l1", false],
] as const)("the inequality of scalar activations in %s, one multiplier per layer: %s", (norm, shared) => {
  const form = stackedForm(checkNetwork(perceptron(layers([3, 5, 4, 2]), [leaky, activation("relu")])));
  const gain = gainOf(norm);
  const leading = gain.ball === undefined ? form.inputs + form.C.rows : 1;
  const multipliers = slopeMultipliers(form.groups, shared);
  const operator = new SlopeOperator(form, gain, leading, multipliers);
  const order = gain.output === "l2" ? form.order : form.order + form.C.rows;
  /** What every variable adds to the inequality. */
  const terms = Array.from({ length: operator.columns }, (_, variable) => {
    const F = matrix(order, order);
    const unit = (i: number) => place(F, i, i, matrix(1, 1, Float64Array.of(1)));
    if (variable >= leading) {
      for (const g of multipliers[variable - leading].groups) {
        const own = constraintTerm(form, form.groups[g], "lambda");
        for (let i = 0; i < own.rows; i++) {
          for (let j = 0; j < own.columns; j++) F.values[i * order + j] -= own.values[i * own.columns + j];
        }
      }
    } else if (gain.ball !== undefined) for (let i = 0; i < form.inputs; i++) unit(i);
    else unit(variable < form.inputs ? variable : form.order + variable - form.inputs);
    return F;
  });
  const columns = terms.map((F, variable) => {
    const column = new Float64Array(operator.rows);
    if (variable >= leading) column[variable - leading] = -1;
    column.set(
      svec(F.values, order).map((value) => -value),
      operator.matrixStart,
    );
    return column;
  });
  const inner = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).reduce((sum, value, k) => sum + value * b[k], 0);
  const normal = (size: number) => rng.normal([size], { dtype: "float64" }).data() as Float64Array;

  it("multiplies as its entries do", () => {
    const [x, y] = [normal(operator.columns), normal(operator.rows)];
    const [image, back] = [new Float64Array(operator.rows), new Float64Array(operator.columns)];
    operator.apply(x, image);
    operator.applyTransposed(y, back);
    for (let i = 0; i < image.length; i++) {
      expect(image[i], `row ${i}`).toBeCloseTo(
        inner(
          x,
          columns.map((column) => column[i]),
        ),
        12,
      );
    }
    for (let j = 0; j < back.length; j++) expect(back[j], `column ${j}`).toBeCloseTo(inner(columns[j], y), 12);
  });

  it("gives the normal matrices of its entries", () => {
    const weights = normal(operator.rows).map(Math.abs).fill(0.7, operator.matrixStart);
    const plain = operator.normal(weights);
    const root = matrix(order, order, normal(order * order));
    const metric = multiplyTransposed(root, root);
    const scaled = inOneGo(operator.scaledNormal(weights, [metric.values]));
    const ownRows = (j: number) => columns[j].slice(0, operator.matrixStart);
    for (const j of columns.keys()) {
      const weighted = columns[j].map((value, i) => value * weights[i]);
      const GFG = multiply(metric, multiply(terms[j], metric));
      for (let i = 0; i <= j; i++) {
        expect(sparse.entryAt(plain, i, j), `${i}, ${j}`).toBeCloseTo(inner(columns[i], weighted), 10);
        const rows = inner(
          ownRows(i),
          ownRows(j).map((value, k) => value * weights[k]),
        );
        expect(sparse.entryAt(scaled, i, j), `${i}, ${j}`).toBeCloseTo(rows + inner(terms[i].values, GFG.values), 8);
      }
    }
  });
});

it("wide layers of ReLUs are bounded in a few iterations of interior points", async () => {
  const network = perceptron(layers([12, 78, 76, 3]), activation("relu"));
  const { status, iterations, objective, value, history } = await lipschitzBound(network);
  expect([status, history[history.length - 1].method]).toEqual(["converged", "interior-point"]);
  expect(iterations).toBeLessThan(30);
  expect(value / objective - 1).toBeLessThan(1e-4);
});
