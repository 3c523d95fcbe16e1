"""Files of particles: bytes <-> Configuration.

Comes in: the path of a file, and what types 1, 2, ... are called.
Goes out: frozen Configurations, one frame in memory at a time; numbers beside the particles.
Errors name file and line, warnings what is probably not meant. A file appears whole or not at all.
It never executes what a file says, and never guesses units.

read, iread, write    one frame, all frames, and back (files.py)
read_columns          what stands beside the particles
dump.py               LAMMPS text dumps
data.py               LAMMPS data files
extxyz.py comments.py extended XYZ: from ASE and OVITO; for OVITO, and ASE if labels are elements
hoomd.py              GSD, HOOMD-blue's format
others.py             what ASE reads
mdanalysis.py         trajectories that MDAnalysis reads
npz.py                NumPy archives, without pickle
text.py packing.py    lines of plain and packed files
table.py table.cpp    columns of tokens
frames.py             choosing a frame, errors that name the file
plausible.py          frames that are no glass of three dimensions
labels.py columns.py  which species a particle is; what may be written beside the particles
cells.py              the orientation of a cell that LAMMPS and HOOMD can write
"""

from amorphace.io.files import iread, read, read_columns, write

__all__ = ["iread", "read", "read_columns", "write"]
