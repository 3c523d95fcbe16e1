"""A cluster of Dask that a run starts: what it is like says Dask's own configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from amorphace.core.checks import Limits


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Workers that Dask starts, and ends at the end."""

    kind: Literal["slurm", "pbs", "lsf", "local"]
    """The queue; local: processes of this machine."""
    jobs: Annotated[int, Limits(least=1, most=100_000)]
    """At most; as many as there is work for."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Words of the cluster's class in dask-jobqueue, or of distributed's LocalCluster."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Dask's configuration, over that of its files: certificates, time limits."""
