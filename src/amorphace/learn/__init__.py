"""What can be learned from a table: arrays in, tables out.

folds         split: folds that keep every sample whole, or random ones
analysis      analyse, read_analysis, write_analysis, analysis_tables: all of the paper's figures
logistic      logistic_path, choose_strength, fit_classifier
newton        Problem, Solver: many logistic regressions on one matrix at once
model         LinearModel: a fitted classifier, kept as JSON
fit           fit_model: from a table to a LinearModel
curves        accuracy_curve, accuracy_curves, pca_curve: accuracy against number of columns
classifiers   compare_classifiers, calibration: logistic regression, support vector machine
selection     forward_selection, selection_stability: columns in order of what they add
learning_curve, regression, distributions    figures 6, 7 and 4
bundle, codec, tables    Analysis as frozen dataclasses, as JSON, as lines of a table
summary       summarize, write_csv: accuracy curves as lines of a table
predict       score, iter_scores, write_scores: a model's probability for every particle
clusters      cluster_functions, contributions: what a fitted model has learned
coarse        coarse_grained: averages of features over neighbours
propensity    propensity_score, propensity_curve: regression over all particles
"""
