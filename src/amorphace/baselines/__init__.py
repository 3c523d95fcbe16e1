"""What others describe an environment by, to set the cluster expansion beside.

Comes in: Sites, the species in order, a cutoff, and the model where it is known.
Goes out: `Baseline`s: for each family a matrix with a row for each site, and names of its columns.
All are invariant under translation, rotation, reflection and the order of the particles.
It never sees a label, and nothing in the package needs it: the scores are compared in `learn`.

local.py      densities smoothed over a length, coordination numbers, tetrahedrality
voronoi.py    volumes and faces of Voronoi cells, bond order q4 and q6
entropy.py    two-body excess entropy
symmetry.py   radial and angular symmetry functions of Behler and Parrinello
families.py   all of them on some sites, the power spectrum of SOAP and the potential energy too
"""

from amorphace.baselines.entropy import excess_entropy
from amorphace.baselines.families import Baseline, baselines, power_spectrum
from amorphace.baselines.local import coordination, local_density, tetrahedrality
from amorphace.baselines.symmetry import angular_functions, radial_functions
from amorphace.baselines.voronoi import voronoi_cells

__all__ = [
    "Baseline",
    "angular_functions",
    "baselines",
    "coordination",
    "excess_entropy",
    "local_density",
    "power_spectrum",
    "radial_functions",
    "tetrahedrality",
    "voronoi_cells",
]
