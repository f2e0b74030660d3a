import { batchNorm, conv2d } from "@offprint/nn";
import { relu } from "@offprint/tensor-core";
/**
 * 3 x 3 convolutions with padding 1 and bias, each followed by batch normalisation and ReLU.
 * @param channels from the input on, one more than `strides`
 */
export function convStage(channels, strides) {
    const convs = strides.map((stride, i) => {
        return conv2d({
            inputs: channels[i],
            outputs: channels[i + 1],
            kernel: 3,
            strides: stride,
            padding: [
                [1, 1],
                [1, 1],
            ],
        });
    });
    const norms = strides.map((_, i) => batchNorm({ channels: channels[i + 1] }));
    return {
        init: (rng, dtype = "float32") => convs.map((conv, i) => ({ conv: conv.init(rng, dtype), norm: norms[i].init(dtype) })),
        initState: (dtype = "float32") => norms.map((norm) => norm.initState(dtype)),
        train(params, state, input) {
            const next = [];
            const y = convs.reduce((x, conv, i) => {
                const [normed, after] = norms[i].train(params[i].norm, state[i], conv.apply(params[i].conv, x));
                next.push(after);
                return relu(normed);
            }, input);
            return [y, next];
        },
        apply: (params, state, input) => convs.reduce((x, conv, i) => relu(norms[i].apply(params[i].norm, state[i], conv.apply(params[i].conv, x))), input),
    };
}
