"""Experiment files: their sections, and presets of the paper's six cases at four scales."""

from amorphace.config.presets import PROTOCOLS, SCALES, experiment_text
from amorphace.config.sections import Experiment, model_of, read_experiment

__all__ = [
    "PROTOCOLS",
    "SCALES",
    "Experiment",
    "experiment_text",
    "model_of",
    "read_experiment",
]
