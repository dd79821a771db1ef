"""Records survive cuts, kills, faults of the disk and two writers; damage is told by line."""

import errno
import io
import json
import os
import signal
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from digits.core import InputError
from digits.experiments.registry import EXPERIMENTS
from digits.study import store as module
from digits.study.runs import Run
from digits.study.store import RecordStore, check_writable

NAME = "zadoks/twinnet+ws+aux"


@pytest.fixture(scope="module")
def diverged(tiny_experiment, train_record):
    return train_record(tiny_experiment(NAME, learning_rate=1e30), 3)


@pytest.fixture
def store(tmp_path):
    return RecordStore(tmp_path, "sample")


def other(record, seed):
    return record.model_copy(update={"seed": seed})


def rounds(record, n):
    return [other(record, seed) for seed in range(n)]


def test_what_is_appended_is_read(store, record):
    assert store.read(NAME) == []
    assert store.append(record)
    assert store.append(other(record, 1))
    assert store.read(NAME) == [record, other(record, 1)]


def test_a_run_that_is_there_is_not_written_again(store, record):
    assert store.append(record)
    assert not store.append(record.model_copy(update={"test_error": 0.0}))
    assert store.read(NAME) == [record]


def test_all_of_a_record_is_forced_to_the_disk_before_it_counts(store, record, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace

    def forced(descriptor):
        done.append(("fsync", os.fstat(descriptor).st_size))
        fsync(descriptor)

    def replaced(new, path):
        done.append(("replace", os.stat(new).st_size))
        replace(new, path)

    monkeypatch.setattr(os, "fsync", forced)
    monkeypatch.setattr(os, "replace", replaced)
    store.append(record)
    one = store.path_of(NAME).stat().st_size
    store.append(other(record, 1))
    assert done == [("fsync", one), ("fsync", 2 * one)]
    done.clear()
    store.move_aside({record.key})
    assert done == [("fsync", one), ("replace", one)] * 2  # there, then here


def cut_and_resumed(store, records, monkeypatch, positions):
    """Cut the file of `records` at each position, go on, and compare with the whole file."""
    # A cut is one that the disk has seen; that it is asked to see each line is tested by kills.
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    for each in records:
        store.append(each)
    path = store.path_of(NAME)
    whole = path.read_bytes()
    for position in positions(whole):
        path.write_bytes(whole[:position])
        left = store.read(NAME)
        # A record is whole without the end of its line.
        assert left == records[: whole[: position + 1].count(b"\n")]
        for each in records[len(left) :]:
            assert store.append(each)
        end = b"" if position == len(whole) - 1 else b"\n"  # where nothing was left to append
        assert path.read_bytes() == whole[:-1] + end, position
    assert store.read(NAME) == records


def test_cut_at_any_byte_it_goes_on_to_the_same_file(store, record, diverged, monkeypatch):
    def positions(whole):
        last = whole[:-1].rfind(b"\n")
        return [*range(0, last - 1, 23), *range(last - 1, len(whole))]

    cut_and_resumed(store, [*rounds(record, 2), diverged], monkeypatch, positions)


@pytest.mark.weekly
def test_cut_at_every_byte_of_three_lines(store, record, diverged, monkeypatch):
    records = [record, diverged, other(record, 1)]
    cut_and_resumed(store, records, monkeypatch, lambda whole: range(len(whole) + 1))


ENDED, REFUSED = 9, 7


def disturbed(do, step, fault):
    """Do something in a process that is ended, or meets a full disk, at its `step`-th write.

    Half of what is written reaches the disk before that. Returns how the process ended: 0 if it
    had fewer steps than that.
    """
    with warnings.catch_warnings():
        # This process may have threads, none of which the other one needs.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.alarm(60)
    try:
        _disturb(step, fault)
        do()
    except InputError as error:
        told = "cannot be written (No space left on device)" in str(error)
        os._exit(REFUSED if told and "\n" not in str(error) else 1)
    except BaseException:
        os._exit(1)
    os._exit(0)


def _disturb(step, fault):
    left = step

    def before(do):
        def disturbed_do(*arguments, **keywords):
            nonlocal left
            left -= 1
            if left == -1 and fault == "killed":
                os._exit(ENDED)  # nothing is flushed and nothing tidied up
            if left == -1:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return do(*arguments, **keywords)

        return disturbed_do

    class Disturbed:
        def __init__(self, file):
            self.file = file
            self.flush, self.truncate = before(file.flush), before(file.truncate)
            self.read, self.seek, self.fileno = file.read, file.seek, file.fileno

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, data):
            half = len(data) // 2
            before(self.file.write)(data[:half])
            self.file.flush()
            before(self.file.write)(data[half:])

    module.open = before(lambda *arguments: Disturbed(open(*arguments)))  # noqa: SIM115
    os.fsync, os.replace = before(os.fsync), before(os.replace)
    Path.mkdir, Path.unlink = before(Path.mkdir), before(Path.unlink)


def lines_of(records, folder):
    store = RecordStore(folder / "lines", "sample")
    for each in records:
        store.append(each)
    return store.path_of(NAME).read_bytes().splitlines(keepends=True)


def store_of(lines, folder):
    store = RecordStore(folder, "sample")
    store.path_of(NAME).parent.mkdir(parents=True)
    store.path_of(NAME).write_bytes(lines)
    return store


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no process")


@needs_fork
@pytest.mark.parametrize("fault", ["killed", "full disk"])
def test_a_fault_at_any_step_of_writing_loses_nothing_and_it_goes_on(tmp_path, record, fault):
    records = rounds(record, 3)
    lines = b"".join(lines_of(records[:2], tmp_path)) + b'{"experiment":"zad'  # an earlier kill
    steps, ended = 0, None
    while ended != 0:
        store = store_of(lines, tmp_path / str(steps))
        ended = disturbed(lambda store=store: store.append(records[2]), steps, fault)
        assert ended in (0, ENDED if fault == "killed" else REFUSED), steps
        found = store.read(NAME)
        assert found == records[: len(found)] and len(found) >= 2
        for each in records:
            store.append(each)
        assert store.read(NAME) == records
        assert store.path_of(NAME).read_bytes().count(b"\n") == 3
        steps += 1
    assert steps > 6  # at least: open, truncate, write, write, flush, fsync


@needs_fork
@pytest.mark.parametrize("fault", ["killed", "full disk"])
def test_a_fault_at_any_step_of_moving_aside_loses_nothing(tmp_path, record, fault):
    records = rounds(record, 3)
    lines = b"".join(lines_of(records, tmp_path))
    steps, ended = 0, None
    while ended != 0:
        store = store_of(lines, tmp_path / str(steps))
        ended = disturbed(lambda store=store: store.move_aside({records[1].key}), steps, fault)
        assert ended in (0, ENDED if fault == "killed" else REFUSED), steps
        left = store.read(NAME)
        assert left in (records, [records[0], records[2]])
        assert left == records or records[1] in aside(store)
        store.move_aside({records[1].key})
        assert store.read(NAME) == [records[0], records[2]]
        moved = aside(store)
        assert moved and all(each == records[1] for each in moved)
        assert not list((store.folder / "sample").rglob("*.new"))
        steps += 1
    assert steps > 10  # of two files: open, write, write, flush, fsync, replace


def aside(store):
    """Return all records that were moved aside."""
    folders = store.folder.glob("sample-before-*")
    return [r for folder in folders for r in RecordStore(store.folder, folder.name).read(NAME)]


@needs_fork
def test_a_process_that_is_killed_keeps_nobody_out(store, record, capsys):
    def train():
        with store.alone((1, 1)), store._locked(store.path_of(NAME)):
            os._exit(ENDED)

    assert disturbed(train, 10**6, "killed") == ENDED
    with store.alone((1, 1)):
        assert store.append(record)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[:100],
        lambda line: "not json",
        lambda line: json.dumps(json.loads(line) | {"schema_version": 0}),
        lambda line: json.dumps(json.loads(line) | {"seed": "0"}),
        lambda line: json.dumps(json.loads(line) | {"extra": 1}),
        lambda line: json.dumps({k: v for k, v in json.loads(line).items() if k != "seed"}),
    ],
)
def test_a_damaged_line_is_named_and_nothing_is_lost(store, record, damage):
    for each in rounds(record, 3):
        store.append(each)
    path = store.path_of(NAME)
    lines = path.read_text().split("\n")
    lines[1] = damage(lines[1])
    damaged = "\n".join(lines)
    path.write_text(damaged)
    with pytest.raises(InputError, match=r"twinnet\+ws\+aux.jsonl, line 2 is not a record") as e:
        store.read(NAME)
    assert "\n" not in str(e.value)
    with pytest.raises(InputError, match="line 2"):
        store.append(other(record, 9))
    assert path.read_text() == damaged


def test_a_record_in_the_wrong_file_is_named(store, record):
    store.append(record)
    store.path_of(NAME).rename(store.path_of("zadoks/twinnet"))
    with pytest.raises(InputError, match=r"line 1 belongs to zadoks/twinnet\+ws\+aux on sample"):
        store.read("zadoks/twinnet")


def test_many_writers_do_not_spoil_each_other(store, record):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: store.append(other(record, i % 20)), range(60)))
    assert sorted(r.seed for r in store.read(NAME)) == list(range(20))


def test_a_folder_that_cannot_be_written_is_told(tmp_path, record):
    (tmp_path / "results").write_text("a file where the folder should be")
    with pytest.raises(InputError, match="cannot be written .*--results"):
        RecordStore(tmp_path / "results", "sample").append(record)
    with pytest.raises(InputError, match="cannot be written .*--results"):
        check_writable(tmp_path / "results" / "more")
    check_writable(tmp_path / "new" / "folder")


def test_moving_aside_loses_nothing(store, record):
    for each in rounds(record, 3):
        store.append(each)
    folder = store.move_aside({other(record, 1).key})
    assert [r.seed for r in store.read(NAME)] == [0, 2]
    moved = RecordStore(store.folder, folder.name)  # as good as before, under another source
    assert moved.read(NAME) == [other(record, 1)]
    assert store.move_aside({other(record, 1).key}) is None


def test_files_joined_with_cat_count_a_run_once(store, record):
    store.append(record)
    path = store.path_of(NAME)
    again = record.model_copy(update={"seconds": 9.0})
    path.write_text(path.read_text() + again.model_dump_json() + "\n")
    assert store.read(NAME) == [record]


def test_two_records_of_one_run_that_differ_are_refused(store, record):
    for each in rounds(record, 2):
        store.append(each)
    path = store.path_of(NAME)
    wrong = record.model_copy(update={"weights": "0" * 16})
    path.write_text(path.read_text() + wrong.model_dump_json() + "\n")
    with pytest.raises(InputError, match="lines 1 and 3 are of one run and differ"):
        store.read(NAME)


def test_a_recipe_that_its_hash_does_not_fit_is_refused(store, record):
    store.append(record)
    path = store.path_of(NAME)
    path.write_text(path.read_text().replace('"epochs":2', '"epochs":3'))
    with pytest.raises(
        InputError, match="line 1 is not a record .recipe_hash = .* that of its recipe is"
    ):
        store.read(NAME)


def test_a_run_that_diverged_leaves_a_line_of_its_own(store, record, diverged):
    store.append(record)
    assert store.append(diverged)
    assert not store.append(diverged)
    assert store.read(NAME) == [record, diverged]
    path = store.path_of(NAME)
    same_run = {"seed": 3, "recipe": diverged.recipe, "recipe_hash": diverged.recipe_hash}
    claims_success = record.model_copy(update=same_run)
    path.write_text(path.read_text() + claims_success.model_dump_json(exclude_none=True) + "\n")
    with pytest.raises(InputError, match="lines 2 and 3 are of one run and differ"):
        store.read(NAME)


def test_one_process_trains_a_shard_at_a_time_and_the_other_says_that_it_waits(store, monkeypatch):
    order, told = [], io.StringIO()  # emptied by nobody, so that nothing is missed
    monkeypatch.setattr(sys, "stderr", told)

    def train(shard):
        with store.alone(shard):
            order.append(shard)

    with ThreadPoolExecutor(1) as pool:
        with store.alone((1, 2)):
            train((2, 2))  # another shard does not wait
            second = pool.submit(train, (1, 2))
            while "waiting for its end" not in told.getvalue():
                assert not second.done()
                time.sleep(0.001)
            order.append("first is done")
        second.result(timeout=10)
    assert order == [(2, 2), "first is done", (1, 2)]


def test_records_that_another_process_adds_are_seen_and_earlier_lines_are_not_read_again(
    store, record, monkeypatch
):
    read = []
    parse = module.parse

    def counted(data, *arguments):
        read.append(data.count(b"\n"))
        return parse(data, *arguments)

    for each in rounds(record, 20):
        store.append(each)
    monkeypatch.setattr(module, "parse", counted)
    assert RecordStore(store.folder, store.source).append(other(record, 20))  # another process
    read.clear()
    assert not store.append(other(record, 20))
    assert store.append(other(record, 21))
    assert read == [2, 0]  # its own last line and that of the other; nothing new
    assert len(store.read(NAME)) == 22


@pytest.mark.parametrize("how", ["removed", "emptied", "replaced", "folder"])
def test_a_file_that_changed_since_the_last_look_is_read_anew(store, record, how):
    for each in rounds(record, 3):
        store.append(each)
    path = store.path_of(NAME)
    if how == "removed":
        path.unlink()
    elif how == "emptied":
        path.write_bytes(b"")
    elif how == "folder":
        path.parent.rename(path.parent.with_name("elsewhere"))
    else:
        path.write_bytes(path.read_bytes().replace(b'"seed":2', b'"seed":7'))
    assert store.append(other(record, 2))
    assert [r.seed for r in store.read(NAME)] == ([0, 1, 7, 2] if how == "replaced" else [2])


def test_damage_that_was_added_since_the_last_look_is_told_and_kept(store, record):
    store.append(record)
    path = store.path_of(NAME)
    damaged = path.read_bytes() + b"garbage\n"
    path.write_bytes(damaged)
    with pytest.raises(InputError, match="line 2 is not a record"):
        store.append(other(record, 1))
    assert path.read_bytes() == damaged


def test_a_last_record_without_the_end_of_its_line_is_kept(store, record):
    for each in rounds(record, 2):
        store.append(each)
    path = store.path_of(NAME)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert store.read(NAME) == rounds(record, 2)
    assert not store.append(other(record, 1))
    assert path.read_bytes() == whole[:-1]
    assert store.append(other(record, 2))
    assert path.read_bytes().startswith(whole) and store.read(NAME) == rounds(record, 3)


@pytest.mark.parametrize("tail", [b"\0" * 100, b'{"experiment":"zad' + b"\0" * 100])
def test_zeros_after_a_loss_of_power_are_a_line_that_was_cut_off(store, record, tail):
    store.append(record)
    path = store.path_of(NAME)
    path.write_bytes(path.read_bytes() + tail)
    assert store.read(NAME) == [record]
    assert store.append(other(record, 1))
    assert store.read(NAME) == rounds(record, 2) and b"\0" not in path.read_bytes()


def test_leftovers_of_a_kill_are_cleared_by_the_next_start(store, record):
    store.append(record)
    moved = store.move_aside({record.key})
    left = [
        path.with_name("twinnet.jsonl.new") for path in (store.path_of(NAME), moved / f"{NAME}.x")
    ]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half a file")
    with store.alone((1, 1)):
        assert not any(path.exists() for path in left)
    assert RecordStore(store.folder, moved.name).read(NAME) == [record]


def no_file(kind, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.symlink_to(path if kind == "link to itself" else path.with_name("nowhere"))


@pytest.mark.skipif(os.name == "nt", reason="pipes and links of Unix")
@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "link to itself", "link to nowhere"])
def test_what_is_no_file_is_refused_at_once(store, record, kind):
    path = store.path_of(NAME)
    no_file(kind, path)
    doings = (
        lambda: store.read(NAME),
        lambda: store.append(record),
        lambda: store.move_aside({record.key}),
    )
    for do in doings:
        with pytest.raises(
            InputError, match=r"twinnet\+ws\+aux.jsonl (is not a file|cannot be)"
        ) as e:
            do()
        assert "\n" not in str(e.value)
    assert os.path.lexists(path)


def test_a_file_that_may_not_be_read_or_written_is_told_with_its_cause(store, record, monkeypatch):
    store.append(record)
    run = Run(EXPERIMENTS[NAME], 0)
    store.check_writable([run])
    path = store.path_of(NAME)

    def denied(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "access", lambda place, mode, **_: place != path)  # root may write all
    with pytest.raises(InputError, match=r"aux.jsonl cannot be written \(Permission denied\)") as e:
        store.check_writable([run])
    assert "free the disk" not in str(e.value)
    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(InputError, match=r"aux.jsonl cannot be read \(Permission denied\)"):
        store.read(NAME)


def test_a_record_of_another_network_is_refused_with_its_line(store, record):
    run = Run(EXPERIMENTS[NAME].model_copy(update={"recipe": record.recipe}), 0)
    store.append(record.model_copy(update={"parameters": 5}))
    with pytest.raises(InputError, match="line 1 is a record .* network .parameters = 5, not"):
        store.of_runs([run])


def test_a_hundred_thousand_records_cost_no_square(store, record, monkeypatch):
    """Twice as many records take twice as many bytes that are read, not four times."""
    read = []
    parse = module.parse
    monkeypatch.setattr(module, "parse", lambda d, *a: read.append(len(d)) or parse(d, *a))
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    for each in rounds(record, 200):
        store.append(each)
    assert sum(read) < store.path_of(NAME).stat().st_size


def test_the_same_bytes_are_parsed_once_a_process_and_changed_ones_anew(store, record, monkeypatch):
    store.append(record)
    again = RecordStore(store.folder, store.source)
    assert again.read(NAME)[0] is store.read(NAME)[0]
    path = store.path_of(NAME)
    path.write_bytes(path.read_bytes().replace(b'"seconds":', b'"second":'))
    for reader in (store, again):
        with pytest.raises(InputError, match="line 1"):
            reader.read(NAME)
