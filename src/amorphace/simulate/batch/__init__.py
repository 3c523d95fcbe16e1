"""Many systems of one model at a time, on a GPU or the CPU, by NVIDIA Warp.

boxes, state, neighbours, laws, forces: what systems are and what acts between their particles.
Nothing but this folder imports `warp`, and nothing imports this folder before it is asked for.
"""
