"""Figures and pages.

Comes in: an analysis, tables, configurations, or a finished experiment, as a `ReportContent`.
Goes out: one self-contained page, figures for print, the numbers behind each as CSV.
It trains nothing, computes no number that is quoted, and never reads the network.

content     ReportContent, Snapshot, HealthLine, ...: what a report shows
assemble, experiment    a content from an analysis, from a finished experiment
panel, panels/          what each figure shows, described once; captions.toml holds the words
figures     panels for print (matplotlib): PDF, SVG, PNG, one style file
plots       panels as interactive plots (plotly)
numbers     the numbers behind each, as CSV
verdict, comparison     what was found in plain words, the paper's values beside ours
paper       what the paper states, from claims.toml
page        write_report: one self-contained report.html
"""
