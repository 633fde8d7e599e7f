"""Certificates for one test, made with openssl: an authority, and whom it signs.

Each is one PEM file with the certificate and its key, as zabd and ZooKeeper want it, and beside it
the two alone, as clients want them.
"""

import pathlib
import shutil
import subprocess
import tempfile


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


class Certificate:
    def __init__(self, directory, name):
        self.file = directory / f"{name}.pem"  # both
        self.certificate = directory / f"{name}.crt"
        self.key = directory / f"{name}.key"

    def join(self):
        self.file.touch(mode=0o600)
        self.file.write_text(self.certificate.read_text() + self.key.read_text())


class Authority(Certificate):
    """Signs certificates; `self.certificate` is what those trust who trust it."""

    def __init__(self, name="authority"):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="zabfs-test."))
        super().__init__(self.directory, name)
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "2", "-subj", f"/CN={name}", "-keyout", self.key, "-out",
                self.certificate)

    def sign(self, name, subject=None, hosts="DNS:localhost,IP:127.0.0.1", days=2):
        """With negative `days` it has expired."""
        made = Certificate(self.directory, name)
        request = self.directory / f"{name}.csr"
        extensions = self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={hosts}\n")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", subject or f"/O=Example/CN={name}", "-keyout", made.key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                "-CAcreateserial", "-days", str(days), "-extfile", extensions, "-out",
                made.certificate)
        made.join()
        return made

    def remove(self):
        shutil.rmtree(self.directory)
