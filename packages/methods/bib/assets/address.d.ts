/** The address of a file of this folder, which is beside the sources and beside what is built of them. */
export declare function assetAddress(name: string): URL;
