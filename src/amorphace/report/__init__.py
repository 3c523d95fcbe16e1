"""Figures and pages: they take results and compute nothing.

content     ReportContent, Snapshot, HealthLine, ...: what a report shows
figures     the paper's figures for print (matplotlib): PDF, SVG, PNG, one style file
plots       the same as interactive plots (plotly)
numbers     the numbers behind each, as CSV
verdict     what was found in plain words, the paper's values beside ours
paper       what the paper states in numbers
cards       sections of the page with captions
page        write_report: one self-contained report.html
"""
