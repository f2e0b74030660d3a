"""M-SGC's simulator and the decoding of a cyclic code in NumPy, as the authors' simulator has them: arrays over workers,
a loop over rounds and jobs."""
import numpy
from offprint_bench import serve


def delays_of(n, rounds, p=0.02, q=0.8):
    rng = numpy.random.default_rng(0)
    slow = numpy.zeros((n, rounds), bool)
    slow[:, 0] = rng.random(n) < p / (p + q)
    for r in range(1, rounds):
        chance = rng.random(n)
        slow[:, r] = numpy.where(slow[:, r - 1], chance >= q, chance < p)
    times = 1 + 0.1 * rng.exponential(size=(n, rounds))
    return numpy.where(slow, times * rng.uniform(4, 8, (n, rounds)), times)


def simulate(n, jobs, burst, window, lam, alpha=16.0, mu=1.0):
    delay = window - 2 + burst
    rounds = jobs + delay
    delays = delays_of(n, rounds)
    task = (lam + 1) / (n * (burst + (window - 1) * (lam + 1)))

    def run():
        done = numpy.zeros((jobs, n), int)
        coded = numpy.zeros((jobs, burst, n), bool)
        straggled = numpy.zeros((n, rounds), bool)
        total = 0.0
        for r in range(rounds):
            active = range(max(0, r - delay), min(r, jobs - 1) + 1)
            times = delays[:, r] + alpha * task * len(active)
            deadline = (1 + mu) * times.min()
            order = numpy.argsort(times)
            slow = order[times[order] > deadline]
            recent = straggled[:, max(0, r - window + 1) : r].any(axis=1)
            barred = straggled[:, max(0, r - window + 1) : max(0, r - burst + 1)].any(axis=1)
            waited = 0
            while waited < len(slow):
                rest = slow[waited:]
                union = recent.sum() + (~recent[rest]).sum()
                if not barred[rest].any() and union <= lam:
                    break
                waited += 1
            total += times[slow[waited - 1]] if waited else min(deadline, times.max())
            straggled[slow[waited:], r] = True
            good = ~straggled[:, r]
            for job in active:
                slot = r - job
                behind = done[job] < min(slot, window - 1)
                if slot < window - 1:
                    done[job] += good
                else:
                    retry = good & behind
                    done[job] += retry
                    coded[job, slot - window + 1] |= good & ~behind
            due = r - delay
            if due >= 0:
                assert (done[due] == window - 1).all() and (n - coded[due].sum(axis=1) <= lam).all()
        return total

    return run


def decode(n, s):
    rng = numpy.random.default_rng(0)
    h = rng.normal(size=(s, n))
    h[:, -1] = -h[:, :-1].sum(axis=1)
    b = numpy.eye(n)
    for i in range(n):
        support = (i + 1 + numpy.arange(s)) % n
        b[i, support] = numpy.linalg.solve(h[:, support], -h[:, i])

    def run():
        survivors = numpy.sort(rng.permutation(n)[s:])
        return numpy.linalg.lstsq(b[survivors].T, numpy.ones(n), rcond=None)[0]

    return run


serve({"simulate": simulate, "decode": decode})
