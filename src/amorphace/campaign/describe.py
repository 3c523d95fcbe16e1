"""describe: the table of the labelled sites, with their features at every cutoff."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from amorphace.ace.features import Features
from amorphace.campaign.given import noted
from amorphace.campaign.glass import unit_provenance
from amorphace.campaign.label import labels_of, samples_of
from amorphace.campaign.measure import reference_of, sheared_of
from amorphace.config import OwnGlass
from amorphace.core.codec import encode
from amorphace.core.configuration import Configuration
from amorphace.core.sites import Sites
from amorphace.dataset.describe import (
    Sample,
    event_sites,
    labelled_rows,
    sample_sites,
    write_features,
)
from amorphace.dataset.table import Table
from amorphace.dataset.zarr_table import read_table
from amorphace.runs.job import Input, Job
from amorphace.runs.unit import Cores, Kind, Outcome, Role
from amorphace.simulate.models import GlassModel

if TYPE_CHECKING:
    from amorphace.ace.descriptor import ACEDescriptor

TABLE = "table.zarr"


@dataclass(frozen=True, kw_only=True)
class DescribeParameters:
    """Parameters of `DescribeThermal` and `DescribeShear`."""

    model: GlassModel | OwnGlass
    samples: tuple[str, ...]
    features: Features


@dataclass(frozen=True)
class DescribeResults:
    """Small results of `DescribeThermal` and `DescribeShear`; columns are those of one cutoff."""

    n_sites: int
    n_columns: int
    doubts: tuple[str, ...] = ()


def describe_labelled(
    path: Path,
    labels: Table,
    find: Callable[[Table], Iterator[Sites]],
    descriptors: Sequence[ACEDescriptor],
    *,
    provenance: dict[str, Any],
    report: Callable[[float, float, str], object],
) -> DescribeResults:
    """Write the table of the labelled sites.

    Parameters
    ----------
    path : Path
        Of the table.
    labels : Table
    find : callable
        Gives the sites of the rows of a table, in their order.
    descriptors : sequence of ACEDescriptor
    provenance : dict
    report : callable
        Called with sites done, in all, and in words.
    """
    table = labelled_rows(labels, centres=None, provenance=provenance)
    done, total = [0], len(table) * len(descriptors)

    def progress(n: int) -> None:
        done[0] += n
        report(done[0], total, "features")

    with noted() as doubts:
        sites = Sites.concatenate(find(table))
    write_features(path, table, sites, descriptors, progress=progress)
    return DescribeResults(len(table), descriptors[0].n_features_out, tuple(doubts))


class _Describe(Kind[DescribeParameters, Table]):
    """What both protocols have in common."""

    name = "describe"
    parameters = DescribeParameters
    results = DescribeResults
    cores = Cores.ALL

    @abstractmethod
    def sites(self, samples: Mapping[str, Input], rows: Table) -> Iterator[Sites]:
        """The sites of the rows of a table, in the inputs of its samples."""

    def do(self, job: Job[DescribeParameters]) -> Outcome:
        """See `describe_labelled`."""
        p = job.parameters
        descriptors = p.features.descriptors(p.model.species, n_jobs=job.n_jobs)
        given = encode(p.features) | {"species": list(p.model.species), "sort": descriptors[0].sort}
        return Outcome(
            results=describe_labelled(
                job.folder / TABLE,
                labels_of(job),
                partial(self.sites, samples_of(job)),
                descriptors,
                provenance=unit_provenance(job, p.model, **given),
                report=job.report,
            )
        )

    def sentence(self, outcome: Outcome) -> str:
        """Sites and columns."""
        r: DescribeResults = outcome.results
        return f"{r.n_sites} sites, {r.n_columns} columns"

    def load(self, folder: Path) -> Table:
        """The table."""
        return read_table(folder / TABLE)


class DescribeThermal(_Describe):
    """Features of the most and the least mobile particles, in the configuration of each sample."""

    inputs: ClassVar = {"label": Role(), "reference": Role(some=True, digests=False)}

    def sites(self, samples: Mapping[str, Input], rows: Table) -> Iterator[Sites]:
        """Sites sample by sample."""
        found = [Sample(name, reference_of(samples[name])) for name in rows.sample_names]
        return sample_sites(rows, found)


class DescribeShear(_Describe):
    """Features before events."""

    inputs: ClassVar = {"label": Role(), "shear": Role(some=True, digests=False)}

    def sites(self, samples: Mapping[str, Input], rows: Table) -> Iterator[Sites]:
        """Sites event by event, each in the configuration before it."""
        before: dict[tuple[str, int], Configuration] = {}
        for k, name in enumerate(rows.sample_names):
            wanted = set(rows.step[rows.sample == k].tolist())
            for step in sheared_of(samples[name]).data_steps() if wanted else ():
                if step.step in wanted:
                    before[name, step.step] = step.before
        return event_sites(rows, lambda name, step: before[name, step])
