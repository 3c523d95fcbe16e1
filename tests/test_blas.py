"""Linear algebra where memory is short: an error, or an answer, but never a wait without end."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from test_learn_analysis import table

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="limits of the address space are Linux's"
)


def run(code: str, timeout: float = 100) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_memory_is_asked_for_before_it_is_needed_and_kept():
    """With 20 MB to spare the question is answered with no; with what was asked for, the linear
    algebra goes on after all the rest has been taken.
    """
    done = run("""
        import resource
        import numpy as np
        from scipy.linalg import cho_factor
        from amorphace.core.blas import claim_memory, one_blas_thread
        from amorphace.core.errors import AmorphaceError
        def leave(n_bytes):
            used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + n_bytes, resource.RLIM_INFINITY))
        a = np.eye(400) * 4
        leave(20_000_000)
        try:
            claim_memory()
        except AmorphaceError as error:
            print(error)
        leave(2_000_000_000)
        claim_memory()
        leave(4_000_000)
        with one_blas_thread():
            print(cho_factor(a)[0][0, 0])
    """)
    assert done.returncode == 0, done.stderr
    error, number = done.stdout.splitlines()
    assert "MB more memory than this process may take; raise its limit (ulimit -v)" in error
    assert number == "2.0"


@pytest.mark.slow
@pytest.mark.parametrize("limit", [500_000, 700_000, 1_000_000])
def test_learn_ends_in_little_memory(tmp_path, limit):
    """With results, or with one line; ulimit -v counts in kB."""
    from amorphace.dataset.zarr_table import write_table

    write_table(tmp_path / "t.zarr", table())
    done = run(
        f"""
        import resource, sys
        resource.setrlimit(resource.RLIMIT_AS, ({limit} * 1024,) * 2)
        from amorphace.cli import main
        sys.argv = ["amorphace", "learn", "{tmp_path}/t.zarr", "-o", "{tmp_path}/out"]
        main()
        """,
        timeout=300,
    )
    assert (done.returncode == 0) == (tmp_path / "out").is_dir()
