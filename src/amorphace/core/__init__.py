"""What every room shares: configurations, sites, neighbours; files, digests, records; errors.

Comes in: arrays, paths, dataclasses. Goes out: checked frozen values, and files that appear whole
or not at all, written and read by one codec (`codec`, `records`).
It knows no physics beyond a periodic cell, imports no other room, and never executes what it reads.
"""
