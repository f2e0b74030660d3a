import { type Lmi, lmiToConic, smat, svecLength } from "@offprint/conic";
import type { Chain } from "./feed-forward.js";
import type { Gain } from "./gain.js";
import { type Matrix, matrix, multiplyTransposed, part } from "./matrix.js";
import type { NeuronGroup } from "./neuron-group.js";
import type { ProgrammeSession } from "./programme-session.js";
import { type GroupForm, groupForm, zeroMultipliers } from "./quadratic-constraint.js";
import type { RawSolution } from "./raw-solution.js";
import { blockProduct } from "./stacked-form.js";

type MultiplierName = "lambda" | "gamma" | "nu";

/**
 * @internal The programme of a feed-forward network with one small matrix inequality per layer and a free symmetric
 * storage matrix Q_i between two layers, which is exact as the whole inequality is block tridiagonal:
 *
 *   [Q_{i-1} - W^T M11 W, -W^T M12; -M12 W, -M22 - Q_i] >= 0,   Q_0 = rho I or diag mu,   Q_{l-1} >= W_l^T W_l.
 */
export async function solveChordal(
  chain: Chain,
  gain: Gain,
  kind: "diag" | "full",
  shared: boolean,
  session: ProgrammeSession,
  again = false,
): Promise<RawSolution> {
  const { weights, groups, offsets } = chain;
  const variables = new Variables();
  const inputs = weights[0].columns;
  const outputs = weights[weights.length - 1].rows;
  const l2 = gain.output === "l2";
  const ball = gain.ball !== undefined;
  const leading = variables.take(ball ? 1 : inputs);
  const deltas = l2 ? variables.count : variables.take(outputs);
  const nonnegative: number[] = [];
  const owners: { readonly name: MultiplierName; readonly group: number; readonly variable: number }[] = [];
  const lmis: Lmi[] = [];
  let storage = (into: BlockLmi, sign: number): void => {
    for (let i = 0; i < inputs; i++) into.add(ball ? leading : leading + i, i, i, sign);
  };
  for (const [layer, own] of groups.entries()) {
    const W = weights[layer];
    const block = new BlockLmi(W.columns + W.rows);
    storage(block, 1);
    const sharedVariables = new Map<MultiplierName, number>();
    for (const [g, group] of own.entries()) {
      for (const name of multiplierNames(group, kind)) {
        const merge = shared && group.kind === "slope" ? sharedVariables.get(name) : undefined;
        const variable = merge ?? variables.take(1);
        sharedVariables.set(name, variable);
        if (name === "lambda" && merge === undefined) nonnegative.push(variable);
        owners.push({ name, group: offsets[layer] + g, variable });
        addMultiplier(block, W, group, unitForm(group, name), variable);
      }
    }
    const n = W.rows;
    const first = variables.take((n * (n + 1)) / 2);
    const place = (into: BlockLmi, sign: number, offset: number): void => {
      for (let i = 0, k = first; i < n; i++) for (let j = 0; j <= i; j++) into.add(k++, offset + i, offset + j, sign);
    };
    place(block, -1, W.columns);
    storage = (into, sign) => place(into, sign, 0);
    lmis.push(block.lmi());
  }
  lmis.push(lastInequality(weights[weights.length - 1], l2, deltas, storage));
  const c = new Float64Array(variables.count);
  c.fill(gain.ball ?? 0.5, leading, leading + (ball ? 1 : inputs));
  if (!l2) c.fill(0.5, deltas, deltas + outputs);
  const result = await session.solve(lmiToConic({ c, lmis, nonnegative }), again);
  const { order } = lmis[0];
  const first = result.y.slice(nonnegative.length, nonnegative.length + svecLength(order));
  const multipliers = zeroMultipliers(groups.reduce((count, layer) => count + layer.length, 0));
  for (const { name, group, variable } of owners) multipliers[name][group] = result.x[variable];
  return {
    multipliers,
    rho: ball ? result.x[leading] : undefined,
    mu: ball ? undefined : result.x.slice(leading, leading + inputs),
    delta: l2 ? undefined : result.x.slice(deltas, deltas + outputs),
    inputDual: part(matrix(order, order, smat(first, order)), 0, inputs, 0, inputs),
    objective: l2 ? Math.sqrt(Math.max(0, result.objective)) : result.objective,
    result,
  };
}

class Variables {
  count = 0;

  /** The first of `size` new variables. */
  take(size: number): number {
    this.count += size;
    return this.count - size;
  }
}

/** Collects the entries of one matrix inequality. */
class BlockLmi {
  private readonly constant = { rows: [] as number[], columns: [] as number[], values: [] as number[] };
  private readonly coefficients = new Map<number, { rows: number[]; columns: number[]; values: number[] }>();

  constructor(private readonly order: number) {}

  /** Adds to the lower triangle of F_variable, or of F_0. */
  add(variable: number | undefined, i: number, j: number, value: number): void {
    let entries = variable === undefined ? this.constant : this.coefficients.get(variable);
    if (entries === undefined) {
      entries = { rows: [], columns: [], values: [] };
      this.coefficients.set(variable as number, entries);
    }
    entries.rows.push(i);
    entries.columns.push(j);
    entries.values.push(value);
  }

  lmi(): Lmi {
    return { order: this.order, constant: this.constant, coefficients: this.coefficients };
  }
}

function multiplierNames(group: NeuronGroup, kind: "diag" | "full"): MultiplierName[] {
  if (group.kind === "slope" || (group.kind === "reflection" && group.size === 1)) return ["lambda"];
  return kind === "full" ? ["lambda", "gamma", "nu"] : ["lambda", "gamma"];
}

function unitForm(group: NeuronGroup, name: MultiplierName): GroupForm {
  return groupForm(group, name === "lambda" ? 1 : 0, name === "gamma" ? 1 : 0, name === "nu" ? 1 : 0, 0);
}

function addMultiplier(block: BlockLmi, W: Matrix, group: NeuronGroup, form: GroupForm, variable: number): void {
  const { start, size } = group;
  const n = W.columns;
  const rows = part(W, start, start + size);
  const local = [{ ...group, start: 0 }];
  if (form.m11.some((value) => value !== 0)) {
    const own = multiplyTransposed(rows, blockProduct(local, [form], "m11", rows));
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) block.add(variable, i, j, -own.values[i * n + j]);
  }
  if (form.m12.some((value) => value !== 0)) {
    const cross = blockProduct(local, [form], "m12", rows);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < n; j++) block.add(variable, n + start + i, j, -cross.values[i * n + j]);
    }
  }
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) block.add(variable, n + start + i, n + start + j, -form.m22[i * size + j]);
  }
}

function lastInequality(W: Matrix, l2: boolean, deltas: number, storage: (into: BlockLmi, sign: number) => void): Lmi {
  const n = W.columns;
  const block = new BlockLmi(l2 ? n : n + W.rows);
  storage(block, 1);
  if (l2) {
    const gram = multiplyTransposed(W, W);
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) block.add(undefined, i, j, -gram.values[i * n + j]);
    return block.lmi();
  }
  for (let i = 0; i < W.rows; i++) {
    block.add(deltas + i, n + i, n + i, 1);
    for (let j = 0; j < n; j++) block.add(undefined, n + i, j, W.values[i * n + j]);
  }
  return block.lmi();
}
