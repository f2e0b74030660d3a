"""Gradient boosting of one-hidden-layer networks on scikit-learn's MLPRegressor, as the authors' library does it."""

import warnings

import numpy
from offprint_bench import serve
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore")


def friedman(n, features=10):
    rng = numpy.random.default_rng(0)
    x = rng.uniform(size=(n, features))
    noise = rng.normal(size=n)
    y = 10 * numpy.sin(numpy.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4] + noise
    return (x - x.mean(0)) / x.std(0), y


def boost(n, units, block):
    x, y = friedman(n)

    def run():
        prediction = numpy.full(n, y.mean())
        for t in range(units // block):
            learner = MLPRegressor((block,), activation="logistic", solver="lbfgs", tol=0, max_iter=200, random_state=t)
            learner.fit(x, y - prediction)
            prediction += 0.1 * learner.predict(x)
        return prediction

    return run


serve({"boost": boost})
