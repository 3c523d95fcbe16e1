"""Experiments as graphs of units: one file for each kind, and the plan that joins them.

An `Experiment` comes in, a `Plan` goes out, which the runner carries out: prepare, inherent, relax,
lag, replica, shear simulate; measure, label, describe, learn draw the conclusions, from what the
simulations kept. The work itself is done by plain functions that need no runner; nothing here
decides where a unit runs or whether it is there already.
"""
