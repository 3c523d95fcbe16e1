"""Who moved, and when: measurements on configurations of the same particles.

Comes in: a reference and later configurations. Goes out: arrays with a value for each particle or
time, in units of sigma and of the model's time.
It applies no threshold, labels nobody, and never reads or writes a file.

displacements.py   displacements, nearest images, unwrapping
d2min.py           the Falk-Langer non-affine residual, per particle
propensity.py      isoconfigurational averages of displacement and D2min
pair_correlation.py  g(r) of every pair of species
relaxation.py      mean squared displacement, Fs(q, t), relaxation time
structure.py      first peak and minimum of g(r), nearest pair, neighbours within a cutoff
"""
