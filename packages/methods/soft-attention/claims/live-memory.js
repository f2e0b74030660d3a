import { byteSize } from "@offprint/tensor-core";
const bytes = ({ shape, dtype }) => shape.reduce((a, b) => a * b, byteSize(dtype));
/**
 * The largest number of bytes that the values of a graph take at once when its operations run in order and a value is
 * freed after its last use. Inputs and constants stay.
 */
export function peakBytes(graph) {
    const lastUse = new Map();
    graph.equations.forEach(({ inputs }, at) => {
        for (const variable of inputs)
            lastUse.set(variable, at);
    });
    for (const variable of graph.outputs)
        lastUse.set(variable, graph.equations.length);
    const kept = new Set([...graph.inputs, ...graph.constants.map((c) => c.variable)]);
    let live = [...kept].reduce((total, variable) => total + bytes(variable), 0);
    let peak = live;
    const alive = new Set();
    graph.equations.forEach(({ outputs }, at) => {
        for (const variable of outputs) {
            alive.add(variable);
            live += bytes(variable);
        }
        peak = Math.max(peak, live);
        for (const variable of [...alive]) {
            if ((lastUse.get(variable) ?? -1) > at)
                continue;
            alive.delete(variable);
            live -= bytes(variable);
        }
    });
    return peak;
}
