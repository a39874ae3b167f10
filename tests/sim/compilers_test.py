# SPDX-License-Identifier: Apache-2.0
"""Two compilers, the same histories: what the language leaves to the compiler (the order of two random draws in one argument
list, a value that was never set) would make a failing seed one that fails only for whoever built it likewise.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(os.environ["HEADRACE_BIN_DIR"]).parent / "tests" / "test_sim_sim"
OTHER = pathlib.Path("build/clang/tests/test_sim_sim")
FIRST, COUNT = 600, 900


def digests(program):
    """The compiler, and the digest of every seed."""
    done = subprocess.run([program, "--digests", "--from", str(FIRST), "--seeds", str(COUNT)], capture_output=True, text=True, check=True)
    compiler, *lines = done.stdout.splitlines()
    return compiler, dict(line.split() for line in lines)


def first_difference(seed):
    """Where the two histories of a seed part, as a trace tells it."""
    with tempfile.TemporaryFile("w+") as here, tempfile.TemporaryFile("w+") as other:
        for program, trace in ((HERE, here), (OTHER, other)):
            subprocess.run([program, "--seed", seed, "--trace"], stdout=subprocess.DEVNULL, stderr=trace, check=False)
            trace.seek(0)
        for number, (left, right) in enumerate(zip(here, other), 1):
            if left != right:
                return f"line {number} of --seed {seed} --trace:\n  {left.strip()}\n  {right.strip()}"
    return "their traces are the same: what is not traced differs"


def main():
    # Nothing to do in `./dev test`, which has built it by now.
    subprocess.run(["./dev", "build", "clang", "test_sim_sim"], check=True)
    here, histories = digests(HERE)
    other, other_histories = digests(OTHER)
    assert here != other, f"both were compiled by {here}"
    assert len(histories) == len(other_histories) == COUNT, f"{len(histories)} and {len(other_histories)} digests of {COUNT} seeds"
    different = [seed for seed, digest in histories.items() if other_histories[seed] != digest]
    print(f"{COUNT} seeds, compiled by {here} and by {other}: {len(different)} differ")
    if different:
        print(f"the first is seed {different[0]}: {first_difference(different[0])}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
