"""Who moved, and when: measurements on configurations of the same particles.

displacements.py   displacements, nearest images, unwrapping
d2min.py           the Falk-Langer non-affine residual, per particle
propensity.py      isoconfigurational averages of displacement and D2min
pair_correlation.py  g(r) of every pair of species
relaxation.py      mean squared displacement, Fs(q, t), relaxation time
structure.py      first peak and minimum of g(r), nearest pair, neighbours within a cutoff
"""
