/** The address of the network that ships, beside the sources and beside what is built of them. */
export declare const networkAddress: URL;
