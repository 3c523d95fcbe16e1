"""The atomic cluster expansion: which columns, what they mean, how they are computed.

Comes in: `Sites`, and the words of a basis (`Features`). Goes out: a matrix of features, a name
and a row of integers for each of its columns.
It learns nothing, knows no labels, and never changes what it is given.

basis         which columns there are, and their names
radial        R_n(r) and the distance transforms
angular       real spherical harmonics, Wigner 3j symbols
coupling      invariant couplings of any order, and how many there are
purification  the constant matrix T with B_pure = T B
clusters      cluster functions v1, v2, v3 of a linear model
reference     the features in plain numpy: slow, readable, the truth that tests compare with
features      the words of a descriptor, for several cutoffs
descriptor    the scikit-learn face
"""
