"""What systemd itself says of the units: `make test-service`. Needs systemd-analyze, and fails without it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from console.unit import NAME, STATE_FOLDER, Unit

HIGHEST_EXPOSURE = 2.0


def written(folder: Path, **of_unit) -> Path:
    ordinary = {
        "system": True, "command": Path(sys.prefix) / "bin" / "jingbao", "config": Path("/etc/jingbao/config.yaml"),
        "data_folder": STATE_FOLDER,
    }  # fmt: skip
    file = folder / NAME
    file.write_text(Unit(**ordinary | of_unit).text(), encoding="utf-8")
    return file


KINDS = {
    "an account made by systemd": {"credentials": {"JINGBAO_SMTP_PASSWORD": Path("/etc/jingbao/secrets/JINGBAO_SMTP_PASSWORD")}},
    "an account of one's own": {"account": "daemon", "data_folder": Path("/home/ann/jingbao/data")},
}


@pytest.mark.service
@pytest.mark.parametrize("kind", KINDS)
def test_the_machines_unit_is_correct_and_its_exposure_is_low(tmp_path: Path, kind) -> None:
    file = written(tmp_path, **KINDS[kind])
    verified = analyze("verify", file)
    judged = analyze("security", "--offline=true", "--no-pager", f"--threshold={HIGHEST_EXPOSURE * 10:.0f}", file)

    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    assert judged.returncode == 0, judged.stdout
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", judged.stdout)
    assert found
    assert float(found[1]) <= HIGHEST_EXPOSURE


@pytest.mark.service
def test_a_users_unit_is_correct(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    verified = analyze("--user", "verify", written(tmp_path, system=False, data_folder=Path("/home/ann/data")))

    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


@pytest.mark.service
def test_the_judge_would_see_a_unit_that_is_open_or_wrong(tmp_path: Path) -> None:
    file = written(tmp_path)
    file.write_text(file.read_text(encoding="utf-8").replace("ProtectSystem=strict", "ProtectSytem=strict"), encoding="utf-8")
    wrong = analyze("verify", file)
    file.write_text(f"[Service]\nExecStart={sys.executable}\n", encoding="utf-8")

    assert "ProtectSytem" in wrong.stdout + wrong.stderr
    assert analyze("security", "--offline=true", "--threshold=20", file).returncode != 0


def analyze(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, check=False)
