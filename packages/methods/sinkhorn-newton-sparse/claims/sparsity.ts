import { type Claim, figure } from "@offprint/claims";
import { approximateSparsity } from "../src/index.js";
import { type Method, published, randomAssignment } from "./method.js";

const SIZE = 500;
const ETAS = [100, 400, 1200];

/** Few entries hold almost all mass after a few Sinkhorn iterations. */
export function sparsity(method: Method = published): Claim {
  return {
    id: "approximate-sparsity",
    statement:
      "After 20 Sinkhorn iterations a few entries per row hold almost all mass, fewer the weaker the regularisation",
    source: "Section 3.2, Theorem 1",
    paper: "sparsity near 1/n",
    async run({ rng, onProgress, scale }) {
      const problem = randomAssignment(rng, SIZE);
      const perRow = async (sinkhornIterations: number, newtonIterations: number, eta: number) => {
        const { plan } = await method(problem, { eta, sinkhornIterations, newtonIterations });
        return SIZE * approximateSparsity(plan, 1e-3);
      };
      const rows: (number | null)[][] = [];
      const after: number[] = [];
      for (const [k, eta] of ETAS.entries()) {
        after.push(await perRow(20, 0, eta));
        // The others are shown beside them, and not judged.
        const [first, optimum] = scale === "full" ? [await perRow(1, 0, eta), await perRow(20, 50, eta)] : [null, null];
        rows.push([eta, first, after[k], optimum]);
        await onProgress((k + 1) / ETAS.length);
      }
      return {
        measured: Object.fromEntries(ETAS.map((eta, k) => [`eta ${eta}`, after[k]])),
        holds: after[0] > after[1] && after[1] > after[2] && after[2] < 6,
        detail:
          `Entries per row for all mass but 1e-3, n = 500: they must fall with eta (${after.map((value) => figure(value)).join(", ")} at ` +
          `${ETAS.join(", ")}) and be below 6 at 1200.`,
        tables: [
          {
            title: "Entries per row for all mass but 1e-3",
            columns: ["eta", "after 1 iteration", "after 20", "at the optimum"],
            rows,
          },
        ],
      };
    },
  };
}
