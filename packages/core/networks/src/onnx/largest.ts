import { activation } from "../activation.js";
import { type Affine, affineCombination, type LayerStack, type Neuron } from "./neurons.js";

const relu = activation("relu");

/**
 * The largest of each group of forms on one state, two by two in layers of their own: max(a, b) = b + relu(a - b), which
 * stands beside values that skip it, and of which bounds for ReLU hold.
 */
export function largestOf(groups: readonly (readonly Affine[])[], stack: LayerStack): readonly Affine[] {
  let rest = groups;
  while (rest.some(({ length }) => length > 1)) {
    const pairs = rest.map((group) =>
      Array.from({ length: Math.ceil(group.length / 2) }, (_, k): readonly [gain: Neuron | undefined, base: Affine] => {
        const [base, other] = group.slice(2 * k, 2 * k + 2);
        if (other === undefined) return [undefined, base];
        const difference = affineCombination([other, base], [1, -1], 0, stack);
        return [{ kind: "activated", activation: relu, sources: [difference], rank: 0 }, base];
      }),
    );
    // All of them on one state, the one after the ReLUs.
    const forms = stack.affine(pairs.flat(2).filter((neuron) => neuron !== undefined));
    let next = 0;
    rest = pairs.map((own) =>
      own.map(([gain]) => {
        const parts = forms.slice(next, next + (gain === undefined ? 1 : 2));
        next += parts.length;
        return parts.length === 1 ? parts[0] : affineCombination(parts, [1, 1], 0, stack);
      }),
    );
  }
  return rest.map(([only]) => only);
}
