import { requireFunction } from "../arguments.js";
import { asTensor } from "../construct.js";
import { isNestedTrace, recordingAbove, recordingBelow, recordingOnly, withLevel } from "../levels.js";
import { sum } from "../ops/reduction.js";
import { asExample, levelOf } from "../primitive.js";
import { dependsOn, recorded, released } from "../tape.js";
import { isTensor, type Tensor, type TensorLike } from "../tensor.js";
import * as tree from "../tree.js";
import { tracedCall } from "./custom-call.js";
import { batchOf } from "./vmap.js";

type Flat = readonly Tensor[];

/** A function of flat tensors with its own gradient. */
export interface FlatRule {
  /** The outputs and whatever the gradient needs. */
  forward(inputs: Flat): { outputs: Flat; residuals: unknown };
  /** One gradient per input, null for zero. */
  backward(residuals: unknown, cotangents: Flat): (Tensor | null)[];
}

/**
 * A function with the values of `f` and a gradient of your own. `forward(...args)` returns `[result, residuals]`;
 * `backward(residuals, cotangent)` returns an array with the gradient of each argument (a tree like it; null for
 * zero). Both are written in operations of tensors, so that the gradient can be traced, batched and differentiated.
 * Whatever needs a gradient must be an argument: none flows to values that the functions close over.
 * @example
 * const signThrough = customVjp(sign, (x) => [sign(x), null], (_, g) => [g]); // straight-through
 */
export function customVjp<A extends unknown[] = Tensor[], R = Tensor, const S = unknown>(
  f: (...args: A) => R,
  forward: (...args: A) => [result: R, residuals: S],
  backward: (residuals: S, cotangent: R) => readonly unknown[],
): (...args: A) => R {
  requireFunction("customVjp", "the first argument", f);
  requireFunction("customVjp", "forward", forward);
  requireFunction("customVjp", "backward", backward);
  return (...args) => {
    const flat = tree.flatten(args);
    const inputs = flat.leaves.map((leaf) => asTensor(leaf as TensorLike));
    let resultStructure: tree.TreeStructure | undefined;
    const split = (result: R) => {
      const out = tree.flatten(result);
      resultStructure = out.structure;
      return out.leaves.map((leaf) => asTensor(leaf as TensorLike));
    };
    // The residuals may depend on the variables of outer gradients, which differentiate `backward` and so need them.
    const recording = recordingAbove(0);
    const differentiated = inputs.some((x) => dependsOn([x], 0) !== 0 || levelOf(x) > 0);
    const rule: FlatRule = {
      forward(variables) {
        const trees = tree.unflatten<A>(flat.structure, variables);
        if (!differentiated) return { outputs: split(recordingBelow(1, () => f(...trees))), residuals: null };
        const [result, residuals] = recordingOnly(recording, () => forward(...trees));
        return { outputs: split(result), residuals };
      },
      backward(residuals, cotangents) {
        const gradients = backward(
          residuals as S,
          tree.unflatten<R>(resultStructure as tree.TreeStructure, cotangents),
        );
        return args.flatMap((arg, i) => {
          const size = tree.leaves(arg).length;
          const gradient = gradients[i];
          if (gradient === null || gradient === undefined) return new Array<null>(size).fill(null);
          return tree.leaves<TensorLike>(gradient).map((g) => asTensor(g));
        });
      },
    };
    const outputs = differentiated && isNestedTrace() ? tracedCall(rule, inputs) : callWithRule(rule, inputs);
    return tree.unflatten<R>(resultStructure as tree.TreeStructure, outputs);
  };
}

/** Runs the rule at the level of its inputs: a batch is handled by a rule for batches one level below. */
export function callWithRule(rule: FlatRule, inputs: Flat): Tensor[] {
  const level = Math.max(0, ...inputs.map(levelOf));
  const isBatch = inputs.some((x) => x.storage.kind === "batched" && levelOf(x) === level);
  const { outputs, residuals } = isBatch ? batchedForward(rule, inputs, level) : rule.forward(inputs);
  const levels = dependsOn(inputs, level);
  if (levels === 0) return outputs.map(released);
  // A residual that is an output has the gradient of the rule, not that of the operations of `forward`.
  let linked: unknown;
  const results = recorded(levels, inputs, outputs, (cotangents) => {
    const gradients = rule.backward(linked, cotangents);
    return inputs.map((_, i) => {
      const g = gradients[i];
      return g === null || g === undefined ? null : () => g;
    });
  });
  linked = replaceLeaves(residuals, outputs, results);
  return results;
}

/** The tree with every leaf that is in `from` replaced by the one at its place in `to`. */
function replaceLeaves(value: unknown, from: readonly unknown[], to: readonly unknown[]): unknown {
  return tree.map((leaf) => {
    const place = from.indexOf(leaf);
    return place < 0 ? leaf : to[place];
  }, value);
}

function batchedForward(rule: FlatRule, inputs: Flat, level: number): { outputs: Flat; residuals: unknown } {
  const batched = inputs.map((x) => x.storage.kind === "batched" && levelOf(x) === level);
  const inner = inputs.map((x) => (x.storage.kind === "batched" && levelOf(x) === level ? x.storage.inner : x));
  const size = inner[batched.indexOf(true)].shape[0];
  let exampleResiduals: unknown;
  let exampleOutputs: Flat = [];
  const open = (x: unknown) =>
    isTensor(x) && x.storage.kind === "batched" && levelOf(x) === level ? x.storage.inner : x;
  const batchRule: FlatRule = {
    forward() {
      // The examples themselves, not new ones around the batch: the gradients of this level have recorded them.
      const result = rule.forward(inputs);
      exampleResiduals = result.residuals;
      exampleOutputs = result.outputs;
      const marks: boolean[] = [];
      const residuals = tree.map((leaf) => {
        marks.push(open(leaf) !== leaf);
        return open(leaf);
      }, result.residuals);
      return { outputs: result.outputs.map((y) => batchOf(y, level, size)), residuals: { residuals, marks } };
    },
    backward(saved, cotangents) {
      const { residuals, marks } = saved as { residuals: unknown; marks: boolean[] };
      // By now the batch's own level may be over and its number taken again.
      return withLevel(false, (fresh) => {
        let next = 0;
        const examples = tree.map((leaf) => (marks[next++] ? asExample(leaf as Tensor, fresh) : leaf), residuals);
        const gradients = rule.backward(
          examples,
          cotangents.map((g) => asExample(g, fresh)),
        );
        return gradients.map((g, i) => {
          if (g === null || g === undefined) return null;
          const whole = batchOf(g, fresh, size);
          return batched[i] ? whole : sum(whole, { axis: 0 });
        });
      });
    },
  };
  const outputs = recordingBelow(level, () => callWithRule(batchRule, inner)).map((y) => asExample(y, level));
  return { outputs, residuals: replaceLeaves(exampleResiduals, exampleOutputs, outputs) };
}
