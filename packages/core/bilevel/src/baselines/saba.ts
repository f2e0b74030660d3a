import { add, linalg, random, requireInteger, sub, type Tensor, ValueError, zerosLike } from "@offprint/tensor-core";
import {
  type BilevelResult,
  type BilevelRunOptions,
  checkBilevelOptions,
  type Rate,
  rateTensors,
  runBilevel,
} from "../bilevel-run.js";
import { compiledPhase } from "../compiled-phase.js";
import { type DescentOptions, descentOptionNames, descentRates, lowerDescent, refinementBy } from "../lower-descent.js";
import type { BilevelProblem } from "../problem.js";
import { VectorProblem } from "../vector-problem.js";
import { minus, plus } from "../vector-steps.js";

/** The last gradients of each part of a finite sum, and their mean. */
export interface SagaTable {
  /** One vector for each part. */
  readonly rows: readonly Tensor[];
  /** Their mean. */
  readonly mean: Tensor;
}

/** What SABA keeps beside x and y. */
export interface SabaKept {
  /** The estimate of `H^-1 grad_y F`, `[dy]`. */
  readonly z: Tensor;
  /** Of `grad_x F`, `grad_y F`, `grad_y G`, `J z` and `H z`. */
  readonly tables: {
    readonly gradXF: SagaTable;
    readonly gradYF: SagaTable;
    readonly gradYG: SagaTable;
    readonly mixed: SagaTable;
    readonly product: SagaTable;
  };
}

/** Options of {@link saba}. */
export interface SabaOptions<X, Y> extends DescentOptions, BilevelRunOptions<X, Y, SabaKept> {
  /** Step of z, > 0. Default `lowerStepSize`. */
  readonly linearStepSize?: Rate;
}

type Terms = { readonly [K in keyof SabaKept["tables"]]: Tensor };

/**
 * SABA (Dagreou, Ablin, Vaiter and Moreau 2022): SOBA on finite sums, `parts` of the problem, with SAGA's tables in place of
 * plain samples: `new - old + mean`, so that constant steps lead all the way. Keeps a vector of x and one of y for each
 * part, twice.
 * @throws ValueError where the problem has no `parts`; NonFiniteError, with the last good state, where it diverges.
 */
export async function saba<X, Y, U = null, L = U>(
  problem: BilevelProblem<X, Y, U, L>,
  options: SabaOptions<X, Y>,
): Promise<BilevelResult<X, Y, SabaKept>> {
  const owner = "saba";
  checkBilevelOptions(owner, options, [...descentOptionNames, "linearStepSize"]);
  const { linearStepSize = options.lowerStepSize, refinementSteps = 0, seed = 0 } = options;
  requireInteger(owner, "refinementSteps", refinementSteps, 0);
  const vectors = new VectorProblem(owner, problem);
  const { parts } = problem;
  if (parts === undefined) {
    throw new ValueError(`${owner}: the problem has no \`parts\`; give parts: { upper: { count, batch(i) }, lower }`);
  }
  const { upperStep, lowerStep } = descentRates(owner, options);
  const linearStep = rateTensors(owner, "linearStepSize", linearStepSize);
  const descend = lowerDescent(vectors);
  const step = compiledPhase(
    vectors,
    `saba: step ${parts.upper.count} ${parts.lower.count}`,
    (d, { x, y, z }: Place, old: Terms, means: Terms, rates: Place, upper: U, lower: L) => {
      const gradients = d.gradsF(x, y, upper);
      const products = d.productsG(x, y, z, lower);
      const gradYG = d.gradYG(x, y, lower);
      const now: Terms = { gradXF: gradients.x, gradYF: gradients.y, gradYG, mixed: products.x, product: products.y };
      const change = eachTable((name) => sub(now[name], old[name]));
      const estimate = eachTable((name) => add(change[name], means[name]));
      const direction = sub(estimate.gradXF, estimate.mixed);
      return {
        x: vectors.projectX(minus(x, rates.x, direction)),
        y: vectors.projectY(minus(y, rates.y, estimate.gradYG)),
        z: minus(z, rates.z, sub(estimate.product, estimate.gradYF)),
        norm: linalg.norm(direction),
        now,
        means: eachTable((name) =>
          plus(means[name], 1 / (isUpper(name) ? parts.upper : parts.lower).count, change[name]),
        ),
      };
    },
  );
  return runBilevel<X, Y, U, L, SabaKept>(
    vectors,
    {
      begin: (x, y) => ({
        z: zerosLike(y),
        tables: eachTable((name) =>
          emptyTable(
            name === "gradXF" || name === "mixed" ? x : y,
            isUpper(name) ? parts.upper.count : parts.lower.count,
          ),
        ),
      }),
      refinement: refinementBy(descend, refinementSteps, lowerStep(1)),
      iterate({ x, y, extra: { z, tables } }, iteration) {
        const rng = random.rng(`${seed}/parts/${iteration}`);
        const j = rng.randint([], { high: parts.upper.count }).item();
        const i = rng.randint([], { high: parts.lower.count }).item();
        const part = eachTable((name) => (isUpper(name) ? j : i));
        const old = eachTable((name) => tables[name].rows[part[name]]);
        const means = eachTable((name) => tables[name].mean);
        const rates = { x: upperStep(iteration), y: lowerStep(iteration), z: linearStep(iteration) };
        const next = step({ x, y, z }, old, means, rates, parts.upper.batch(j), parts.lower.batch(i));
        const kept = eachTable((name) => {
          const rows = tables[name].rows.slice();
          rows[part[name]] = next.now[name];
          return { rows, mean: next.means[name] };
        });
        const extra = { z: next.z, tables: kept };
        return { x: next.x, y: next.y, extra, hypergradientNorm: next.norm, cost: step.cost };
      },
    },
    options,
  );
}

interface Place {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly z: Tensor;
}

function emptyTable(like: Tensor, count: number): SagaTable {
  const zero = zerosLike(like);
  return { rows: Array.from({ length: count }, () => zero), mean: zero };
}

function eachTable<T>(f: (name: keyof Terms) => T): { readonly [K in keyof Terms]: T } {
  return {
    gradXF: f("gradXF"),
    gradYF: f("gradYF"),
    gradYG: f("gradYG"),
    mixed: f("mixed"),
    product: f("product"),
  };
}

function isUpper(name: keyof Terms): boolean {
  return name === "gradXF" || name === "gradYF";
}
