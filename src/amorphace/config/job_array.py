"""Files with which an experiment goes to a cluster: the job array, and the table [cluster]."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from amorphace.core.errors import InputError

SLURM_ARRAY = """\
#!/bin/bash
# A job array that shares {name}.toml, with no server: sbatch {name}.slurm.sh
# Every task claims units in the store and goes on until all are done, so tasks may start late,
# end early, run twice or never come; submit it again to go on.
#SBATCH --job-name={name}
#SBATCH --array=1-32
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --mem=4G
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@60
#SBATCH --output={name}.%A_%a.log
set -euo pipefail
cd "${{SLURM_SUBMIT_DIR:-.}}"

first=${{SLURM_ARRAY_TASK_MIN:-1}}
count=${{SLURM_ARRAY_TASK_COUNT:-1}}
step=${{SLURM_ARRAY_TASK_STEP:-1}}
shard=$(( (${{SLURM_ARRAY_TASK_ID:-1}} - first) / step + 1 ))

# exec: the signal of --signal reaches amorphace, which gives its claims back
exec amorphace run {name}.toml --shard "$shard/$count" \\
  --workers "${{SLURM_CPUS_PER_TASK:-1}}" --leave 600
"""

SLURM_DASK = """
# Workers of Dask as jobs of SLURM, from one program on the login node: take the marks away and
# run "amorphace run {name}.toml" there. Install amorphace[cluster].
# [cluster]
# kind = "slurm"
# jobs = 32  # At most; as many as there is work for
# [cluster.options]  # Words of dask_jobqueue.SLURMCluster
# cores = 16  # Of a job, each a worker; with run.cores_per_unit = 8, two workers of 8 cores
# memory = "32GB"
# walltime = "24:00:00"
# queue = "standard"
# account = "project"
# interface = "ib0"  # Network of the nodes: scheduler and workers listen there
# worker_extra_args = ["--lifetime", "23h"]  # Workers end before their job does
# [cluster.config]  # Encryption: anyone who reaches a scheduler without it can run programs as you
# distributed.comm.tls.ca-file = "ca.pem"
# distributed.comm.tls.scheduler = {{ cert = "dask.pem", key = "dask-key.pem" }}
# distributed.comm.tls.worker = {{ cert = "dask.pem", key = "dask-key.pem" }}
# distributed.comm.tls.client = {{ cert = "dask.pem", key = "dask-key.pem" }}
"""


def write_cluster_files(folder: Path, name: str, experiment: str, kind: str) -> Iterator[Path]:
    """Write an experiment file and a script that submits it.

    Parameters
    ----------
    folder : Path
        Made when it is not there.
    name : str
        Of the files, without an ending.
    experiment : str
        Text of the experiment file; the table [cluster] is added as a comment.
    kind : {"slurm"}

    Yields
    ------
    Path
        Each file.

    Raises
    ------
    InputError
        If the kind is unknown, or a file is there already.
    """
    if kind != "slurm":
        raise InputError(f"unknown cluster {kind!r}; choose slurm")
    texts = {
        folder / f"{name}.toml": experiment + SLURM_DASK.format(name=name),
        folder / f"{name}.slurm.sh": SLURM_ARRAY.format(name=name),
    }
    for file in texts:
        if file.exists():
            raise InputError(f"{file} is there already; give another folder with -o")
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        file.write_text(text, encoding="utf-8")
        yield file
