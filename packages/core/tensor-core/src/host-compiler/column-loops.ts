import type { Compilation } from "./compilation.js";
import { LoopNest } from "./loop-nest.js";
import type { LoopPlan } from "./loop-plan.js";

/** Vectors of sums that are kept in registers. */
const SUMS = 8;

/** Writes a plan that reduces the rows of matrices; see `goesDownColumns`. */
export function writeColumns(c: Compilation, plan: LoopPlan): void {
  c.writer.temporary(() => new ColumnLoops(c, plan, true).write());
}

/** Loops over columns, some vectors at a time, and in each over all rows. */
class ColumnLoops extends LoopNest {
  protected override writeAxis(axis: number): void {
    const { w, walk, inner, width } = this;
    if (axis < inner - 1) {
      super.writeAxis(axis);
      return;
    }
    const [rows, columns] = walk.shape.slice(-2);
    const sums = this.accumulators.reduce((sum, { type }) => sum + (type === "f64" && width === 4 ? 2 : 1), 0);
    const turns = Math.max(1, Math.min(4, Math.floor(SUMS / sums)));
    const block = (count: number) => {
      const vectors = Math.ceil(count / width);
      for (const accumulator of this.accumulators) accumulator.begin(vectors);
      w.repeat(rows, () => {
        this.repeatLoads();
        for (let turn = 0; turn < vectors; turn++) this.writeVector(turn, Math.min(width, count - turn * width));
        this.step(axis, 1);
      });
      this.step(axis, -rows);
      this.accumulators.forEach((accumulator, k) => {
        accumulator.finishColumns(this.at(walk.reductions[k], 0), count);
      });
      this.step(inner, count);
    };
    const whole = Math.floor(columns / (turns * width));
    if (whole > 0) w.repeat(whole, () => block(turns * width));
    if (columns % (turns * width) > 0) block(columns % (turns * width));
    this.step(inner, -columns);
    this.step(axis, rows);
  }
}
