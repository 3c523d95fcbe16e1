"""The generic runner: pure units of work, whole in a store or absent, done by any process.

A graph of units comes in and finished folders go out, named by a digest of what determines them.
Programs that share a store share the work, and whatever ends one, the next goes on from there.
It knows no physics, imports `core` alone, and never trusts a file that it did not check.
"""
