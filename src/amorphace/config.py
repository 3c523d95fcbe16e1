"""Experiment files: what is simulated, labelled, described and learned."""
