declare module "virtual:versions" {
  /** Versions of the libraries that the benchmark compares, by package. */
  export const versions: Readonly<Record<string, string>>;
}
