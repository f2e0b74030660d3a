import { svec } from "@offprint/conic";
import { ChainOperator, readSvec, type SlotBlock, type Slots } from "./chain-operator.js";
import type { Chain } from "./feed-forward.js";
import type { Gain } from "./gain.js";
import { matrix, multiplyTransposed, part } from "./matrix.js";
import type { NeuronGroup } from "./neuron-group.js";
import type { ConicSolution, ProgrammeSession } from "./programme-session.js";
import { preservedForm, zeroMultipliers } from "./quadratic-constraint.js";
import type { RawSolution } from "./raw-solution.js";

/**
 * @internal The paper's programme (S = P = 0) of a feed-forward network with group activations, which decouples into
 *
 *   W_1^T T_1 W_1 <= rho I (or diag mu),   W_i^T T_i W_i <= T_{i-1},   W_l^T W_l <= T_{l-1}   ([T_{l-1}, W_l^T; W_l, diag delta] >= 0).
 */
export async function solveChain(
  chain: Chain,
  gain: Gain,
  session: ProgrammeSession,
  again = false,
): Promise<RawSolution> {
  const { weights } = chain;
  const slots = slotsOf(chain, gain);
  const operator = new ChainOperator(weights, slots);
  const last = weights[weights.length - 1];
  const bordered = gain.output === "l1";
  const orders = weights.map(({ columns }, i) => columns + (bordered && i === weights.length - 1 ? last.rows : 0));
  const b = new Float64Array(operator.rows);
  const constant = operator.lastStart;
  if (bordered) {
    const border = matrix(last.columns + last.rows, last.columns + last.rows);
    for (let i = 0; i < last.rows; i++) {
      for (let j = 0; j < last.columns; j++) {
        border.values[(last.columns + i) * border.columns + j] = last.values[i * last.columns + j];
      }
    }
    b.set(svec(border.values, border.rows), constant);
  } else {
    b.set(svec(multiplyTransposed(last, last).values, last.columns), constant);
    for (let k = constant; k < b.length; k++) b[k] = -b[k];
  }
  const c = new Float64Array(slots.variables);
  if (gain.ball === undefined) c.fill(0.5, 0, slots.widths[0]);
  else c[0] = gain.ball;
  c.fill(0.5, slots.variables - slots.deltas);
  const result = await session.solve(
    { A: operator, b, c, cones: { l: operator.nonnegative.length, s: orders } },
    again,
  );
  const inputDual = part(
    readSvec(result.y, operator.firstStart, orders[0]),
    0,
    weights[0].columns,
    0,
    weights[0].columns,
  );
  return { ...unpack(chain, slots, gain, result), inputDual };
}

function slotsOf({ weights, groups }: Chain, gain: Gain): Slots {
  let first = 0;
  const slots: SlotBlock[][] = [];
  const d = weights[0].columns;
  const eye = (n: number): Float64Array => Float64Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? 1 : 0));
  if (gain.ball !== undefined) {
    slots.push([{ start: 0, size: d, bases: [eye(d)], first }]);
    first++;
  } else {
    slots.push(Array.from({ length: d }, (_, j) => ({ start: j, size: 1, bases: [eye(1)], first: j })));
    first = d;
  }
  for (const layer of groups) {
    slots.push(
      layer.map((group) => {
        const bases = slotBases(group, eye);
        const block = { start: group.start, size: group.size, bases, first };
        first += bases.length;
        return block;
      }),
    );
  }
  const deltas = gain.output === "l2" ? 0 : weights[weights.length - 1].rows;
  return { slots, widths: weights.map(({ columns }) => columns), deltas, variables: first + deltas };
}

/** I and J; the identity alone for a group of one, where J is a multiple of it or 0. */
function slotBases(group: NeuronGroup, eye: (n: number) => Float64Array): Float64Array[] {
  return group.size === 1 ? [eye(1)] : [eye(group.size), preservedForm(group)];
}

function unpack({ groups }: Chain, slots: Slots, gain: Gain, result: ConicSolution): Omit<RawSolution, "inputDual"> {
  const multipliers = zeroMultipliers(groups.reduce((count, layer) => count + layer.length, 0));
  let g = 0;
  for (const slot of slots.slots.slice(1)) {
    for (const { first, bases } of slot) {
      multipliers.lambda[g] = result.x[first];
      if (bases.length > 1) multipliers.gamma[g] = result.x[first + 1];
      g++;
    }
  }
  const d = slots.widths[0];
  return {
    multipliers,
    rho: gain.ball === undefined ? undefined : result.x[0],
    mu: gain.ball === undefined ? result.x.slice(0, d) : undefined,
    delta: slots.deltas === 0 ? undefined : result.x.slice(slots.variables - slots.deltas),
    objective: gain.output === "l2" ? Math.sqrt(Math.max(0, result.objective)) : result.objective,
    result,
  };
}
