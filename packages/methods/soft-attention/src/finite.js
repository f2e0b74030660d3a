import { ValueError } from "@offprint/tensor-core";
/** Throws where a tensor in memory holds a value that is not finite; a traced or batched one cannot be looked into. */
export function requireFinite(owner, argument, x) {
    if (x.storage.kind !== "host")
        return;
    const values = x.data();
    let total = 0;
    // A finite number times 0 is 0, anything else NaN.
    for (let i = 0; i < values.length; i++)
        total += values[i] * 0;
    if (total !== 0) {
        throw new ValueError(`${owner}: ${argument} holds a value that is not finite; look for it where ${argument} is made`);
    }
}
