import { tensor } from "@offprint/tensor-core";
/** A sum of `waves` cosines `cos(2 pi f.p + phase)` over the cell centres p of the unit square, row by row. */
export function cosineField(rng, side, waves, frequency) {
    const field = new Float64Array(side * side);
    for (let wave = 0; wave < waves; wave++) {
        const [fx, fy] = rng.normal([2], { std: frequency, dtype: "float64" }).data();
        const phase = rng.uniform([], { high: 2 * Math.PI, dtype: "float64" }).item();
        for (let i = 0; i < field.length; i++) {
            const [y, x] = [(Math.floor(i / side) + 0.5) / side, ((i % side) + 0.5) / side];
            field[i] += Math.cos(2 * Math.PI * (fx * x + fy * y) + phase);
        }
    }
    return field;
}
const CHANNELS = 8;
/**
 * Features of a smooth image: each of 8 channels a sum of 4 cosines with frequencies N(0, 3^2), plus noise 0.15 N(0, 1).
 * @returns `[side^2, 8]` float32
 */
export function smoothFeatures(rng, side) {
    const fields = Array.from({ length: CHANNELS }, () => cosineField(rng, side, 4, 3));
    const noise = rng.normal([side * side, CHANNELS], { std: 0.15, dtype: "float64" }).data();
    const values = Float32Array.from(noise, (e, i) => fields[i % CHANNELS][Math.floor(i / CHANNELS)] + e);
    return tensor(values, { shape: [side * side, CHANNELS] });
}
