"""scikit-learn's Gaussian process on the same points: its kernel, predictions with fixed parameters, and the whole fit."""

import warnings

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from offprint_bench import serve

warnings.filterwarnings("ignore")


def model(optimizer):
    kernel = ConstantKernel(1.0) * RBF(1.0) + WhiteKernel(0.02)
    return GaussianProcessRegressor(kernel, alpha=0, optimizer=optimizer)


def arrays(data):
    return (np.array(data[name]) for name in ("X", "y", "Z"))


def kernel(data):
    X, _, _ = arrays(data)
    return lambda: RBF(1.0)(X, X)


def predict(data):
    X, y, Z = arrays(data)
    return lambda: model(None).fit(X, y).predict(Z, return_std=True)[0][0]


def fit(data):
    X, y, Z = arrays(data)
    return lambda: model("fmin_l_bfgs_b").fit(X, y).predict(Z, return_std=True)[0][0]


serve({"kernel": kernel, "predict": predict, "fit": fit})
