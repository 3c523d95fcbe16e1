"""What can be learned from a table: arrays in, results out.

Comes in: a `Table`, or X, y and the samples that sites are of. Goes out: frozen results, a
`LinearModel`, JSON and CSV. Folds keep samples whole, and the same seed gives the same bytes.
It never looks at a test fold before the end, and never draws.

folds, points, parallel     which rows and columns, and who does it
newton, logistic, forward   many logistic regressions on one matrix at once
curves, learning_curve      accuracy against columns (figure 3) and against data (figure 6)
classifiers, probabilities  the support vector machine, calibration, ROC
selection                   forward selection and its stability (figure 5)
regression                  Bayesian ARD regression (figure 7)
distributions               of single columns (figure 4)
fit, model, predict         a LinearModel from a table, as JSON, for any configuration
clusters, contributions     what a fitted model has learned
coarse, ridge, propensity   regression over all particles
analysis, doubts, bundle    all of it, with its warnings, as JSON
tables, summary, folder     the same as lines of tables, and as CSV
"""
