/** What the page asks the worker to do. */
export interface RunRequest {
  readonly kind: "run";
  readonly code: string;
}

/** What the worker tells the page. */
export type WorkerMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "text"; readonly level: "log" | "warn" | "error"; readonly text: string }
  /** An SVG drawn by this repository's plots; `key` replaces an earlier one with the same key. */
  | { readonly kind: "plot"; readonly svg: string; readonly key: string | undefined }
  /** Plots of one thing in its course, of which a slider chooses one. */
  | { readonly kind: "frames"; readonly svgs: readonly string[]; readonly key: string | undefined }
  /** An SVG of the program's own, which is shown as an image. */
  | { readonly kind: "image"; readonly svg: string; readonly key: string | undefined }
  | { readonly kind: "table"; readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: "failed"; readonly message: string; readonly line: number | undefined }
  | { readonly kind: "finished"; readonly seconds: number };
