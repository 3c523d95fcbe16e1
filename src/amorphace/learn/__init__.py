"""What can be learned from a table: arrays in, tables out.

folds         split: folds that keep every sample whole, or random ones
logistic      logistic_path, choose_strength, fit_classifier
model         LinearModel: a fitted classifier, kept as JSON
curves        accuracy_curve, accuracy_curves, default_columns: accuracy against number of columns
summary       summarize, write_csv: curves as lines of a table
predict       score, iter_scores, write_scores: a model's probability for every particle
clusters      cluster_functions, contributions: what a fitted model has learned
coarse        coarse_grained: averages of features over neighbours
propensity    propensity_score, propensity_curve: regression over all particles
"""
