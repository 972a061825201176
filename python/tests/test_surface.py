# SPDX-License-Identifier: MIT
"""The public names: their signatures, their docstrings, and the examples in them."""

import doctest
import inspect
import os
import re
import shutil
import subprocess
import sys

import pytest

import alloy
import alloy._errors
import alloy._function
import alloy._host

LEVELS = ["check_inputs", "check_results"]
OPEN = ["host", "isolated", "name", "min_sequence", "sha256", "sidecar", *LEVELS, "limits"]
# Each name with its positional parameters and its keyword-only ones.
SIGNATURES = {
    "open": (["library", "certificate"], OPEN),
    "inspect": (["library", "certificate"], ["host"]),
    "link": (["archive", "library"], []),
    "describe": (["obj"], []),
    "error_from": (["exc"], []),
    "Host": ([], ["allow_unsigned", "load_plainly", "may_need", "worker", "log", "log_mode"]),
    "Host.info": (["self", "text"], []),
    "Limits": ([], ["max_workers", "input_bytes", "output_bytes", "heap_bytes", "grace",
                    "setup"]),
    "Bridge": (["host"], OPEN[1:]),
    "Bridge.set_impl_lib": (["self", "library", "certificate"], []),
    "Bridge.from_chunks": (["self", "arrays"], []),
    "Bridge.close": (["self"], []),
    "Function.using": (["self"], ["timeout", "progress", "schema"]),
    "Function.columns": (["self", "arrays"], ["options"]),
    "Function.stage": (["self"], ["options"]),
    "Stage.batches": (["self", "iterator"], []),
    "Stage.columns": (["self", "arrays"], []),
    "Stage.output": (["self", "schema"], []),
    "Array.__arrow_c_array__": (["self", "requested_schema"], []),
    "Batch.__arrow_c_array__": (["self", "requested_schema"], []),
    "Batch.__arrow_c_stream__": (["self", "requested_schema"], []),
    "Batches.__arrow_c_stream__": (["self", "requested_schema"], []),
    "Schema.__arrow_c_schema__": (["self"], []),
    "Field.__arrow_c_schema__": (["self"], []),
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_signature_is_the_documented_one(name):
    found = alloy
    for part in name.split("."):
        found = getattr(found, part)
    kinds = inspect.Parameter
    parameters = inspect.signature(found).parameters.values()
    keyword = (kinds.KEYWORD_ONLY, kinds.VAR_KEYWORD)
    assert ([p.name for p in parameters if p.kind not in keyword],
            [p.name for p in parameters if p.kind in keyword]) == SIGNATURES[name]


@pytest.mark.parametrize("name", [n for n in alloy.__all__ if n not in ("version", "Level")])
def test_a_public_name_says_what_it_is(name):
    assert re.match(r"[A-Z`].*[.:\w]", inspect.getdoc(getattr(alloy, name)) or "")


def test_the_examples_of_docstrings():
    for module in (alloy, alloy._errors, alloy._function, alloy._host):
        result = doctest.testmod(module)
        assert result.attempted > 0 and result.failed == 0


def test_limits_are_frozen_and_checked():
    limits = alloy.Limits(max_workers=2)
    with pytest.raises(AttributeError):
        limits.max_workers = 3
    assert limits == alloy.Limits(max_workers=2)
    for wrong in ({"max_workers": -1}, {"heap_bytes": 2**62}, {"grace": -0.1},
                  {"setup": -1.0}, {"setup": 5e6}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            alloy.Limits(**wrong)


def test_doctor_reports_the_package_libcrypto_and_the_worker():
    done = subprocess.run([sys.executable, "-m", "alloy", "doctor"], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    for part in (f"alloy {alloy.version} ", "arrowalloy", "libcrypto.so.3: found",
                 "alloy-worker"):
        assert part in done.stdout
    wrong = subprocess.run([sys.executable, "-m", "alloy", "doktor"], capture_output=True,
                           text=True, timeout=60)
    assert wrong.returncode == 1 and "usage: python -m alloy [doctor]" in wrong.stderr


@pytest.mark.parametrize("fault", ["no worker", "may not run", "another owner"])
def test_doctor_finds_what_is_wrong(tmp_path, fault):
    shutil.copytree(alloy.__path__[0], tmp_path / "alloy")
    worker = tmp_path / "alloy/alloy-worker"
    wanted = {"no worker": f"{worker}: missing", "may not run": f"{worker}: no permission",
              "another owner": "alloy belongs to: alloy, arrowalloy"}[fault]
    if fault == "no worker":
        worker.unlink()
    elif fault == "may not run":
        worker.chmod(0o644)
    else:  # what the package alloy 0.0.1 of PyPI leaves
        info = tmp_path / "alloy-0.0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: alloy\nVersion: 0.0.1\n")
        (info / "top_level.txt").write_text("alloy\n")
    done = subprocess.run([sys.executable, "-m", "alloy", "doctor"], capture_output=True,
                          text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1 and wanted in done.stdout, done.stdout
    assert "install arrowalloy again" in " ".join(done.stdout.split())


def test_doctor_finds_that_libcrypto_is_missing(monkeypatch, capsys):
    import alloy.__main__

    def missing(name):
        raise OSError(name)

    monkeypatch.setattr(alloy.__main__.ctypes, "CDLL", missing)
    assert alloy.__main__.doctor() == 1
    assert "libcrypto.so.3: not found" in capsys.readouterr().out


def test_the_package_needs_no_other_library(tmp_path):
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import sys; sys.path.insert(0, sys.argv[1])\n"
         "import alloy.__main__; alloy.__main__.echo()\n"
         "assert not {'pyarrow', 'numpy'} & set(sys.modules)\n", str(link(tmp_path))],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 10, done.stderr


def link(folder):
    """A folder with nothing but the package of the wheel."""
    (folder / "alloy").symlink_to(alloy.__path__[0])
    return folder
