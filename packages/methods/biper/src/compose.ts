import { add, requireObject, ShapeError, ValueError } from "@offprint/tensor-core";
import { asPart, type NetworkPart, type ParamsOf, type PartLike, type StateOf } from "./network-part.js";

/** The path of a part inside another. */
function inside(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/** A chain of parts: its parameters and its state have an entry per part, under its name. */
export type Chain<T extends Readonly<Record<string, PartLike>>> = NetworkPart<
  { readonly [Name in keyof T]: ParamsOf<T[Name]> },
  { readonly [Name in keyof T]: StateOf<T[Name]> }
>;

/**
 * One part after the other. Parameters and state are objects with an entry per part, under its name.
 * @throws ValueError for no parts, or a name with a dot.
 * @example chain({ conv: binaryConv({ inputs: 16, outputs: 32, kernel: 3 }), norm: parts.batchNorm(32), act: parts.hardtanh })
 */
export function chain<T extends Readonly<Record<string, PartLike>>>(named: T): Chain<T> {
  requireObject("chain", "named", named, "an object");
  const list = Object.entries(named).map(([name, part]) => [name, asPart(part)] as const);
  if (list.length === 0) throw new ValueError("chain: there are no parts; give at least one");
  for (const [name] of list) {
    if (name === "" || name.includes(".")) {
      throw new ValueError(`chain: "${name}" names a part; a name must have at least one letter and no dot`);
    }
  }
  type Values = Readonly<Record<string, unknown>>;
  const whole: NetworkPart<Values, Values> = {
    init: (rng, dtype) => Object.fromEntries(list.map(([name, part]) => [name, part.init(rng, dtype)])),
    initState: (dtype) => Object.fromEntries(list.map(([name, part]) => [name, part.initState(dtype)])),
    run(params, state, input, mode) {
      let x = input;
      const next = list.map(([name, part]) => {
        const [y, after] = part.run(params[name], state[name], x, mode);
        x = y;
        return [name, after];
      });
      return [x, Object.fromEntries(next)];
    },
    layers: (params, path) => list.flatMap(([name, part]) => part.layers(params[name], inside(path, name))),
    pack: (params, state, path) =>
      list.flatMap(([name, part]) => part.pack(params[name], state[name], inside(path, name))),
  };
  return whole as Chain<T>;
}

/** A sum of two branches: its parameters and its state are those of body and shortcut. */
export type Residual<B extends PartLike, S extends PartLike | undefined> = NetworkPart<
  { readonly body: ParamsOf<B>; readonly shortcut: ParamsOf<S> },
  { readonly body: StateOf<B>; readonly shortcut: StateOf<S> }
>;

/**
 * `body(x) + shortcut(x)`; without a shortcut `body(x) + x`. Parameters and state are `{ body, shortcut }`.
 * @throws ShapeError, when run, where the two differ in shape.
 */
export function residual<B extends PartLike, S extends PartLike | undefined = undefined>(
  body: B,
  shortcut?: S,
): Residual<B, S> {
  const main = asPart(body);
  const side = shortcut === undefined ? undefined : asPart(shortcut);
  type Values = { readonly body: unknown; readonly shortcut: unknown };
  const whole: NetworkPart<Values, Values> = {
    init: (rng, dtype) => ({ body: main.init(rng, dtype), shortcut: side?.init(rng, dtype) ?? null }),
    initState: (dtype) => ({ body: main.initState(dtype), shortcut: side?.initState(dtype) ?? null }),
    run(params, state, x, mode) {
      const [y, bodyState] = main.run(params.body, state.body, x, mode);
      const [z, shortcutState] = side?.run(params.shortcut, state.shortcut, x, mode) ?? [x, null];
      if (y.shape.join() !== z.shape.join()) {
        throw new ShapeError(
          `residual: the body gives [${y.shape}], the shortcut [${z.shape}]; give a shortcut that fits the body`,
        );
      }
      return [add(y, z), { body: bodyState, shortcut: shortcutState }];
    },
    layers: (params, path) => [
      ...main.layers(params.body, inside(path, "body")),
      ...(side?.layers(params.shortcut, inside(path, "shortcut")) ?? []),
    ],
    pack: (params, state, path) => [
      {
        kind: "residual",
        body: main.pack(params.body, state.body, inside(path, "body")),
        shortcut: side?.pack(params.shortcut, state.shortcut, inside(path, "shortcut")) ?? [],
      },
    ],
  };
  return whole as Residual<B, S>;
}
