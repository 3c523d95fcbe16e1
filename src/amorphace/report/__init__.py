"""Figures and pages: they take tables and compute nothing.

figures       accuracy_figure, save_figure: the paper's figures
"""
