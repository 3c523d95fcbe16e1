"""What devices are called."""

from __future__ import annotations

import warp as wp


def device_name(device: str) -> str:
    """What its driver calls "cuda" or "cuda:1", such as "NVIDIA H200"; empty if it is not here."""
    wp.config.log_level = wp.LOG_ERROR
    cards, number = wp.get_cuda_devices(), int(device.partition(":")[2] or 0)
    return cards[number].name if number < len(cards) else ""
