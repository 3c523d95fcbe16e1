"""A scheduler and workers of Dask that speak with nobody who has no certificate of theirs."""

from __future__ import annotations

import datetime
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amorphace.core.errors import SetupError
from amorphace.runs.cluster import Cluster
from amorphace.runs.dask_client import configured, connected, make_cluster, started
from amorphace.runs.engine import What
from amorphace.runs.store import Store
from test_runs_dask import TESTS, Parts, parts

from runs_samples import everything_there, no_orphans, run_on_dask, until
from toy_kinds import waiting

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of Dask's, when its parts are refused
]


def certificates(folder: Path) -> dict[str, Any]:
    """An authority of our own and a certificate that it signed, as Dask's configuration."""
    pytest.importorskip("cryptography", reason="makes the certificates")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    folder.mkdir()
    now = datetime.datetime.now(datetime.UTC)

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    authority, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    signed = {}
    for title, key, ca in (("authority", authority, True), ("amorphace", own, False)):
        signed[title] = (
            x509.CertificateBuilder()
            .subject_name(name(title))
            .issuer_name(name("authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .sign(authority, hashes.SHA256())
        )
    files = {what: folder / f"{what}.pem" for what in ("ca", "dask", "dask-key")}
    pem = serialization.Encoding.PEM
    files["ca"].write_bytes(signed["authority"].public_bytes(pem))
    files["dask"].write_bytes(signed["amorphace"].public_bytes(pem))
    files["dask-key"].write_bytes(
        own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    own = {"cert": str(files["dask"]), "key": str(files["dask-key"])}
    roles = dict.fromkeys(("client", "scheduler", "worker"), own)
    return {"distributed": {"comm": {"tls": {"ca-file": str(files["ca"]), **roles}}}}


@pytest.fixture(scope="module")
def tls(tmp_path_factory) -> dict[str, Any]:
    return certificates(tmp_path_factory.mktemp("tls") / "certificates")


@pytest.fixture(scope="module")
def cluster(tls, tmp_path_factory) -> Iterator[Parts]:
    """A scheduler and two workers that demand the certificate."""
    given = tls["distributed"]["comm"]["tls"]
    own = given["worker"]
    words = ("--tls-ca-file", given["ca-file"], "--tls-cert", own["cert"], "--tls-key", own["key"])
    with no_orphans(), parts(tmp_path_factory.mktemp("cluster"), tls=words) as made:
        yield made


def test_units_are_done_over_an_encrypted_connection(cluster, tls, tmp_path):
    graph, store = waiting(6, 0.1, chain=3), Store(tmp_path / "a.store")
    assert cluster.address.startswith("tls://")
    with connected(cluster.address, tls) as client:
        until(lambda: len(client.nthreads()) == 2)
        assert all(worker.startswith("tls://") for worker in client.nthreads())
        events = Counter(e.what for e in run_on_dask(graph, store, client))
    assert events[What.FINISHED] == 6
    everything_there(graph, store)


def test_who_has_no_certificate_is_refused_soon_and_told_so(cluster):
    begin = time.monotonic()
    for address in (cluster.address, cluster.address.replace("tls://", "tcp://")):
        with (
            pytest.raises(SetupError, match=r"no Dask scheduler answers .*distributed\.comm\.tls"),
            connected(address, patience=5.0),
        ):
            pass
    assert time.monotonic() - begin < 30


def test_a_certificate_of_another_authority_is_refused(cluster, tmp_path):
    stranger = certificates(tmp_path / "stranger")
    with (
        pytest.raises(SetupError, match=r"no Dask scheduler answers at 'tls://"),
        connected(cluster.address, stranger, patience=5.0),
    ):
        pass


def test_a_cluster_of_this_machine_is_encrypted_where_its_configuration_says_so(
    tls, tmp_path, monkeypatch
):
    monkeypatch.setenv("PYTHONPATH", TESTS)
    graph, store = waiting(3, 0.1), Store(tmp_path / "a.store")
    with no_orphans(), started(Cluster(kind="local", jobs=1, config=tls)) as client:
        assert client.scheduler.address.startswith("tls://127.0.0.1:")
        list(run_on_dask(graph, store, client))
    everything_there(graph, store)


def test_a_queue_may_do_without_a_network_where_there_are_certificates(tls):
    own = {"cores": 1, "memory": "1GB", "scheduler_options": {"host": "127.0.0.1"}}
    cluster = Cluster(kind="slurm", jobs=1, options=own)
    with configured(tls), make_cluster(cluster) as made:
        script = made.job_script()
    assert "--protocol tls" in script
    assert tls["distributed"]["comm"]["tls"]["ca-file"] in script
