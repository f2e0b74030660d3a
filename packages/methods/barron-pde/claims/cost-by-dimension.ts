import { type Claim, figure, growthOf, processorSeconds } from "@offprint/claims";
import { gridUnknownsLog10, SparseFourier } from "../src/index.js";
import { type Method, published } from "./method.js";
import { cubic } from "./problems.js";

const allDimensions = [2, 4, 8, 16, 32];

/** d cosines that use all coordinates, each two; their amplitudes sum up to the same in every dimension. */
function chain(dimension: number): SparseFourier {
  const terms = Array.from({ length: dimension }, (_, j) => {
    const k = new Array<number>(dimension).fill(0);
    k[j] = 2;
    k[(j + 1) % dimension] = 1;
    return { k, a: 200 / dimension };
  });
  return SparseFourier.cosines(terms, { dimension });
}

/** Cost over sixteen times the dimensions; a test of a variant that fails looks at fewer. */
export function costByDimension(method: Method = published, dimensions: readonly number[] = allDimensions): Claim {
  return {
    id: "cost-by-dimension",
    statement:
      "From 2 to 32 dimensions, all of which the equation uses, iterations and norm stay and neurons and time grow polynomially",
    source: "Abstract; Theorem 1, polynomial in d",
    paper: "polynomial in d",
    async run({ seed, signal, onProgress }) {
      const rows: { d: number; iterations: number; barron: number; width: number; grid: number; seconds: number }[] =
        [];
      // The first twice: engines take a while to compile what they run.
      for (const d of [dimensions[0], ...dimensions]) {
        const f = chain(d);
        const accuracy = 0.1 * f.precondition().l2();
        const before = processorSeconds();
        const { iterations, barron, width } = await method.certify(cubic, f, { accuracy, bestOf: 1, seed, signal });
        const seconds = processorSeconds() - before;
        rows.push({ d, iterations, barron, width, grid: gridUnknownsLog10(d, 2), seconds });
        await onProgress(rows.length / (dimensions.length + 1));
      }
      rows.shift();
      const column = (name: keyof (typeof rows)[number]) => rows.map((row) => row[name]);
      const [neurons, time] = [growthOf(dimensions, column("width")), growthOf(dimensions, column("seconds"))];
      const [iterations, norms] = [column("iterations"), column("barron")];
      const steady = Math.max(...iterations) - Math.min(...iterations) <= 2;
      const spread = Math.max(...norms) / Math.min(...norms);
      const x = { label: "dimension", scale: "log" } as const;
      return {
        measured: { "neurons, power of d": neurons, "time, power of d": time },
        holds: steady && spread < 1.1 && neurons <= 2 && time <= 3,
        detail:
          `For an accuracy of a tenth of the norm of G f iterations must differ by at most 2 (${iterations.join(", ")}) and Barron norms by less than a tenth ` +
          `(${norms.map((norm) => figure(norm)).join(", ")}); neurons may grow with the power 2 of d at most (${figure(neurons)}), processor time with 3 (${figure(time)}). ` +
          `A grid that resolves the right-hand side alone has 10^${figure(rows[rows.length - 1].grid)} points in ${dimensions[dimensions.length - 1]} dimensions.`,
        series: [
          {
            kind: "line",
            title: "Neurons, and points of a grid",
            x,
            y: { label: "log10 of the number", range: [0, 10] },
            curves: [
              { name: "neurons", x: [...dimensions], y: column("width").map(Math.log10), style: "line-points" },
              {
                name: "grid",
                x: [...dimensions],
                y: column("grid").map((each) => (each > 10 ? null : each)),
                style: "line-points",
              },
            ],
          },
          {
            kind: "line",
            title: "Time to certify and draw",
            x,
            y: { label: "processor time", unit: "s", scale: "log" },
            curves: [{ name: "certify", x: [...dimensions], y: column("seconds"), style: "line-points" }],
          },
        ],
      };
    },
  };
}
