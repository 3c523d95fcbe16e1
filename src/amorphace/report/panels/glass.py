"""What stands beside the analysis: radial functions, slices, the runs, regression of propensity."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from amorphace.dataset.label_thermal import majority_species
from amorphace.report.content import (
    ReportContent,
    Snapshot,
    colour_range,
    slice_rows,
)
from amorphace.report.numbers import Numbers
from amorphace.report.palette import DASHES
from amorphace.report.panel import Axis, Colours, Discs, Line, Panel, Rule
from amorphace.report.panels.making import captioned, line_numbers, shows
from amorphace.report.words import DISTANCE, PEARSON, quantity, target_name


@shows("figure-1")
def radial(content: ReportContent) -> Iterator[Panel]:
    """Radial basis functions R_n(r) (Fig. 1)."""
    r = content.radial
    if r is None:
        return
    lines = tuple(
        Line(name=f"{k + 1}", x=r.r, y=R, k=k, dash=DASHES[k % len(DASHES)])
        for k, R in enumerate(r.R.T)
    )
    transform = content.settings.get("distance_transform")
    panel = Panel(
        name="figure-1-radial",
        x=Axis(label=DISTANCE, low=0.0, high=r.cutoff),
        y=Axis(label="Rₙ(r)"),
        lines=lines,
        legend="n",
        corner="upper right",
        numbers=line_numbers("n r R", lines),
    )
    words = f", distance transform “{transform}”" if transform else ""
    yield captioned(panel, {"n": r.R.shape[1], "cutoff": r.cutoff, "transform": words})


@shows("figure-2")
def slices(content: ReportContent) -> Iterator[Panel]:
    """A slice one diameter thick, coloured by D2min, of the first snapshot of each protocol."""
    first: dict[str, Snapshot] = {}
    for s in content.snapshots:
        if "d2min" in s.columns:
            first.setdefault(s.protocol, s)
    for k, s in enumerate(first.values(), start=1):
        panel = slice_panel(s, name="figure-2-slices" + (f"-{k}" if k > 1 else ""))
        words = {"protocol": s.protocol, "name": s.name, "about": s.caption}
        yield captioned(panel, words, "figure-2-slices")


def slice_panel(
    snapshot: Snapshot, column: str = "d2min", *, axis: int = 2, name: str = "slice"
) -> Panel:
    """Particles of the majority species in a slice, coloured by a column.

    Parameters
    ----------
    snapshot : Snapshot
    column : str
        The colours range from its smallest value of the species to the 98th percentile.
    axis : int
        Which cell vector the slice cuts.
    name : str
        Of the panel.
    """
    x, y = (k for k in range(3) if k != axis)
    glass = snapshot.configuration.wrapped()
    kind = majority_species(glass.species)
    rows = slice_rows(glass, axis=axis, species=[kind])
    at = glass.positions
    back = rows[np.argsort(at[rows, axis], kind="stable")]  # nearer ones cover those behind
    low, high = colour_range(snapshot.columns[column][glass.species == kind])
    return Panel(
        name=name,
        title=snapshot.protocol,
        x=Axis(label=f"{'xyz'[x]} / σ"),
        y=Axis(label=f"{'xyz'[y]} / σ"),
        discs=Discs(
            x=at[back, x],
            y=at[back, y],
            values=snapshot.columns[column][back],
            ids=glass.ids[back],
            diameter=float(snapshot.diameters.get(kind, 1.0)),
        ),
        colours=Colours(label=quantity(column), low=low, high=high),
        equal=True,
        wide=False,
        numbers=Numbers(
            columns=("particle", "species", "x", "y", "z", *snapshot.columns),
            rows=tuple(
                (
                    int(glass.ids[k]),
                    str(glass.species[k]),
                    *at[k].tolist(),
                    *(float(c[k]) for c in snapshot.columns.values()),
                )
                for k in rows
            ),
        ),
    )


@shows("propensity")
def propensity(content: ReportContent) -> Iterator[Panel]:
    """Correlation on unseen samples against the number of training samples."""
    curves = content.propensity_curves
    if not curves:
        return
    panel = Panel(
        name="propensity-curve",
        x=Axis(label="training samples"),
        y=Axis(label=f"{PEARSON}, unseen samples"),
        lines=tuple(
            Line(
                name=f"{target_name(c.target, c.log)}: {c.inputs}, {c.head}",
                x=c.n_train,
                y=c.pearson.mean(axis=1),
                spread=c.pearson.std(axis=1, ddof=1),
                k=k,
                markers=True,
            )
            for k, c in enumerate(curves)
        ),
        numbers=Numbers.of(
            "target inputs head n_train test_sample pearson spearman",
            (
                (c.target, c.inputs, c.head, int(n), s + 1, c.pearson[p, s], c.spearman[p, s])
                for c in curves
                for p, n in enumerate(c.n_train)
                for s in range(c.pearson.shape[1])
            ),
        ),
    )
    yield captioned(panel, {})


@shows("runs")
def stress_strain(content: ReportContent) -> Iterator[Panel]:
    """Shear stress against strain; a triangle marks every event."""
    runs = content.stress_strain
    if not runs:
        return
    curves = [Line(name=r.name, x=r.strain, y=r.stress, k=k) for k, r in enumerate(runs)]
    events = [
        Line(
            name=f"events of {r.name}" if len(runs) == 1 else "",
            x=r.events,
            y=np.interp(r.events, r.strain, r.stress),
            k=k,
            markers=True,
            marker="^",
            joined=False,
            hollow=np.ones(len(r.events), dtype=bool),
        )
        for k, r in enumerate(runs)
        if len(r.events)
    ]
    panel = Panel(
        name="stress-strain",
        x=Axis(label="shear strain γ", low=0.0, high=max(float(r.strain.max()) for r in runs)),
        y=Axis(label="shear stress / (ε σ⁻³)"),
        lines=(*curves, *events),
        corner="lower right",
        numbers=Numbers.of(
            "sample strain stress energy",
            (
                (r.name, r.strain[k], r.stress[k], None if r.energy is None else r.energy[k])
                for r in runs
                for k in range(len(r.strain))
            ),
        ),
    )
    yield captioned(panel, {})


@shows("runs")
def relaxation(content: ReportContent) -> Iterator[Panel]:
    """Self-intermediate scattering function; the dotted line is 1/e."""
    runs = content.relaxation
    if not runs:
        return
    lines = tuple(
        Line(name=r.name, x=r.time[r.time > 0], y=r.fs[r.time > 0], k=k)
        for k, r in enumerate(runs)  # a logarithmic axis has no zero
    )
    panel = Panel(
        name="relaxation",
        x=Axis(label="time t / τ_LJ", log=True),
        y=Axis(label="Fₛ(q, t)", high=1.02),
        lines=lines,
        rules=(Rule(at=float(np.exp(-1)), across="y", dash="dotted"),),
        corner="lower left",
        numbers=Numbers.of(
            "sample time Fs",
            ((r.name, t, f) for r in runs for t, f in zip(r.time, r.fs, strict=True)),
        ),
    )
    q = runs[0].wavenumber
    yield captioned(panel, {"wavenumber": "" if q is None else f" at q = {q:g} / σ"})


@shows("runs")
def pair_correlations(content: ReportContent) -> Iterator[Panel]:
    """g(r) by species, with the cutoffs of the features."""
    found = content.pair_correlations
    if not found:
        return
    lines = tuple(
        Line(name=" ".join(p.species), x=p.r, y=p.g, k=k, dash=DASHES[k % len(DASHES)])
        for k, p in enumerate(found)
    )
    reach = float(found[0].r[-1])
    cutoffs = {c.cutoff for c in content.analysis.curves("accuracy")} if content.analysis else set()
    panel = Panel(
        name="pair-correlation",
        x=Axis(label=DISTANCE, low=0.0, high=reach),
        y=Axis(label="g(r)", low=0.0),
        lines=lines,
        rules=tuple(Rule(at=c, dash="dotted") for c in sorted(filter(None, cutoffs)) if c < reach),
        corner="upper right",
        numbers=line_numbers("species r g", lines),
    )
    name = content.snapshots[0].name if content.snapshots else "a configuration"
    yield captioned(panel, {"name": name})
