"""A scheduler and workers of Dask that speak with nobody who has no certificate of theirs."""

from __future__ import annotations

import datetime
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from amorphace.campaign import dask
from amorphace.campaign.plan import make_plan
from amorphace.campaign.store import Store
from amorphace.config import read_experiment
from amorphace.config.sections import TLSSection
from amorphace.core.errors import SetupError
from test_campaign import QUICK, amorphace
from test_campaign_dask import Parts, parts

from campaign_samples import everything_once, no_orphans, until, waiting

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of Dask's, when its parts are refused
]


def certificates(folder: Path) -> TLSSection:
    """An authority of our own, and a certificate that it signed."""
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
    return TLSSection(ca_file=str(files["ca"]), cert=str(files["dask"]), key=str(files["dask-key"]))


@pytest.fixture(scope="module")
def tls(tmp_path_factory) -> TLSSection:
    return certificates(tmp_path_factory.mktemp("tls") / "certificates")


@pytest.fixture(scope="module")
def cluster(tls, tmp_path_factory) -> Iterator[Parts]:
    """A scheduler and two workers that demand the certificate."""
    words = ("--tls-ca-file", tls.ca_file, "--tls-cert", tls.cert, "--tls-key", str(tls.key))
    with no_orphans(), parts(tmp_path_factory.mktemp("cluster"), tls=words) as made:
        yield made


def test_units_are_done_over_an_encrypted_connection(cluster, tls, tmp_path):
    plan, store = waiting(6, 0.1, chain=3), Store(tmp_path / "a.store")
    assert cluster.address.startswith("tls://")
    with dask.connected(cluster.address, tls) as client:
        until(lambda: len(client.nthreads()) == 2)
        assert all(worker.startswith("tls://") for worker in client.nthreads())
        events = Counter(e.what for e in dask.run_on_dask(plan, store, client))
    assert events["finished"] == 6
    everything_once(plan, store)


def test_an_experiment_reaches_the_scheduler_by_its_table_of_certificates(cluster, tls, tmp_path):
    file = tmp_path / "a.toml"
    file.write_text(
        QUICK["shear"]
        + '[cluster]\nkind = "local"\njobs = 1\n[cluster.tls]\n'
        + f'ca_file = "{tls.ca_file}"\ncert = "{tls.cert}"\nkey = "{tls.key}"\n'
    )
    with amorphace("run", file, "--scheduler", cluster.address) as run:
        out, _ = run.communicate(timeout=300)
    assert run.returncode == 0, out
    units = {u.id for u in make_plan(read_experiment(file)).units}
    assert Store(tmp_path / "a.store").finished() == units


def test_who_has_no_certificate_is_refused_soon_and_told_so(cluster, tmp_path):
    file = tmp_path / "a.toml"
    file.write_text(QUICK["shear"])
    begin = time.monotonic()
    for address in (cluster.address, cluster.address.replace("tls://", "tcp://")):
        with amorphace("run", file, "--scheduler", address) as run:
            out, _ = run.communicate(timeout=60)
        assert run.returncode == 2, out
        assert "no Dask scheduler answers at" in out
        assert "[cluster.tls]" in out
        assert "Traceback" not in out
    assert time.monotonic() - begin < 30
    assert not Store(tmp_path / "a.store").finished()


def test_a_certificate_of_another_authority_is_refused(cluster, tmp_path):
    stranger = certificates(tmp_path / "stranger")
    with (
        pytest.raises(SetupError, match=r"no Dask scheduler answers at 'tls://.*\[cluster\.tls\]"),
        dask.connected(cluster.address, stranger, patience=5.0),
    ):
        pass


def test_a_cluster_of_this_machine_is_encrypted_where_the_table_says_so(tls, tmp_path):
    from amorphace.config.sections import ClusterSection

    plan, store = waiting(3, 0.1), Store(tmp_path / "a.store")
    section = ClusterSection(kind="local", jobs=1, tls=tls)
    with no_orphans(), dask.started(section) as client:
        assert client.scheduler.address.startswith("tls://127.0.0.1:")
        list(dask.run_on_dask(plan, store, client))
    everything_once(plan, store)
