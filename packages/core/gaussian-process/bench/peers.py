"""scikit-learn's Gaussian process on the same points: fixed parameters, the gradient of the evidence, and the whole fit."""

import warnings

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from offprint_bench import serve

warnings.filterwarnings("ignore")


def model(optimizer):
    return GaussianProcessRegressor(ConstantKernel(1.0) * RBF(np.ones(5)) + WhiteKernel(0.01), alpha=0, optimizer=optimizer)


def predict(data):
    X, y, Z = (np.array(data[name]) for name in ("X", "y", "Z"))
    return lambda: model(None).fit(X, y).predict(Z, return_std=True)[0][0]


def fit(data):
    X, y, Z = (np.array(data[name]) for name in ("X", "y", "Z"))
    return lambda: model("fmin_l_bfgs_b").fit(X, y).predict(Z, return_std=True)[0][0]


serve({"predict": predict, "fit": fit})
