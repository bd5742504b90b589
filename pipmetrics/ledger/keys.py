"""The key that signs checkpoints: an Ed25519 key in a file outside the database, made at first use."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipmetrics.errors import StoreError
from pipmetrics.ledger.chain import Checkpoint, Head, checkpoint_message

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def key_id(public: bytes) -> str:
    """Sixteen hexadecimal digits that name a public key."""
    return hashlib.sha256(public).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class KeyFile:
    """`path` holds the private key (PEM, mode 0600), `path`.pub all public keys ever used, one ``ID HEX`` a line.

    Whoever verifies needs the second file alone. A new private key is made when there is none; the old public keys
    stay, so that old checkpoints still verify.
    """

    path: Path

    @property
    def public_path(self) -> Path:
        return self.path.with_name(self.path.name + ".pub")

    def public(self) -> Mapping[str, bytes]:
        """Every known public key by its id; empty when no key was made yet. StoreError for a damaged file."""
        try:
            lines = self.public_path.read_text().splitlines()
        except FileNotFoundError:
            return {}
        try:
            keys = {id: bytes.fromhex(digits) for id, digits in (line.split() for line in lines if line.strip())}
        except ValueError as error:
            raise self._damaged(self.public_path) from error
        if any(key_id(public) != id for id, public in keys.items()):
            raise self._damaged(self.public_path)
        return keys

    def sign(self, head: Head, at: int) -> Checkpoint:
        """A checkpoint of the head; makes the key if there is none."""
        private = self._private()
        public = private.public_key().public_bytes_raw()
        id = key_id(public)
        if id not in self.public():
            self._append_public(id, public)
        return Checkpoint(head.seq, at, head.hash, id, private.sign(checkpoint_message(head.seq, at, head.hash, id)))

    def _private(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return self._make()
        except OSError as error:
            raise StoreError(f"cannot read the signing key: {error.strerror}", where=str(self.path)) from error
        try:
            key = load_pem_private_key(text, password=None)
        except ValueError as error:
            raise self._damaged(self.path) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise self._damaged(self.path)
        return key

    def _make(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        key = Ed25519PrivateKey.generate()
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        whole = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            handle = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(text)
            try:
                os.link(whole, self.path)  # whole or not at all, and the first of two processes wins
            except FileExistsError:
                return self._private()
            except OSError:  # a file system without hard links
                shutil.copy(whole, self.path)
                self.path.chmod(0o600)
            finally:
                whole.unlink()
        except OSError as error:
            raise StoreError(f"cannot write the signing key: {error.strerror}", where=str(self.path)) from error
        return key

    def _append_public(self, id: str, public: bytes) -> None:
        with self.public_path.open("a") as file:
            file.write(f"{id} {public.hex()}\n")

    def _damaged(self, path: Path) -> StoreError:
        return StoreError(
            "this is not a key file of the ledger", where=str(path), mend="Restore it from where you keep its copy."
        )


def is_signed(checkpoint: Checkpoint, public: bytes) -> bool:
    """Whether the signature is that of this key over this checkpoint."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    message = checkpoint_message(checkpoint.seq, checkpoint.at, checkpoint.head, checkpoint.key)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(checkpoint.signature, message)
    except InvalidSignature:
        return False
    return True
