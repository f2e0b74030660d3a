import type { Effort, Row } from "./measure.js";
import type { Workload } from "./workloads.js";

/** What the page asks the benchmark's worker to do. */
export interface BenchmarkRequest extends Effort {
  readonly kind: "measure";
}

/** What the worker tells the page. */
export type BenchmarkMessage =
  | { readonly kind: "libraries"; readonly libraries: readonly { readonly name: string; readonly version: string }[] }
  | { readonly kind: "begins"; readonly id: Workload["id"] }
  | { readonly kind: "row"; readonly row: Row }
  | { readonly kind: "finished" }
  | { readonly kind: "failed"; readonly message: string };
