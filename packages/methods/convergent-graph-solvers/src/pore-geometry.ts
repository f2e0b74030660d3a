import { requireObject, ValueError } from "@offprint/tensor-core";
import { type PoreNetwork, reachedFromHeld } from "./pore-network.js";

/** A network as a program for pore networks describes it: places, sizes, and named sets of pores. */
export interface PoreGeometry {
  /** Number of pores. */
  readonly pores: number;
  /** `[throats]` pairs of pores. */
  readonly throats: readonly (readonly [number, number])[];
  /** `[throats]` flow for a unit of pressure: as the file has it, or from radii and lengths for a viscosity of 1. */
  readonly conductances: Float64Array;
  /** `[pores * 3]` coordinates; NaN where the file has none. */
  readonly positions: Float64Array;
  /** `[throats]` radii; NaN where the file has none. */
  readonly radii: Float64Array;
  /** `[throats]` lengths; NaN where the file has none. */
  readonly lengths: Float64Array;
  /** Pores by the names of their sets, such as `left` or `inlets`. */
  readonly labels: Readonly<Record<string, readonly number[]>>;
  /** Extent of the sample in each direction. */
  readonly extent: readonly [number, number, number];
}

/** Part of a network through which something can flow. */
export interface HeldNetwork extends PoreNetwork {
  /** `[pores]` which pore of the geometry each one is. */
  readonly poreOf: Int32Array;
  /** `[throats]` which throat of the geometry each one is. */
  readonly throatOf: Int32Array;
}

/**
 * The network with a pressure of 1 at the pores of one set and 0 at those of another. Pores that no throats link with
 * either are left out, as their pressure is not determined.
 * @throws ValueError for sets that there are not, that are empty, or that share a pore
 */
export function holdPressures(geometry: PoreGeometry, inlet: string, outlet: string): HeldNetwork {
  requireObject("holdPressures", "geometry", geometry, "a PoreGeometry");
  const { pores, throats, conductances } = geometry;
  const held = new Float64Array(pores).fill(Number.NaN);
  for (const [name, pressure] of [
    [inlet, 1],
    [outlet, 0],
  ] as const) {
    for (const pore of labelled(geometry, name)) {
      if (!Number.isNaN(held[pore])) {
        throw new ValueError(
          `holdPressures: pore ${pore} is in "${inlet}" and in "${outlet}"; give sets that share none`,
        );
      }
      held[pore] = pressure;
    }
  }
  const reached = reachedFromHeld(pores, throats, held);
  const poreOf = Int32Array.from(reached.keys()).filter((i) => reached[i] === 1);
  const place = new Int32Array(pores).fill(-1);
  poreOf.forEach((pore, k) => {
    place[pore] = k;
  });
  // Nothing flows through a throat from a pore to itself.
  const throatOf = Int32Array.from(throats.keys()).filter((t) => {
    const [a, b] = throats[t];
    return reached[a] === 1 && a !== b;
  });
  return {
    pores: poreOf.length,
    throats: Array.from(throatOf, (t) => [place[throats[t][0]], place[throats[t][1]]] as const),
    conductances: Float64Array.from(throatOf, (t) => conductances[t]),
    held: Float64Array.from(poreOf, (pore) => held[pore]),
    poreOf,
    throatOf,
  };
}

function labelled({ labels }: PoreGeometry, name: string): readonly number[] {
  const found = Object.hasOwn(labels, name) ? labels[name] : undefined;
  if (found !== undefined && found.length > 0) return found;
  const others = Object.keys(labels).filter((key) => labels[key].length > 0);
  throw new ValueError(
    `holdPressures: ${found === undefined ? "there is no set" : "no pore is in the set"} "${name}"; ` +
      (others.length > 0 ? `there are ${others.join(", ")}` : "the file names no sets of pores"),
  );
}

/** The sample's length along the flow from one set of pores to another, and its area across it. */
export function sampleExtent(geometry: PoreGeometry, inlet: string, outlet: string): { length: number; area: number } {
  requireObject("sampleExtent", "geometry", geometry, "a PoreGeometry");
  const { positions, extent } = geometry;
  const centre = (name: string, axis: number) => {
    const pores = labelled(geometry, name);
    return pores.reduce((total, pore) => total + positions[3 * pore + axis] / pores.length, 0);
  };
  const apart = [0, 1, 2].map((axis) => Math.abs(centre(inlet, axis) - centre(outlet, axis)));
  const along = apart.indexOf(Math.max(...apart));
  const across = extent.filter((_, axis) => axis !== along);
  return { length: extent[along], area: across[0] * across[1] };
}

/**
 * What a model of graphs takes of throats, numbers of order 1 in whatever units the file has: radius and length over their
 * means, and the logarithm of the conductance over its geometric mean.
 * @throws ValueError where the file has no radii or lengths
 */
export function throatFeatures(geometry: PoreGeometry, network: HeldNetwork): number[][] {
  requireObject("throatFeatures", "geometry", geometry, "a PoreGeometry");
  requireObject("throatFeatures", "network", network, "a HeldNetwork");
  const of = (values: Float64Array) => Float64Array.from(network.throatOf, (t) => values[t]);
  const [radii, lengths] = [of(geometry.radii), of(geometry.lengths)];
  const logarithms = Float64Array.from(network.conductances, Math.log);
  const mean = (values: Float64Array) => values.reduce((total, v) => total + v / values.length, 0);
  const means = [mean(radii), mean(lengths), mean(logarithms)];
  if (!means.every(Number.isFinite)) {
    throw new ValueError("throatFeatures: throats have no radii or lengths; give a network whose file has them");
  }
  return Array.from(radii, (r, t) => [r / means[0], lengths[t] / means[1], logarithms[t] - means[2]]);
}
