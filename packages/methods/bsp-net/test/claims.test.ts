import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { onnxRuntime } from "@offprint/onnx-runtime";
import type { Backend } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chairClaims, judgeCompactness } from "../claims/chair-claims.js";
import { claims } from "../claims/index.js";
import { exactPolytopes } from "../claims/polytopes.js";
import {
  agreements,
  correspondence,
  discretisation,
  judgeCorrespondence,
  judgeDiscretisation,
  judgePhases,
  twoPhases,
} from "../claims/toy-claims.js";
import { shippedToy } from "../claims/toy-networks.js";
import { extractMesh, fitShape, intersectHalfspaces } from "../src/index.js";

let backend: Backend & { release(): Promise<void> };

beforeAll(async () => {
  backend = await onnxRuntime({ device: "cpu", threads: 1 });
});

afterAll(() => backend.release());

const run = (claim: Claim) => runClaim(claims, claim, { backend });

/** A fit that is too short for the criterion, to try claims quickly. */
const hasty: typeof fitShape = (shape, options) => {
  const key = String(options?.slope);
  const fit =
    hastyFits.get(key) ??
    fitShape(shape, { ...options, convexes: 4, steps: 100, pointsPerStep: 200, poolSize: 20_000 });
  hastyFits.set(key, fit);
  return fit;
};
const hastyFits = new Map<string, ReturnType<typeof fitShape>>();

describe("claims hold for the method and fail for what is not the method", () => {
  it("are all there", () => {
    expect(claims.claims.map(({ id }) => id)).toEqual([
      "exact-polytopes",
      "compact-mesh",
      "watertight",
      "two-phases",
      "part-correspondence",
      "discretisation",
    ]);
  });

  it("exact polytopes: fail where a plane is left out or a face is missing", async () => {
    const forgetful: typeof intersectHalfspaces = (planes) =>
      intersectHalfspaces(planes.subarray(0, planes.length - 4));
    expect(await run(exactPolytopes(forgetful))).toMatchObject({ holds: false });
    const open: typeof intersectHalfspaces = (planes) => {
      const mesh = intersectHalfspaces(planes);
      return { ...mesh, faces: mesh.faces.slice(1), planeOfFace: mesh.planeOfFace.slice(1) };
    };
    expect(await run(exactPolytopes(open))).toMatchObject({ holds: false });
  });

  it("compact meshes: the criterion takes good fits only, and a hasty fit fails", async () => {
    expect(judgeCompactness([0.975, 0.983, 0.98], [0.01, 0.013, 0.009], 0.58)).toBe(true);
    expect(judgeCompactness([0.975, 0.91, 0.98], [0.01, 0.013, 0.009], 0.58)).toBe(false);
    expect(judgeCompactness([0.975, 0.983, 0.98], [0.01, 0.04, 0.009], 0.58)).toBe(false);
    expect(judgeCompactness([0.975, 0.983, 0.98], [0.01, 0.013, 0.009], 0.8)).toBe(false);
    expect(await run(chairClaims(hasty)[0])).toMatchObject({ holds: false });
  });

  it("watertight: holds also for a hasty fit, and fails for faces turned over, left out, or a convex that is shrunk", async () => {
    expect(await run(chairClaims(hasty)[1])).toMatchObject({ holds: true });
    const holed: typeof extractMesh = (shape) => {
      const mesh = extractMesh(shape);
      return { ...mesh, faces: mesh.faces.slice(1), convexOfFace: mesh.convexOfFace.slice(1) };
    };
    expect(await run(chairClaims(hasty, holed)[1])).toMatchObject({ holds: false });
    const inward: typeof extractMesh = (shape) => {
      const mesh = extractMesh(shape);
      return { ...mesh, faces: mesh.faces.map((loop) => [...loop].reverse()) };
    };
    expect(await run(chairClaims(hasty, inward)[1])).toMatchObject({ holds: false });
    const shrunk: typeof extractMesh = (shape) => {
      const mesh = extractMesh(shape);
      return { ...mesh, vertices: mesh.vertices.map((x) => x * 0.9) };
    };
    expect(await run(chairClaims(hasty, shrunk)[1])).toMatchObject({ holds: false });
  });

  it("two phases: fail for phase 0 read as phase 1", async () => {
    expect(judgePhases(0.88, 0.84, 0.09)).toBe(true);
    expect(judgePhases(0.88, 0.81, 0.09)).toBe(false);
    expect(judgePhases(0.82, 0.79, 0.09)).toBe(false);
    expect(judgePhases(0.88, 0.84, 0.11)).toBe(false);
    const toy = await shippedToy();
    const onlyPhase0 = async () => ({ ...toy, networks: { 0: toy.networks[0], 1: toy.networks[0] } });
    const result = await run(twoPhases(onlyPhase0, 2));
    expect(result).toMatchObject({ holds: false });
    expect(Number(result.measured)).toBeLessThan(0.6);
  });

  it("correspondence: fails where convexes are shuffled between shapes", async () => {
    const toy = await shippedToy();
    const elements = [0, 1, 2].map((first) => Array.from({ length: 30 }, (_, shape) => (first + shape) % 3));
    const shuffled = agreements(elements);
    expect(shuffled.map(({ share }) => share)).toEqual([1 / 3, 1 / 3, 1 / 3]);
    expect(judgeCorrespondence(shuffled)).toBe(false);
    const rows = (...shares: number[]) => shares.map((share, i) => ({ share, element: i % 3 }));
    expect(judgeCorrespondence(rows(1, 1, 1, 0.7, 0.97))).toBe(true);
    expect(judgeCorrespondence(rows(1, 0.7, 1, 0.7, 0.97))).toBe(false);
    expect(judgeCorrespondence(rows(1, 1))).toBe(false);
    expect(agreements([[null, null, 0]])).toEqual([]);
    const T = toy.networks[1].tree?.T;
    const untrained = { ...toy.networks[1], tree: T && { ...toy.networks[1].tree!, T: T.mul(0) } };
    // Without connections every convex holds every point, and is on whichever element is largest.
    const result = await run(
      correspondence(async () => ({ ...toy, networks: { 0: toy.networks[0], 1: untrained as never } })),
    );
    expect(result).toMatchObject({ holds: false });
  });

  it("discretisation: fails where phase 0 stands for phase 1 or the other way", async () => {
    const toy = await shippedToy();
    const swapped = { 0: toy.networks[1], 1: toy.networks[1] };
    expect(await run(discretisation(async () => ({ ...toy, networks: swapped }), 2))).toMatchObject({ holds: false });
    expect(judgeDiscretisation(0.45, 0)).toBe(true);
    expect(judgeDiscretisation(0.45, 0.02)).toBe(false);
    expect(judgeDiscretisation(0.2, 0)).toBe(false);
  });
});
