declare module "playground:packages" {
  /** What programs may import, by specifier. */
  export const packages: Readonly<Record<string, () => Promise<Record<string, unknown>>>>;
}
