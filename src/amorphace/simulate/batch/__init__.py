"""Many systems of one model at a time, on a GPU or the CPU, by NVIDIA Warp.

| | |
|---|---|
| `boxes`, `packed`, `state` | boxes and separations; systems in slots |
| `neighbours`, `lists` | full lists, made anew for a system when it needs one; their memory |
| `laws`, `bonds`, `forces` | what acts between particles |
| `motions`, `dynamics`, `pushoff` | molecular dynamics, with thermostat and barostat |
| `search`, `minimise` | conjugate gradients |
| `requests`, `engine`, `crew` | an `Engine` for protocols; many of them side by side |
| `devices`, `speed` | what devices are called; how fast they are |

Nothing but this folder imports `warp`, and nothing imports this folder before it is asked for.
"""
