"""Mutants of the rooms that decide: written by mutmut into a copy of the working tree, and put in force one at a time.

mutmut's own trampoline is left out: it looks at the environment on every call, which made the laws several times slower than
the program is. Here a function keeps its own code until, in a child that was forked for it, the code of a mutant is put in its
place; so it does not matter who has imported it under which name.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ROOMS = ("streams/detect/", "streams/policy/")

_FUNCTIONS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {}
"""By module and mangled name of a function: the function that is called, and its mutants."""


def copy(tree: Path) -> None:
    """Brings the work folder's copy of what git tracks up to date, with the settings mutmut reads."""
    tree.mkdir(exist_ok=True)
    listed = subprocess.run(
        [shutil.which("git") or "git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    wanted = {tree / name for name in listed if name}
    for name in listed:
        source, target = ROOT / name, tree / name
        if name and source.is_file() and (not target.exists() or target.read_bytes() != source.read_bytes()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    for room in ("streams", "tests"):
        for folder in (tree / room, tree / "mutants" / room):
            for path in folder.rglob("*.py") if folder.exists() else ():
                if tree / path.relative_to(tree / "mutants" if "mutants" in path.parts else tree) not in wanted:
                    path.unlink()
    only = "\n".join(f"    {room}*" for room in ROOMS)
    (tree / "setup.cfg").write_text(
        f"[mutmut]\nsource_paths =\n    streams\nonly_mutate =\n{only}\nalso_copy =\n    schemas\n    docs\n"
    )


def find(*, generate: bool) -> dict[str, str]:
    """Returns every mutant with the hash of its function, from the copy the process stands in.

    Args:
        generate: whether their code has to be written anew first, where a source is younger.
    """
    import mutmut.__main__ as mutmut
    from mutmut.mutation.data import SourceFileMutationData

    os.environ["MUTANT_UNDER_TEST"] = "mutant_generation"
    if generate:
        # mutmut copies what is not there yet, and writes mutants anew where the source is younger.
        for directory, file in mutmut.walk_all_files():
            path = Path(directory) / file
            copied = Path("mutants") / path
            if copied.exists() and (copied.stat().st_mtime < path.stat().st_mtime or path.suffix != ".py"):
                copied.unlink()
        with silence(Path("../generate.log")):
            mutmut.copy_src_dir()
            mutmut.copy_also_copy_files()
            mutmut.create_mutants(1)
    found: dict[str, str] = {}
    for path in mutmut.walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        for name in data.exit_code_by_key:
            function = name.partition("__mutmut_")[0].rpartition(".")[2]
            found[name] = str(data.hash_by_function_name.get(function, ""))
    return found


def stand_among_them() -> None:
    """Makes this process import the program from among the mutants, none of them in force."""
    from mutmut.mutation import trampoline

    os.environ["MUTANT_UNDER_TEST"] = ""
    trampoline.wrap_in_trampoline = _remembered  # type: ignore[assignment]  # called as mutmut's code calls its own
    os.chdir("mutants")
    sys.path[:] = [str(Path.cwd()), *[one for one in sys.path if Path(one or ".").resolve() != ROOT]]
    for name in [one for one in sys.modules if one.partition(".")[0] in ("streams", "tests")]:
        del sys.modules[name]


def caches() -> list[Any]:
    """Returns what remembers a loaded policy or a part of it, and so would hide a mutant of what loads it."""
    wrapper = type(functools.lru_cache(caches))
    return [
        one for one in gc.get_objects() if isinstance(one, wrapper) and one.__module__.startswith(("streams.policy.", "tests."))
    ]


def _remembered(mutants: dict[str, Any], is_classmethod: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Stands in for mutmut's decorator: returns the function as it is, and remembers where its mutants will be."""

    def remember(function: Callable[..., Any]) -> Callable[..., Any]:
        *classes, name = function.__qualname__.split(".")
        prefix = f"xǁ{classes[-1]}ǁ" if classes else "x_"
        _FUNCTIONS[f"{function.__module__}.{prefix}{name}"] = function, mutants
        return function

    return remember


def put_in_force(name: str) -> None:
    """Puts a mutant's code in its function's place, for as long as this process lives.

    Raises:
        LookupError: its module was never imported, or its code cannot stand there.
    """
    function, mutants = _FUNCTIONS[name.partition("__mutmut_")[0]]
    mutant = mutants[name.rpartition(".")[2]]
    mutant = getattr(mutant, "__func__", mutant)
    try:
        function.__code__ = mutant.__code__
    except ValueError as error:
        raise LookupError(name) from error
    function.__defaults__ = mutant.__defaults__
    function.__kwdefaults__ = mutant.__kwdefaults__


@contextlib.contextmanager
def silence(path: Path) -> Iterator[None]:
    """Sends what is written meanwhile, by children too, to a file."""
    kept = os.dup(1), os.dup(2)
    try:
        with path.open("w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        os.close(kept[0])
        os.close(kept[1])
