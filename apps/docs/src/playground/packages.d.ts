declare module "virtual:packages" {
  /** What programs may import, by specifier. */
  export const packages: Readonly<Record<string, () => Promise<Record<string, unknown>>>>;
}
