"""Experiments as graphs of units of work, the store that remembers finished ones, execution."""
