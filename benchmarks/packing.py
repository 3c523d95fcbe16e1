"""Relaxed random packings: what the benchmarks describe."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from amorphace import Configuration


def packing(
    n_particles: int, density: float, *, fraction_b: float = 0.0, seed: int = 0, steps: int = 30
) -> Configuration:
    """Random particles in a cubic cell, pushed apart by harmonic repulsion at short distance.

    Parameters
    ----------
    n_particles : int
    density : float
        Particles per sigma^3.
    fraction_b : float
        Of particles that are B instead of A.
    seed : int
    steps : int
        Of steepest descent.
    """
    rng = np.random.default_rng(seed)
    edge = (n_particles / density) ** (1 / 3)
    diameter = 0.98 * density ** (-1 / 3)
    x = rng.uniform(0, edge, (n_particles, 3))
    for _ in range(steps):
        pairs = KDTree(x % edge, boxsize=edge).query_pairs(diameter, output_type="ndarray")
        d = x[pairs[:, 1]] - x[pairs[:, 0]]
        d -= edge * np.round(d / edge)
        r = np.linalg.norm(d, axis=1)
        push = (0.25 * (diameter - r) / np.maximum(r, 1e-9))[:, None] * d
        for axis in range(3):
            x[:, axis] += np.bincount(pairs[:, 1], push[:, axis], n_particles)
            x[:, axis] -= np.bincount(pairs[:, 0], push[:, axis], n_particles)
    species = np.where(np.arange(n_particles) < round(fraction_b * n_particles), "B", "A")
    return Configuration(positions=x % edge, species=species, cell=edge)
