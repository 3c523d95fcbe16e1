"""A score for the particles of any glass, by a model that says what it is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from amorphace.core.bridges import as_configuration
from amorphace.core.codec import decode, encode
from amorphace.core.configuration import Configuration
from amorphace.core.display import html_table
from amorphace.core.errors import FileFormatError, InputError
from amorphace.core.records import read_json, write_json
from amorphace.dataset.files import unit
from amorphace.dataset.label_thermal import majority_species
from amorphace.dataset.plausible import warn
from amorphace.learn.model import AGAIN, LinearModel
from amorphace.learn.model import FORMAT as LINEAR
from amorphace.learn.predict import iter_scores
from amorphace.learn.scored import unlike
from amorphace.learn.worth import Score
from amorphace.observe.structure import first_peak

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from amorphace.report.content import Snapshot

FORMAT = "amorphace predictor"
FORMAT_VERSION = 1

SIGMA_DIGITS = 3
"""Of a length that is found from g(r)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Card:
    """What one must know of a model to use it.

    Attributes
    ----------
    title : str
        The glass, and how its particles were moved.
    scores : tuple of Score
    peak : float
        First peak of g(r) of the majority species in the glass that was learned from, in the
        model's unit of length; NaN when not known.
    state : str
        Temperature and density, in the model's units.
    units : str
        In words.
    structure : str
        What is to be scored, such as "inherent structures".
    limits : str
        Where the model is not to be trusted.
    source : str
        Of the configurations.
    doubts : tuple of str
        What makes the scores uncertain.
    provenance : mapping of str to JSON value
    """

    title: str = ""
    scores: tuple[Score, ...] = ()
    peak: float = float("nan")
    state: str = ""
    units: str = ""
    structure: str = ""
    limits: str = ""
    source: str = ""
    doubts: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class Predictor:
    """A fitted classifier with what is known of it.

    Attributes
    ----------
    model : LinearModel
    card : Card
    unseen : Snapshot, optional
        A sample with what its particles did and the score of a model that has not seen it; known
        after `fit`, and not saved.
    """

    model: LinearModel
    card: Card = Card()
    unseen: Snapshot | None = None

    @property
    def scores(self) -> tuple[Score, ...]:
        """What the model is worth on samples that it has not seen."""
        return self.card.scores

    def score(
        self,
        glass: Any,
        *,
        sigma: float | Literal["auto"] = 1.0,
        species: Sequence[str] | None = None,
        n_jobs: int | None = None,
    ) -> NDArray[np.float64]:
        """The score of every particle: the larger, the sooner it will rearrange.

        Parameters
        ----------
        glass : Configuration or object
            Prepared as what the model learned from. Also of ASE (Atoms), OVITO (DataCollection) or
            MDAnalysis (Universe, AtomGroup); freud's box and points become one by
            `Configuration.from_freud`.
        sigma : float or "auto"
            The model's unit of length in that of the glass; "auto" compares the first peaks of the
            majority's g(r).
        species : sequence of str, optional
            What the glass calls the model's species, in their order, such as ("Cu", "Zr").
        n_jobs : int, optional
            Threads; None is 1, -1 is all processors.

        Returns
        -------
        ndarray of shape (n_particles,)
            From 0 to 1, a rank rather than a probability; NaN for species of which the model
            predicts nothing. See `amorphace.learn.predict.score`.

        Raises
        ------
        InputError
            If the glass is not usable, or holds a species that the model does not know.

        Warns
        -----
        InputWarning
            If the glass is unlike that which the model learned from.
        """
        found = as_configuration(glass)
        (scored,) = iter_scores(
            self.model,
            [found],
            species=species,
            sigma=self.sigma(found, sigma, species),
            n_jobs=n_jobs,
        )
        warn(self.unlike(int(scored.outside.sum()), int(np.isfinite(scored.score).sum())))
        return scored.score

    def unlike(self, n_outside: int, n_scores: int) -> list[str]:
        """A sentence for a glass unlike what the model learned from; see `learn.scored.unlike`."""
        from_what = f" The model learned from {self.card.structure}." if self.card.structure else ""
        return [doubt + from_what for doubt in unlike(n_outside, n_scores)]

    def sigma(
        self,
        glass: Configuration,
        given: float | str = "auto",
        species: Sequence[str] | None = None,
    ) -> float:
        """The model's unit of length in that of a glass, given or from the first peaks of g(r).

        The peaks are those of the species that is scored.

        Raises
        ------
        InputError
            If what is given is no positive number, or the model does not know its peak.
        """
        if given != "auto":
            return unit(str(given), glass)
        if not np.isfinite(self.card.peak):
            raise InputError(
                "the model does not say where g(r) of its glass has its first peak, by which a "
                "unit is recognised; give sigma (--sigma) as a number"
            )
        names = dict(zip(self.model.settings["species"], species or (), strict=False))
        kind = next((names.get(label, label) for label in self.model.centres), None)
        ratio = first_peak(glass, majority_species(glass.species, kind)) / self.card.peak
        return float(f"{ratio:.{SIGMA_DIGITS}g}")

    def plot(
        self,
        glass: Any = None,
        *,
        sigma: float | Literal["auto"] = 1.0,
        species: Sequence[str] | None = None,
    ) -> Figure:
        """A slice of a glass: who moved beside who was expected to, or the score alone.

        Parameters
        ----------
        glass : Configuration or object, optional
            As for `score`; when left out, the sample left out whose correlation is the median one.
        sigma, species
            As for `score`.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        InputError
            If there is nothing to draw: a model that was loaded has no sample.
        """
        from amorphace.front.view import slices
        from amorphace.report.content import Snapshot

        if glass is not None:
            found = as_configuration(glass)
            score = self.score(found, sigma=sigma, species=species)
            return slices(Snapshot(name="", configuration=found, columns={"score": score}))
        if self.unseen is None:
            raise InputError(
                "a model that was loaded holds no sample to draw; give one: model.plot(glass)"
            )
        return slices(self.unseen)

    def save(self, path: str | Path) -> None:
        """Write the model as JSON; the file appears whole or not at all."""
        fields = {"card": encode(self.card), "model": encode(self.model)}
        write_json(path, {"format": FORMAT, "format_version": FORMAT_VERSION} | fields)

    def __repr__(self) -> str:
        words = self.model.settings
        lines = [
            f"Predictor({self.card.title or 'a fitted model'}: {len(self.model.names)} features, "
            f"cutoff {words.get('cutoff')}, of {', '.join(self.model.centres) or 'the majority'})"
        ]
        return "\n  ".join([*lines, *map(str, self.scores), *self.card.doubts])

    def _repr_html_(self) -> str:
        rows = [
            (s.name, f"{s.mean:.3f} ± {s.error:.3f}", f"{s.chance:g}", s.n, s.of)
            for s in self.scores
        ]
        head = ("on samples left out", "mean ± 68 %", "chance", "n", "of")
        doubts = "".join(f"<p>{escape(doubt)}</p>" for doubt in self.card.doubts)
        return html_table(head, rows, self.card.title) + doubts


def shipped_models() -> tuple[str, ...]:
    """Names of the models that come with amorphace."""
    entries = files("amorphace").joinpath("models").iterdir()
    return tuple(sorted(e.name.removesuffix(".json") for e in entries if e.name.endswith(".json")))


def load_model(name_or_path: str | Path) -> Predictor:
    """A model that comes with amorphace, or one that was saved.

    Parameters
    ----------
    name_or_path : str or Path
        One of `shipped_models`, such as "kob-andersen"; or what `Predictor.save` or
        `amorphace learn` (model.json) wrote.

    Raises
    ------
    FileFormatError
        If there is neither such a name nor such a file, or it is no model.
    """
    names = shipped_models()
    if str(name_or_path) in names:
        path = Path(str(files("amorphace").joinpath("models", f"{name_or_path}.json")))
    else:
        path = Path(name_or_path)
        if not path.exists():
            near = get_close_matches(str(name_or_path), names, 1)
            raise FileFormatError(
                path,
                "neither a file nor a model that comes with amorphace"
                f"{f'; did you mean {near[0]}?' if near else ''} There are: {', '.join(names)}",
            )
    found = read_json(path, again=AGAIN)
    if isinstance(found, dict) and found.get("format") == LINEAR:
        model = LinearModel.from_json(path)
        return Predictor(model=model, card=Card(scores=model.scores))
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise FileFormatError(
            path, f"JSON, but not a model with the format {FORMAT!r} or {LINEAR!r}"
        )
    if found.get("format_version") != FORMAT_VERSION:
        raise FileFormatError(
            path,
            f"a model of format version {found.get('format_version')}; this program reads version "
            f"{FORMAT_VERSION}",
        )
    return Predictor(
        model=decode(LinearModel, found.get("model"), source=path, again=AGAIN),
        card=decode(Card, found.get("card"), source=path, again=AGAIN),
    )
