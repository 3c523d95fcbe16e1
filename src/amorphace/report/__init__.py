"""Figures and pages.

Comes in: an analysis, tables, configurations, or a finished experiment, as a `ReportContent`.
Goes out: one self-contained page, figures for print, the numbers behind each as CSV.
It trains nothing, computes no number that is quoted, and never reads the network.

content     ReportContent, Snapshot, HealthLine: what a report shows
measured    curves of what is measured besides: g(r), Fs, stress and strain, the radial basis
assemble, experiment    a content from an analysis, from a finished experiment
figures.toml    the page and its figures, in their order: captions, and all of most figures
panel, panels/          what each figure shows, described once
figures     panels for print (matplotlib): PDF, SVG, PNG, one style file
plots       panels as interactive plots (plotly)
numbers     the numbers behind each, as CSV
claims, claims.toml     what the paper states, and what is found of it
verdict     what was found, in plain words
outline, document   what a page holds, of one case or of several
page, view, templates/  write_report: one self-contained .html, or .md with its pictures
"""
