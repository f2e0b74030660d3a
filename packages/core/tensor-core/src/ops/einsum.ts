import { ShapeError, ValueError } from "../errors.js";
import { formatShape, sizeOf } from "../shape.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { matmul } from "./contraction.js";
import { mul } from "./elementwise.js";
import { diagonal } from "./matrix-parts.js";
import { reshape, squeeze, transpose } from "./movement.js";
import { asFloat, promoteOperands } from "./operands.js";
import { sum } from "./reduction.js";

/** A tensor whose axes have names: single letters, or a dot and a number for the axes of an ellipsis. */
interface Labelled {
  readonly value: Tensor;
  readonly labels: readonly string[];
}

/**
 * Sums of products in Einstein's notation: letters name the axes of each operand, `->` is followed by the axes of the
 * result, and letters that are not there are summed over. A letter twice in an operand takes its diagonal; `...`
 * stands for further axes, which broadcast. Without `->` the result has the letters that occur once, in alphabetical
 * order. Operands are contracted in pairs, each time the pair that leaves the smallest result. Several operands of
 * integers are computed as float32.
 * @throws ValueError for a malformed equation, ShapeError for operands that do not fit it.
 * @example einsum("bij,bjk->bik", a, b) // batched matrix product
 */
export function einsum(equation: string, ...operands: readonly TensorLike[]): Tensor {
  if (typeof equation !== "string") {
    throw new ValueError(`einsum: the equation is ${String(equation)}; give a text such as "ij,jk->ik"`);
  }
  const { inputs, output } = parse(equation, operands.length);
  let tensors = promoteOperands("einsum", operands);
  if (tensors.length > 1) tensors = tensors.map(asFloat);
  const named = tensors.map((value, i) => ({ value, labels: expand(equation, inputs[i], value, i) }));
  const result = output === null ? implicitOutput(named) : expandOutput(equation, output, named);
  return contract(simplify(equation, named), result);
}

const TERM = /^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/;

function parse(equation: string, count: number): { inputs: string[]; output: string | null } {
  const [left, output, ...more] = equation.replaceAll(" ", "").split("->");
  const inputs = left.split(",");
  const malformed = [...inputs, output ?? ""].find((term) => !TERM.test(term));
  if (malformed !== undefined || more.length > 0) {
    throw new ValueError(
      `einsum: "${equation}" is malformed${malformed === undefined ? "" : ` at "${malformed}"`}; write letters and at most one "..." for each operand, as in "ij,jk->ik"`,
    );
  }
  if (inputs.length !== count) {
    throw new ValueError(`einsum: "${equation}" names ${inputs.length} operands, but ${count} are given`);
  }
  return { inputs, output: output ?? null };
}

/** The labels of one operand; those of an ellipsis count from its right end, so that they broadcast. */
function expand(equation: string, term: string, value: Tensor, position: number): string[] {
  const letters = term.replace("...", "").length;
  const hidden = value.rank - letters;
  if (hidden < 0 || (hidden > 0 && !term.includes("..."))) {
    throw new ShapeError(
      `einsum: operand ${position} has shape ${formatShape(value.shape)}, but "${equation}" gives it "${term}"; name each of its ${value.rank} axes`,
    );
  }
  const [before, after = ""] = term.split("...");
  return [...before, ...Array.from({ length: hidden }, (_, i) => `.${hidden - 1 - i}`), ...after];
}

function ellipsisOf(named: readonly Labelled[]): string[] {
  const all = new Set(named.flatMap(({ labels }) => labels.filter((label) => label.startsWith("."))));
  return Array.from(all).sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)));
}

function implicitOutput(named: readonly Labelled[]): string[] {
  const letters = named.flatMap(({ labels }) => labels.filter((label) => !label.startsWith(".")));
  const once = letters.filter((label) => letters.indexOf(label) === letters.lastIndexOf(label));
  return [...ellipsisOf(named), ...once.sort()];
}

function expandOutput(equation: string, term: string, named: readonly Labelled[]): string[] {
  const ellipsis = ellipsisOf(named);
  if (ellipsis.length > 0 && !term.includes("...")) {
    throw new ValueError(`einsum: "${equation}" drops the axes of "..."; write "..." after "->" too`);
  }
  const [before, after = ""] = term.split("...");
  const output = [...before, ...(term.includes("...") ? ellipsis : []), ...after];
  output.forEach((label, i) => {
    if (output.indexOf(label) !== i) throw new ValueError(`einsum: "${equation}" has "${label}" twice in its result`);
    if (!named.some(({ labels }) => labels.includes(label))) {
      throw new ValueError(`einsum: "${equation}" has "${label}" in its result, but no operand has it`);
    }
  });
  return output;
}

/** Takes diagonals, and drops ellipsis axes of extent 1 that broadcast; checks that extents agree. */
function simplify(equation: string, named: readonly Labelled[]): Labelled[] {
  const diagonals = named.map(({ value, labels }, i) => withoutRepeats(equation, value, labels, i));
  const extents = new Map<string, number>();
  for (const { value, labels } of diagonals) {
    labels.forEach((label, axis) => {
      const extent = value.shape[axis];
      const known = extents.get(label);
      if (known !== undefined && known !== extent && !(label.startsWith(".") && (known === 1 || extent === 1))) {
        throw new ShapeError(
          label.startsWith(".")
            ? `einsum: axes of "..." in "${equation}" do not broadcast: extents ${known} and ${extent}`
            : `einsum: "${label}" in "${equation}" has extent ${known} in one operand and ${extent} in another`,
        );
      }
      if (known === undefined || known === 1) extents.set(label, extent);
    });
  }
  return diagonals.map(({ value, labels }) => {
    const stretched = labels.map((_, axis) => axis).filter((axis) => value.shape[axis] !== extents.get(labels[axis]));
    return stretched.length === 0
      ? { value, labels }
      : { value: squeeze(value, stretched), labels: labels.filter((_, axis) => !stretched.includes(axis)) };
  });
}

function withoutRepeats(equation: string, value: Tensor, labels: readonly string[], position: number): Labelled {
  const second = labels.findIndex((label, axis) => labels.indexOf(label) !== axis);
  if (second < 0) return { value, labels };
  const label = labels[second];
  const first = labels.indexOf(label);
  if (value.shape[first] !== value.shape[second]) {
    throw new ShapeError(
      `einsum: "${label}" twice in operand ${position} of "${equation}" has extents ${value.shape[first]} and ${value.shape[second]}`,
    );
  }
  const rest = labels.filter((_, axis) => axis !== first && axis !== second);
  return withoutRepeats(equation, diagonal(value, { axes: [first, second] }), [...rest, label], position);
}

function contract(operands: readonly Labelled[], output: readonly string[]): Tensor {
  let left = operands.map((operand, i) => {
    const elsewhere = new Set([...output, ...operands.flatMap((other, j) => (i === j ? [] : other.labels))]);
    const alone = operand.labels.map((_, axis) => axis).filter((axis) => !elsewhere.has(operand.labels[axis]));
    return alone.length === 0
      ? operand
      : {
          value: sum(operand.value, { axis: alone }),
          labels: operand.labels.filter((label) => elsewhere.has(label)),
        };
  });
  while (left.length > 1) {
    const [i, j] = nextPair(left, output);
    const others = left.filter((_, k) => k !== i && k !== j);
    const kept = new Set([...output, ...others.flatMap(({ labels }) => labels)]);
    left = [...others, contractPair(left[i], left[j], kept)];
  }
  const [{ value, labels }] = left;
  return transpose(
    value,
    output.map((label) => labels.indexOf(label)),
  );
}

/** The pair whose product is the smallest against what goes into it. */
function nextPair(operands: readonly Labelled[], output: readonly string[]): [number, number] {
  let best: [number, number] = [0, 1];
  let bestGrowth = Number.POSITIVE_INFINITY;
  for (let i = 0; i < operands.length && operands.length > 2; i++) {
    for (let j = i + 1; j < operands.length; j++) {
      const kept = new Set([...output, ...operands.flatMap(({ labels }, k) => (k === i || k === j ? [] : labels))]);
      const [a, b] = [operands[i], operands[j]];
      const fromA = a.labels.map((label, axis) => (kept.has(label) ? a.value.shape[axis] : 1));
      const fromB = b.labels.map((label, axis) =>
        kept.has(label) && !a.labels.includes(label) ? b.value.shape[axis] : 1,
      );
      const growth = sizeOf(fromA) * sizeOf(fromB) - a.value.size - b.value.size;
      if (growth < bestGrowth) {
        bestGrowth = growth;
        best = [i, j];
      }
    }
  }
  return best;
}

/** The product of two operands summed over the labels that nothing else needs, as one matrix product. */
function contractPair(a: Labelled, b: Labelled, kept: ReadonlySet<string>): Labelled {
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => kept.has(label));
  const summed = shared.filter((label) => !kept.has(label));
  const freeA = a.labels.filter((label) => !shared.includes(label));
  const freeB = b.labels.filter((label) => !shared.includes(label));
  const labels = [...batch, ...freeA, ...freeB];
  const extents = (of: Labelled, list: readonly string[]) =>
    list.map((label) => of.value.shape[of.labels.indexOf(label)]);
  const ordered = (of: Labelled, list: readonly string[]) =>
    transpose(
      of.value,
      list.map((label) => of.labels.indexOf(label)),
    );
  const shape = [...extents(a, batch), ...extents(a, freeA), ...extents(b, freeB)];
  const x = ordered(a, [...batch, ...freeA, ...summed]);
  if (summed.length === 0) {
    const y = ordered(b, [...batch, ...freeB]);
    return {
      value: mul(reshape(x, [...x.shape, ...freeB.map(() => 1)]), spreadAfter(y, batch.length, freeA.length)),
      labels,
    };
  }
  if (freeA.length === 0 && freeB.length === 0 && batch.length > 0) {
    const axis = summed.map((_, i) => batch.length + i);
    return { value: sum(mul(x, ordered(b, [...batch, ...summed])), { axis }), labels };
  }
  const lead = batch.length === 0 ? [] : [sizeOf(extents(a, batch))];
  const k = sizeOf(extents(a, summed));
  const y = ordered(b, [...batch, ...summed, ...freeB]);
  const product = matmul(
    reshape(x, [...lead, sizeOf(extents(a, freeA)), k]),
    reshape(y, [...lead, k, sizeOf(extents(b, freeB))]),
  );
  return { value: reshape(product, shape), labels };
}

/** `y` with `count` axes of extent 1 after its first `lead`. */
function spreadAfter(y: Tensor, lead: number, count: number): Tensor {
  return reshape(y, [...y.shape.slice(0, lead), ...new Array<number>(count).fill(1), ...y.shape.slice(lead)]);
}
