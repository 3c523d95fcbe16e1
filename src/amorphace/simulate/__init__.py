"""Glasses, made and disturbed: molecular dynamics and quasistatic shear.

Comes in: a GlassModel (numbers), a protocol (Preparation, Stage, Shear: what is done), a seed.
Goes out: States, Configurations at rest and thermodynamic records, chunk by chunk, each with its
Health; from any of them a run goes on to the same last bit.
Who does it is an `Engine`: LAMMPS here or by a command (`open_lammps`), many systems in `batch`.
It never measures who moved, keeps a file, or uses an unsound run in silence.
"""

from amorphace.simulate.command import command_of_wheel, run_command
from amorphace.simulate.creation import create
from amorphace.simulate.crystal import crystal_fraction
from amorphace.simulate.dynamics import (
    Chunk,
    Record,
    Stage,
    chunk_bounds,
    run_stage,
    scale_to_density,
    stage_health,
    step_count,
)
from amorphace.simulate.engine import Engine, Motion, Mover, OpenEngine, OpenMover
from amorphace.simulate.health import Health, Tolerances, problems
from amorphace.simulate.inherent import Inherent, inherent_structure
from amorphace.simulate.lammps_engine import LammpsEngine
from amorphace.simulate.measures import (
    Plateau,
    aging,
    energy_drift,
    longest_bond,
    plateau,
)
from amorphace.simulate.models import (
    MODELS,
    GlassModel,
    bead_spring,
    find_model,
    kob_andersen,
    wahnstrom,
)
from amorphace.simulate.outside import open_lammps
from amorphace.simulate.potentials import Chains, EmbeddedAtom, InversePower, LennardJones
from amorphace.simulate.preparation import (
    Preparation,
    Progress,
    held_pressure,
    paper_shear,
    paper_thermal,
    preparation_health,
    preparation_steps,
    prepare,
)
from amorphace.simulate.shear import (
    Shear,
    ShearState,
    ShearStep,
    shear_steps,
    start_shear,
)
from amorphace.simulate.state import State, derive_seed, temperature, thermal_velocities
from amorphace.simulate.thermal import (
    REPLICAS,
    Replica,
    geometric_times,
    replica_stage,
    replicas,
    start_replica,
)

__all__ = [
    "MODELS",
    "REPLICAS",
    "Chains",
    "Chunk",
    "EmbeddedAtom",
    "Engine",
    "GlassModel",
    "Health",
    "Inherent",
    "InversePower",
    "LammpsEngine",
    "LennardJones",
    "Motion",
    "Mover",
    "OpenEngine",
    "OpenMover",
    "Plateau",
    "Preparation",
    "Progress",
    "Record",
    "Replica",
    "Shear",
    "ShearState",
    "ShearStep",
    "Stage",
    "State",
    "Tolerances",
    "aging",
    "bead_spring",
    "chunk_bounds",
    "command_of_wheel",
    "create",
    "crystal_fraction",
    "derive_seed",
    "energy_drift",
    "find_model",
    "geometric_times",
    "held_pressure",
    "inherent_structure",
    "kob_andersen",
    "longest_bond",
    "open_lammps",
    "paper_shear",
    "paper_thermal",
    "plateau",
    "preparation_health",
    "preparation_steps",
    "prepare",
    "problems",
    "replica_stage",
    "replicas",
    "run_command",
    "run_stage",
    "scale_to_density",
    "shear_steps",
    "stage_health",
    "start_replica",
    "start_shear",
    "step_count",
    "temperature",
    "thermal_velocities",
    "wahnstrom",
]
