"""What can be learned from a table: arrays in, tables out.

folds         split: folds that keep every sample whole, or random ones
logistic      logistic_path, choose_strength, fit_classifier
model         LinearModel: a fitted classifier, kept as JSON
curves        accuracy_curve, accuracy_curves, default_columns: accuracy against number of columns
summary       summarize, write_csv: curves as lines of a table
"""
