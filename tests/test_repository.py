"""What is committed tells nothing of the machine it was made on, and is safe to open."""

import ast
import contextlib
import getpass
import re
import socket
import subprocess

import pytest

from digits import core

FILES = subprocess.run(
    ["git", "-C", str(core.ROOT), "ls-files"], capture_output=True, text=True, check=False
).stdout.split("\n")[:-1]
if not FILES:
    pytest.skip("not a git checkout", allow_module_level=True)
FILES = [name for name in FILES if (core.ROOT / name).is_file()]  # some may be about to go
TEXTS = [name for name in FILES if not name.endswith(".png")]

#: Folders of people and of temporary work; a path in a URL or a relative one is none.
ABSOLUTE = re.compile(
    r"(?<![\w.:/\-])(/(?:home|root|Users|tmp|work|var|mnt|opt|private)/[\w.\-]+|[A-Z]:\\\\?\w+)"
)
ALLOWED = {"/tmp/out.ipynb"}  # in the README, for the reader


def text_of(name):
    return (core.ROOT / name).read_text(encoding="utf-8")


def test_no_path_of_a_machine():
    found = {}
    for name in TEXTS:
        text = text_of(name)
        if name.endswith(".jsonl"):  # decisions and weights are base64 and hex
            text = re.sub(r'"(?:decisions|weights)":"[^"]*"', "", text)
        if name != "tests/test_repository.py" and set(ABSOLUTE.findall(text)) - ALLOWED:
            found[name] = ABSOLUTE.findall(text)
    assert found == {}


def test_the_pattern_finds_paths():
    for path in ("/home/ann/digits", "/root/x", "in /tmp/a1 there", '"C:\\\\Users"', "/Users/bob"):
        assert ABSOLUTE.search(path), path
    for text in ("https://x.org/home/a", "digits/home/x", "a/tmp/b", "results/mnist", "N/tmp"):
        assert not ABSOLUTE.search(text), text


def test_no_name_of_a_user_or_a_host():
    names = {socket.gethostname()}
    with contextlib.suppress(KeyError, OSError):  # a user without a name
        names.add(getpass.getuser())
    names -= {"root", "localhost", "runner", "ubuntu", "user", "test", "build", "main", "data"}
    names -= {"work", "worker"}
    for name in TEXTS:
        text = text_of(name)
        assert not [n for n in names if len(n) > 3 and re.search(rf"\b{re.escape(n)}\b", text)]


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".py")])
def test_no_pickle_is_loaded(name):
    for node in ast.walk(ast.parse(text_of(name))):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            modules = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
            assert not {"pickle", "dill", "shelve", "marshal"} & {m.split(".")[0] for m in modules}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = getattr(node.func.value, "id", ""), node.func.attr
            assert called not in {("joblib", "load"), ("pd", "read_pickle")}
            if called == ("torch", "load"):
                safe = [ast.unparse(k.value) for k in node.keywords if k.arg == "weights_only"]
                assert safe == ["True"]  # which reads tensors and plain values, and runs no code
            assert not any(k.arg == "allow_pickle" for k in node.keywords)


def test_nothing_of_mnist_is_kept():
    assert not [name for name in FILES if "ubyte" in name or name.endswith((".gz", ".npz", ".pt"))]
