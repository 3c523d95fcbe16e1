"""What can be learned from a table: arrays in, curves out.

results                     a Curve: lines of the one table of results; its CSV writer
splits, points, parallel    which rows and columns, errors of means, who does it
checks                      what may be learned from
newton, logistic, forward   many logistic regressions on one matrix at once
curves, learning_curve      accuracy against columns (figure 3) and against data (figure 6)
classifiers, probabilities  the support vector machine, calibration, ROC
selection, stability        forward selection, nested, resampled, permuted (figure 5)
ard                         Bayesian ARD regression (figure 7)
distributions               of single columns (figure 4)
fit, model, predict         a LinearModel from a table, as JSON, for any configuration
clusters, contributions     what a fitted model has learned
reading                     whether its weights may be read
everyone                    all particles of samples left out, events of shear
coarse, ridge, propensity   regression over all particles
regression                  its results, as JSON
parts, analysis, doubts     all of it, with its warnings
bundle, version_1           an Analysis as JSON, and files of 0.1
"""
