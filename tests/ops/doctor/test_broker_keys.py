"""Faults of the keys and of the certificate."""

from pathlib import Path

from tests.ops.doctor.world import DoctorTestCase, Line

PKCS12 = b"\x30\x82\x01\x00"


class KeysTests(DoctorTestCase):
    def test_no_keys(self) -> None:
        del self.environ["API_KEY"]
        self.assert_found(self.found("keys"), "warn", "no API_KEY", "/set-sj-key")
        self.assertEqual(self.found("keys", demo=True).level, "ok")

    def test_keys_by_their_other_names(self) -> None:
        self.environ = {"PATH": "", "SJ_KEY": "a", "SJ_SEC_KEY": "the-secret"}
        self.assertEqual(self.found("keys").what, "the keys are in the environment")

    def test_keys_in_the_workers_own_file(self) -> None:
        self.environ = {"PATH": "", "API_KEY": "a"}
        (self.folder / ".env").write_text("SECRET_KEY='the-secret'\n")
        self.assertIn(f"{self.folder}/.env and the environment", self.found("keys").what)

    def test_keys_in_the_credentials_file_win(self) -> None:
        kept = self.folder / "kept.env"
        kept.write_text("API_KEY='a'\n")
        kept.chmod(0o600)
        line = self.found("keys", credentials_file=kept)
        self.assert_found(line, "warn", f"no SECRET_KEY in {kept}", "/set-sj-key")

    def test_the_env_file_beside_a_main_py_of_the_parent_folder(self) -> None:
        below = self.folder / "below"
        below.mkdir()
        self.environ = {"PATH": ""}
        (self.folder / ".env").write_text("API_KEY=a\nSECRET_KEY=the-secret\n")
        self.folder = below
        self.assertEqual(self.found("keys").level, "ok")

    def test_what_nobody_sees_is_warned_of(self) -> None:
        self.environ["SJ_SEC"] = "the-secret\r"
        self.assert_found(self.found("keys"), "warn", "SJ_SEC holds CR", "dos2unix")
        del self.environ["SJ_SEC"]
        (self.folder / ".env").write_bytes("\ufeffAPI_KEY=a\n".encode())
        line = self.found("keys")
        self.assert_found(line, "warn", f"{self.folder}/.env holds a byte order mark", "BOM")

    def test_a_file_of_the_workers_own_that_wins_is_warned_of(self) -> None:
        (self.folder / ".env").write_text("API_KEY=another\n")
        self.assertEqual(self.found("keys").level, "ok")
        self.main.write_text("load_dotenv(override=True)\nAPI_KEY\n")
        self.assert_found(self.found("keys"), "warn", "other values of apiKey", "override")

    def test_further_names_of_keys_are_known(self) -> None:
        self.environ = {"PATH": "", "MY_KEY": "a", "SINOPAC_SECRET_KEY": "the-secret"}
        self.assertEqual(self.found("keys").level, "warn")
        self.assertEqual(self.found("keys", key_names=("apiKey=MY_KEY",)).level, "ok")


class HolidaysTests(DoctorTestCase):
    def test_a_holiday_file_that_a_start_would_refuse(self) -> None:
        file = self.folder / "holidays"
        file.write_text("2027-01-01\n2027-02-30\n")
        line = self.found("environment", holiday_file=file)
        self.assert_found(line, "fail", "line 2: '2027-02-30' is no date", "correct the option")
        file.write_text("2027-01-01\n")
        self.assertEqual(self.found("environment", holiday_file=file).level, "ok")


class CertificateTests(DoctorTestCase):
    def certificate(self, content: bytes | None, mode: int = 0o600, **environ: str) -> Line:
        file = self.folder / "ca.pfx"
        if content is not None:
            file.write_bytes(content)
            file.chmod(mode)
        self.environ |= {"SJ_CA_PATH": "ca.pfx", "CA_PASSWORD": "the-secret"} | environ
        return self.found("certificate")

    def test_a_good_one_from_main_pys_folder(self) -> None:
        self.assertEqual(self.certificate(PKCS12).level, "ok")

    def test_none(self) -> None:
        self.assertIn("only orders", self.found("certificate").what)

    def test_a_missing_one(self) -> None:
        line = self.certificate(None)
        self.assert_found(line, "fail", f"{self.folder}/ca.pfx is missing", "CA_CERT_PATH")

    def test_a_folder(self) -> None:
        (self.folder / "ca.pfx").mkdir()
        self.assert_found(self.certificate(None), "fail", "is a folder", ".pfx")

    def test_another_kind_of_file(self) -> None:
        line = self.certificate(b"-----BEGIN CERTIFICATE-----\n")
        self.assert_found(line, "fail", "no PKCS #12", ".pfx")
        self.assert_found(self.certificate(b""), "fail", "no PKCS #12", ".pfx")

    def test_no_password(self) -> None:
        line = self.certificate(PKCS12, CA_PASSWORD="")
        self.assert_found(line, "warn", "no password", "CA_PASSWORD")

    def test_one_that_others_can_read(self) -> None:
        line = self.certificate(PKCS12, 0o644)
        self.assert_found(line, "warn", "other users can read", "chmod 600")

    def test_an_absolute_path(self) -> None:
        elsewhere = Path(self.mktemp()).absolute()
        elsewhere.write_bytes(PKCS12)
        elsewhere.chmod(0o600)
        self.assertEqual(self.certificate(None, SJ_CA_PATH=str(elsewhere)).level, "ok")
