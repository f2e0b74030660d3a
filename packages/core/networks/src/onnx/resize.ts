import { UnsupportedError } from "@offprint/tensor-core";
import { type Affine, affineCombination } from "./neurons.js";
import {
  affine,
  constant,
  listAttribute,
  neurons,
  numberAttribute,
  numbers,
  type Operator,
  type OperatorContext,
  type OperatorInput,
} from "./operator.js";
import { checkedAxis, checkedCount, eachIndex, stridesOf } from "./shapes.js";

/** An axis of length `from` that becomes one of length `to`; runtimes compute its places in float32. */
interface Axis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

const { fround } = Math;

/** Where a place of the output lies on the axis of the input. */
const transformations: Readonly<Record<string, (place: number, axis: Axis) => number>> = {
  half_pixel: (place, { scale }) => fround(fround((place + 0.5) / scale) - 0.5),
  pytorch_half_pixel: (place, { to, scale }) => (to > 1 ? fround(fround((place + 0.5) / scale) - 0.5) : 0),
  align_corners: (place, { from, to }) => (to === 1 ? 0 : fround((place * (from - 1)) / (to - 1))),
  asymmetric: (place, { scale }) => fround(place / scale),
};

/** The neighbour that a place takes. */
const roundings: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Places of the input with their shares. */
type Shares = readonly (readonly [place: number, share: number])[];

/** Images of other sizes, by the nearest neighbour or by linear interpolation along each axis. */
export const resize: Operator = (inputs, context) => {
  const x = neurons(inputs[0], context);
  const axes = resizedAxes(inputs, context, x.shape);
  const shape = axes.map(({ to }) => to);
  checkedCount(shape);
  const sharesOf = interpolation(inputs, context);
  const shares = axes.map((axis) => Array.from({ length: axis.to }, (_, place) => sharesOf(place, axis)));
  const forms = affine(x, context);
  const strides = stridesOf(x.shape);
  const out: Affine[] = [];
  eachIndex(shape, (index) => {
    let places: Shares = [[0, 1]];
    for (const [a, own] of index.entries()) {
      places = places.flatMap(([at, share]) =>
        shares[a][own].map(([place, part]): Shares[number] => [at + place * strides[a], share * part]),
      );
    }
    out.push(
      affineCombination(
        places.map(([at]) => forms[at]),
        places.map(([, share]) => share),
        0,
        context.stack,
      ),
    );
  });
  return [{ shape, neurons: out }];
};

/** Shares of the neighbours of a place, as the attributes say. */
function interpolation(inputs: readonly OperatorInput[], { node, where }: OperatorContext) {
  // Upsample, and Resize in version 10, know scales only, and no other places than these.
  const old = isOld(inputs, node.operator);
  const text = (name: string, fallback: string) => String(node.attributes[name] ?? fallback);
  const mode = text("mode", "nearest");
  const transformation = old ? "asymmetric" : text("coordinate_transformation_mode", "half_pixel");
  const rounding = old ? "floor" : text("nearest_mode", "round_prefer_floor");
  const known =
    (mode === "nearest" || mode === "linear") &&
    Object.hasOwn(transformations, transformation) &&
    Object.hasOwn(roundings, rounding) &&
    numberAttribute({ node, where }, "antialias", 0) === 0 &&
    text("keep_aspect_ratio_policy", "stretch") === "stretch";
  if (!known) {
    throw new UnsupportedError(
      `${where}: mode "${mode}" with "${transformation}" is not read; resize by the nearest or linearly, without antialias`,
    );
  }
  return (place: number, axis: Axis): Shares => {
    if (axis.from === axis.to && axis.scale === 1) return [[place, 1]];
    const at = transformations[transformation](place, axis);
    const within = (n: number) => Math.min(Math.max(n, 0), axis.from - 1);
    if (mode === "nearest") return [[within(roundings[rounding](at)), 1]];
    const low = Math.floor(within(at));
    const share = within(at) - low;
    return share === 0
      ? [[low, 1]]
      : [
          [low, 1 - share],
          [low + 1, share],
        ];
  };
}

const isOld = (inputs: readonly OperatorInput[], operator: string): boolean =>
  operator === "Upsample" || inputs.length === 2;

/** How long each axis becomes: by sizes, or by scales. */
function resizedAxes(
  inputs: readonly OperatorInput[],
  context: OperatorContext,
  shape: readonly number[],
): readonly Axis[] {
  const { node, where } = context;
  const list = (x: OperatorInput, name: string) => {
    const values = x === undefined ? [] : numbers(constant(x, where, name));
    return values.length === 0 ? undefined : values;
  };
  const scales = list(inputs[isOld(inputs, node.operator) ? 1 : 2], "scales") ?? listAttribute(context, "scales");
  const sizes = list(inputs[3], "sizes");
  const axes = (listAttribute(context, "axes") ?? shape.map((_, a) => a)).map((axis) =>
    checkedAxis(axis, shape.length, where),
  );
  const given = sizes ?? scales;
  if (given?.length !== axes.length || !given.every((n) => Number.isFinite(n) && n > 0)) {
    throw new UnsupportedError(`${where}: it needs a positive size or scale for each axis of [${shape}]`);
  }
  return shape.map((from, a) => {
    const k = axes.indexOf(a);
    if (k < 0) return { from, to: from, scale: 1 };
    const to = sizes === undefined ? Math.floor(fround(from * given[k])) : given[k];
    if (!(to >= 1 && Number.isSafeInteger(to))) throw new UnsupportedError(`${where}: axis ${a} would have no places`);
    return { from, to, scale: sizes === undefined ? fround(given[k]) : fround(to / from) };
  });
}
