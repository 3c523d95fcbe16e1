"""From files to a score in a few lines; `import amorphace as am` shows all of it.

Comes in: patterns of files, configurations of any package, names of models.
Goes out: samples, a fitted `Predictor` that knows what it is worth, views for a notebook.
It computes nothing of its own: labels, features, folds and scores are those of the rooms below,
and the same as those of the commands.

samples       load: which files are of one sample
fit           fit: labels, features and a classifier, judged on samples left out
view          view: a glass in three dimensions; slices of it
predictor     Predictor, load_model: a score for any glass; models that come with amorphace
"""
